package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/segmentio/kafka-go"

	"kilim/consumer/kafkaconn"
	"kilim/daemon/experiments/daemonproc"
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
	port, err := daemonproc.FreePorts(3)
	if err != nil {
		return nil, err
	}
	c := &cluster{scripts: scripts, dir: dir, addr: daemonproc.Local(port), version: "unknown"}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.stop())
		}
	}()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	start := daemonproc.Command{Path: filepath.Join(scripts, "start.sh"), Args: []string{dir, strconv.Itoa(port)}, Log: filepath.Join(dir, "start.log")}
	if _, err := daemonproc.Run(ctx, start); err != nil {
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
	stop := daemonproc.Command{Path: filepath.Join(c.scripts, "stop.sh"), Args: []string{c.dir}, Log: filepath.Join(c.dir, "stop.log")}
	_, err := daemonproc.Run(context.Background(), stop)
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
