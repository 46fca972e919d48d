package compacted

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/segmentio/kafka-go"

	"kilim/internal/pause"
)

// Write writes a record, and returns when the Log that runs has read it back: the Set has it then, unless it refuses it.
func (l *Log) Write(ctx context.Context, key string, value []byte) error {
	partition, offset, err := l.Send(ctx, key, value)
	if err != nil {
		return err
	}
	return l.until(ctx, partition, offset+1)
}

// Send writes a record without a Log that runs, and returns with its place when all in-sync replicas have it; a nil value is a tombstone. For as long as
// timeout it repeats what fails in a way that may pass: a leader that moves, a topic that was just made. To write a record of a compacted topic twice does no harm.
func (l *Log) Send(ctx context.Context, key string, value []byte) (partition int, offset int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for {
		partition, offset, err = l.tryProduce(ctx, key, value)
		var refusal kafka.Error
		if err == nil || errors.As(err, &refusal) && !refusal.Temporary() || !pause.For(ctx, againAfter) {
			break
		}
	}
	if err != nil {
		return 0, 0, fmt.Errorf("%s: write %q to topic %q: %w", l.cfg.What, key, l.cfg.Topic, err)
	}
	return partition, offset, nil
}

func (l *Log) tryProduce(ctx context.Context, key string, value []byte) (partition int, offset int64, err error) {
	partitions, err := l.partitions(ctx)
	if err != nil {
		return 0, 0, err
	}
	// As Java's clients do, so that a key is always in one partition.
	partition = kafka.Murmur2Balancer{}.Balance(kafka.Message{Key: []byte(key)}, partitions...)
	record := kafka.Record{Key: kafka.NewBytes([]byte(key))}
	if value != nil {
		record.Value = kafka.NewBytes(value)
	}
	res, err := l.client.Produce(ctx, &kafka.ProduceRequest{
		Topic: l.cfg.Topic, Partition: partition, RequiredAcks: kafka.RequireAll, Records: kafka.NewRecordReader(record),
	})
	if err == nil {
		err = res.Error
	}
	if err != nil {
		return 0, 0, fmt.Errorf("partition %d: %w", partition, err)
	}
	return partition, res.BaseOffset, nil
}

func (l *Log) partitions(ctx context.Context) ([]int, error) {
	res, err := l.client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{l.cfg.Topic}})
	if err != nil {
		return nil, fmt.Errorf("partitions of topic %q: %w", l.cfg.Topic, err)
	}
	var out []int
	for _, t := range res.Topics {
		if t.Name == l.cfg.Topic && t.Error != nil {
			return nil, fmt.Errorf("partitions of topic %q: %w", l.cfg.Topic, t.Error)
		}
		if t.Name != l.cfg.Topic {
			continue
		}
		for _, p := range t.Partitions {
			out = append(out, p.ID)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("topic %q: %w", l.cfg.Topic, kafka.UnknownTopicOrPartition)
	}
	slices.Sort(out)
	return out, nil
}

// bounds are where a partition begins and ends.
func (l *Log) bounds(ctx context.Context, partition int) (first, end int64, err error) {
	res, err := l.client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{
		l.cfg.Topic: {kafka.FirstOffsetOf(partition), kafka.LastOffsetOf(partition)},
	}})
	if err != nil {
		return 0, 0, fmt.Errorf("offsets of topic %q, partition %d: %w", l.cfg.Topic, partition, err)
	}
	for _, p := range res.Topics[l.cfg.Topic] {
		if p.Partition == partition {
			if p.Error != nil {
				return 0, 0, fmt.Errorf("offsets of topic %q, partition %d: %w", l.cfg.Topic, partition, p.Error)
			}
			return p.FirstOffset, p.LastOffset, nil
		}
	}
	return 0, 0, fmt.Errorf("offsets of topic %q, partition %d: the answer has none", l.cfg.Topic, partition)
}
