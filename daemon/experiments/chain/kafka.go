package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/segmentio/kafka-go"

	"kilim/consumer/kafkaconn"
)

// cluster is a real Kafka of this run only.
type cluster struct {
	scripts, dir string
	addr         string
	version      string
	conn         *kafkaconn.Conn
}

// startKafka starts one in dir. When it fails nothing is left running.
func startKafka(ctx context.Context, scripts, dir string) (_ *cluster, err error) {
	port, err := freePorts(3)
	if err != nil {
		return nil, err
	}
	c := &cluster{scripts: scripts, dir: dir, addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), version: "unknown"}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.stop())
		}
	}()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if _, _, err := run(ctx, filepath.Join(dir, "start.log"), filepath.Join(scripts, "start.sh"), []string{dir, strconv.Itoa(port)}, nil); err != nil {
		return nil, err
	}
	if b, err := os.ReadFile(filepath.Join(dir, "classpath")); err == nil {
		if m := regexp.MustCompile(`kafka_[0-9.]+-([0-9.]+)\.jar`).FindSubmatch(b); m != nil {
			c.version = string(m[1])
		}
	}
	if c.conn, err = kafkaconn.New(kafkaconn.Config{Brokers: []string{c.addr}, ClientID: "kilim-bench"}); err != nil {
		return nil, err
	}
	return c, c.conn.Ping(ctx)
}

// stop is for any state, also a start that was interrupted.
func (c *cluster) stop() error {
	if c.conn != nil {
		c.conn.Close()
	}
	// Not the run's context: Kafka must end when that has.
	_, _, err := run(context.Background(), filepath.Join(c.dir, "stop.log"), filepath.Join(c.scripts, "stop.sh"), []string{c.dir}, nil)
	return err
}

// topics are the names of one run's topics.
type topics struct{ artifacts, similar, deadLetters string }

func newTopics(run string) topics {
	return topics{artifacts: run + ".artifacts", similar: run + ".similar", deadLetters: run + ".artifacts.dlq"}
}

func (t topics) flags() []string {
	return []string{"--kafka.topics.artifacts", t.artifacts, "--kafka.topics.similar", t.similar, "--kafka.topics.dead-letters", t.deadLetters}
}

// drop deletes topics, so that one run's data is not on the next one's disk.
func (c *cluster) drop(ctx context.Context, names ...string) error {
	res, err := c.conn.Client().DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: names})
	if err != nil {
		return fmt.Errorf("delete topics %v: %w", names, err)
	}
	for _, name := range names {
		if err := res.Errors[name]; err != nil {
			return fmt.Errorf("delete topic %s: %w", name, err)
		}
	}
	return nil
}
