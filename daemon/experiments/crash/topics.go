package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"github.com/segmentio/kafka-go"

	"kilim/consumer/broker"
)

// The topics, with their default names.
const (
	topicArtifacts = "kilim.artifacts"
	topicSimilar   = "kilim.similar"
	topicCultures  = "kilim.cultures"
	topicDead      = "kilim.artifacts.dlq"
)

// withBroker opens the instance's broker in this process; no daemon may run.
func (i *instance) withBroker(do func(addr string) error) error {
	b, err := broker.Start("127.0.0.1:0", filepath.Join(i.Data, "broker"), nil)
	if err != nil {
		return err
	}
	return errors.Join(do(b.Addr()), b.Close())
}

// createTopics makes the topics before the daemon does: without compaction, which
// would hide what was published twice.
func (i *instance) createTopics(ctx context.Context) error {
	return i.withBroker(func(addr string) error {
		client := &kafka.Client{Addr: kafka.TCP(addr), Timeout: 10 * time.Second}
		req := &kafka.CreateTopicsRequest{}
		names := []string{topicArtifacts, topicSimilar, topicCultures, topicDead}
		for _, theme := range demoThemes {
			names = append(names, themeTopic(theme))
		}
		for _, name := range names {
			req.Topics = append(req.Topics, kafka.TopicConfig{Topic: name, NumPartitions: i.partitions, ReplicationFactor: 1,
				ConfigEntries: []kafka.ConfigEntry{{ConfigName: "cleanup.policy", ConfigValue: "delete"}, {ConfigName: "retention.ms", ConfigValue: "-1"}}})
		}
		res, err := client.CreateTopics(ctx, req)
		if err != nil {
			return fmt.Errorf("creating topics: %w", err)
		}
		for name, err := range res.Errors {
			if err != nil {
				return fmt.Errorf("creating topic %s: %w", name, err)
			}
		}
		return nil
	})
}

// topics is everything in them, by partition and offset; themed is that in all topics of themes.
type topics struct{ artifacts, similar, cultures, dead, themed []kafka.Message }

func (i *instance) readTopics(ctx context.Context) (t topics, err error) {
	err = i.withBroker(func(addr string) error {
		places := map[string]*[]kafka.Message{topicArtifacts: &t.artifacts, topicSimilar: &t.similar, topicCultures: &t.cultures, topicDead: &t.dead}
		for _, theme := range demoThemes {
			places[themeTopic(theme)] = &t.themed
		}
		for name, into := range places {
			for p := range i.partitions {
				messages, err := readPartition(ctx, addr, name, p)
				if err != nil {
					return fmt.Errorf("reading %s/%d: %w", name, p, err)
				}
				*into = append(*into, messages...)
			}
		}
		return nil
	})
	return t, err
}

func readPartition(ctx context.Context, addr, topic string, partition int) ([]kafka.Message, error) {
	conn, err := kafka.DialLeader(ctx, "tcp", addr, topic, partition)
	if err != nil {
		return nil, err
	}
	first, last, err := conn.ReadOffsets()
	if err = errors.Join(err, conn.Close()); err != nil || first == last {
		return nil, err
	}
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{addr}, Topic: topic, Partition: partition, MaxBytes: 16 << 20, MaxWait: 50 * time.Millisecond})
	defer r.Close()
	if err := r.SetOffset(first); err != nil {
		return nil, err
	}
	var all []kafka.Message
	for {
		m, err := r.ReadMessage(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
		if m.Offset >= last-1 {
			return all, nil
		}
	}
}

func header(m *kafka.Message, name string) string {
	for _, h := range m.Headers {
		if h.Key == name {
			return string(h.Value)
		}
	}
	return ""
}

// number reads a header that must hold one.
func number(m *kafka.Message, name string) (int, error) {
	n, err := strconv.Atoi(header(m, name))
	if err != nil {
		return 0, fmt.Errorf("%s/%d offset %d: header %s: %w", m.Topic, m.Partition, m.Offset, name, err)
	}
	return n, nil
}
