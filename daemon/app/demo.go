package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"

	"kilim/daemon/demo"
)

// feedDemo feeds the demo archive into the topic, at the configured pace. What the topic
// holds already is not fed again: the demo goes on where it was.
func (a *App) feedDemo(ctx context.Context) error {
	settings := a.cfg.Demo
	opt := demo.Options{Artifacts: settings.Artifacts, Seed: uint64(settings.Seed), Media: true}
	topic := a.cfg.Kafka.Topics.Artifacts
	have, err := a.records(ctx, topic)
	if err != nil {
		return err
	}
	w := &kafka.Writer{
		Addr: kafka.TCP(a.conn.Brokers()...), Topic: topic,
		// As `kilim feed` and Java's clients do, so that an artifact is always in one partition.
		Balancer:     kafka.Murmur2Balancer{},
		RequiredAcks: kafka.RequireAll, BatchTimeout: time.Millisecond, Transport: a.conn.Transport(),
	}
	tick := time.NewTicker(time.Duration(float64(time.Second) / settings.Rate))
	defer tick.Stop()
	n := int64(0)
	err = demo.Each(opt, func(record []byte, id string) error {
		if n++; n <= have {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		return w.WriteMessages(ctx, kafka.Message{Key: []byte(id), Value: record})
	})
	err = errors.Join(err, w.Close())
	if err == nil {
		a.log.Info("the demo archive is in the topic", "topic", topic, "artifacts", n)
	}
	return err
}

// records is how many records a topic has ever got.
func (a *App) records(ctx context.Context, topic string) (int64, error) {
	client := a.conn.Client()
	meta, err := client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{topic}})
	if err != nil {
		return 0, fmt.Errorf("partitions of %s: %w", topic, err)
	}
	req := &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{}}
	for _, t := range meta.Topics {
		if t.Error != nil {
			return 0, fmt.Errorf("partitions of %s: %w", topic, t.Error)
		}
		for _, p := range t.Partitions {
			req.Topics[topic] = append(req.Topics[topic], kafka.LastOffsetOf(p.ID))
		}
	}
	res, err := client.ListOffsets(ctx, req)
	if err != nil {
		return 0, fmt.Errorf("ends of %s: %w", topic, err)
	}
	var n int64
	for _, p := range res.Topics[topic] {
		if p.Error != nil {
			return 0, fmt.Errorf("end of %s/%d: %w", topic, p.Partition, p.Error)
		}
		n += p.LastOffset
	}
	return n, nil
}
