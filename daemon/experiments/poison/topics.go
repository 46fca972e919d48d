package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/segmentio/kafka-go"
)

// topics are the names of a run's topics. On a real Kafka each run has its own.
type topics struct{ artifacts, similar, dead string }

func newTopics(o *options) topics {
	prefix := "kilim"
	if o.kafka != "" {
		prefix = fmt.Sprintf("poison-%d-%d", o.Seed, time.Now().UnixNano())
	}
	return topics{prefix + ".artifacts", prefix + ".similar", prefix + ".artifacts.dlq"}
}

// flags give the daemon the topics and a group of the same prefix.
func (t topics) flags(o *options) []string {
	return []string{
		"--kafka.topics.artifacts", t.artifacts, "--kafka.topics.similar", t.similar, "--kafka.topics.dead-letters", t.dead,
		"--kafka.group", t.artifacts, "--kafka.partitions", strconv.Itoa(o.partitions),
	}
}

// eachDead calls fn with each dead letter.
func (t topics) eachDead(ctx context.Context, addr string, partitions int, fn func(*kafka.Message) error) error {
	for p := range partitions {
		if err := readPartition(ctx, addr, t.dead, p, fn); err != nil {
			return fmt.Errorf("reading %s/%d: %w", t.dead, p, err)
		}
	}
	return nil
}

func readPartition(ctx context.Context, addr, topic string, partition int, fn func(*kafka.Message) error) error {
	conn, err := kafka.DialLeader(ctx, "tcp", addr, topic, partition)
	if err != nil {
		return err
	}
	first, last, err := conn.ReadOffsets()
	if err = errors.Join(err, conn.Close()); err != nil || first == last {
		return err
	}
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{addr}, Topic: topic, Partition: partition, MaxBytes: 32 << 20, QueueCapacity: 1, MaxWait: 50 * time.Millisecond})
	defer r.Close()
	if err := r.SetOffset(first); err != nil {
		return err
	}
	for {
		m, err := r.ReadMessage(ctx)
		if err != nil {
			return err
		}
		if err := fn(&m); err != nil {
			return err
		}
		if m.Offset >= last-1 {
			return nil
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
