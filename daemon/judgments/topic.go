package judgments

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"

	"kilim/consumer/kafkaconn"
)

// Write has a judgment hold, and returns when the Log that runs has read it back: List tells it then.
func (l *Log) Write(ctx context.Context, j *Judgment) error {
	partition, offset, err := l.Send(ctx, j)
	if err != nil {
		return err
	}
	return l.until(ctx, partition, offset+1)
}

// Undo takes back what was said of a pair in a theme, or in general, and returns as Write does.
func (l *Log) Undo(ctx context.Context, a, b, theme string) error {
	partition, offset, err := l.SendUndo(ctx, a, b, theme)
	if err != nil {
		return err
	}
	return l.until(ctx, partition, offset+1)
}

// Send is Write without a Log that runs: it returns, with the place of the record, when all in-sync replicas have it.
func (l *Log) Send(ctx context.Context, j *Judgment) (partition int, offset int64, err error) {
	own := *j
	if err := own.Check(); err != nil {
		return 0, 0, err
	}
	value, err := own.value()
	if err != nil {
		return 0, 0, fmt.Errorf("judgments: %w", err)
	}
	return l.produce(ctx, own.Key(), value)
}

// SendUndo is Undo without a Log that runs.
func (l *Log) SendUndo(ctx context.Context, a, b, theme string) (partition int, offset int64, err error) {
	if err := checkPair(&a, &b, theme); err != nil {
		return 0, 0, err
	}
	return l.produce(ctx, keyOf(a, b, theme), nil)
}

// produce writes a record; a nil value is a tombstone. For as long as timeout it repeats what fails in a way that may pass: a leader
// that moves, a topic that was just made. To write a judgment twice does no harm.
func (l *Log) produce(ctx context.Context, key string, value []byte) (partition int, offset int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for {
		partition, offset, err = l.tryProduce(ctx, key, value)
		var refusal kafka.Error
		if err == nil || errors.As(err, &refusal) && !refusal.Temporary() || !sleep(ctx, againAfter) {
			break
		}
	}
	if err != nil {
		return 0, 0, fmt.Errorf("judgments: write %q to topic %q: %w", key, l.topic, err)
	}
	return partition, offset, nil
}

func (l *Log) tryProduce(ctx context.Context, key string, value []byte) (partition int, offset int64, err error) {
	partitions, err := l.partitions(ctx)
	if err != nil {
		return 0, 0, err
	}
	// As Java's clients do, so that a pair is always in one partition.
	partition = kafka.Murmur2Balancer{}.Balance(kafka.Message{Key: []byte(key)}, partitions...)
	record := kafka.Record{Key: kafka.NewBytes([]byte(key))}
	if value != nil {
		record.Value = kafka.NewBytes(value)
	}
	res, err := l.client.Produce(ctx, &kafka.ProduceRequest{
		Topic: l.topic, Partition: partition, RequiredAcks: kafka.RequireAll, Records: kafka.NewRecordReader(record),
	})
	if err == nil {
		err = res.Error
	}
	if err != nil {
		return 0, 0, fmt.Errorf("partition %d: %w", partition, err)
	}
	return partition, res.BaseOffset, nil
}

// Export reads what a topic says now, in the order of keys.
func Export(ctx context.Context, conn *kafkaconn.Conn, topic string, log *slog.Logger) ([]Judgment, error) {
	l := New(conn, topic, prometheus.NewRegistry(), log)
	defer l.Close()
	partitions, err := l.partitions(ctx)
	if err != nil {
		return nil, fmt.Errorf("judgments: %w", err)
	}
	for _, p := range partitions {
		_, end, err := l.bounds(ctx, p)
		if err == nil {
			err = l.read(ctx, p, func(next int64) bool { return next >= end })
		}
		if err != nil {
			return nil, fmt.Errorf("judgments: %w", err)
		}
	}
	return l.List(""), nil
}

func (l *Log) partitions(ctx context.Context) ([]int, error) {
	res, err := l.client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{l.topic}})
	if err != nil {
		return nil, fmt.Errorf("partitions of topic %q: %w", l.topic, err)
	}
	var out []int
	for _, t := range res.Topics {
		if t.Name == l.topic && t.Error != nil {
			return nil, fmt.Errorf("partitions of topic %q: %w", l.topic, t.Error)
		}
		if t.Name != l.topic {
			continue
		}
		for _, p := range t.Partitions {
			out = append(out, p.ID)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("topic %q: %w", l.topic, kafka.UnknownTopicOrPartition)
	}
	slices.Sort(out)
	return out, nil
}

// bounds are where a partition begins and ends.
func (l *Log) bounds(ctx context.Context, partition int) (first, end int64, err error) {
	res, err := l.client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{
		l.topic: {kafka.FirstOffsetOf(partition), kafka.LastOffsetOf(partition)},
	}})
	if err != nil {
		return 0, 0, fmt.Errorf("offsets of topic %q, partition %d: %w", l.topic, partition, err)
	}
	for _, p := range res.Topics[l.topic] {
		if p.Partition == partition {
			if p.Error != nil {
				return 0, 0, fmt.Errorf("offsets of topic %q, partition %d: %w", l.topic, partition, p.Error)
			}
			return p.FirstOffset, p.LastOffset, nil
		}
	}
	return 0, 0, fmt.Errorf("offsets of topic %q, partition %d: the answer has none", l.topic, partition)
}
