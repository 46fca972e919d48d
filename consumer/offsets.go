package consumer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/segmentio/kafka-go"
)

// bounds asks for the offsets between which a partition can be read.
//
// The end is that of all records, also of those behind somebody's open transaction: they are acknowledged, and can be read
// once the transaction ends, which Kafka sees to by its time limit.
func bounds(ctx context.Context, client *kafka.Client, tp TopicPartition) (first, end int64, err error) {
	res, err := client.ListOffsets(ctx, &kafka.ListOffsetsRequest{
		Topics:         map[string][]kafka.OffsetRequest{tp.Topic: {kafka.FirstOffsetOf(tp.Partition), kafka.LastOffsetOf(tp.Partition)}},
		IsolationLevel: kafka.ReadUncommitted,
	})
	if err != nil {
		return 0, 0, fmt.Errorf("offsets of %v: %w", tp, err)
	}
	for _, p := range res.Topics[tp.Topic] {
		if p.Partition != tp.Partition {
			continue
		}
		if p.Error != nil {
			return 0, 0, fmt.Errorf("offsets of %v: %w", tp, p.Error)
		}
		return p.FirstOffset, p.LastOffset, nil
	}
	return 0, 0, fmt.Errorf("offsets of %v: not in the answer", tp)
}

// backoff doubles from first to limit.
type backoff struct {
	first, limit, next time.Duration
}

func (b *backoff) reset() { b.next = 0 }

// wait is false when ctx ended first.
func (b *backoff) wait(ctx context.Context) bool {
	b.next = min(max(2*b.next, b.first), b.limit)
	t := time.NewTimer(b.next)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// endChecks is how often the log's end is asked for before a stored offset
// behind it is taken seriously: a new leader may not know its end at once.
const endChecks = 5

// place is where a partition is read: the next offset, and what tells its log from another.
type place struct {
	next int64
	log  logMark
}

// place is the one that the Sink has stored.
func (g *generation) place(tp TopicPartition) (place, bool, error) {
	o, stored, err := g.c.sink.StoredOffset(tp.Topic, tp.Partition)
	if err != nil {
		return place{}, false, err
	}
	log, err := decodeLogMark(o.Log)
	return place{o.Next, log}, stored, err
}

// locate finds where to read a partition: at want, where the log has been cut
// off at its beginning, or, when nothing is stored, at its earliest record.
// It repeats what fails until ctx ends. Fatal, an ErrOtherLog, is another log than that of want, see logMark, and an offset behind the
// log's end.
func (g *generation) locate(ctx context.Context, tp TopicPartition, want place, stored bool) (at place, end int64, err error) {
	again := backoff{first: g.c.cfg.Retry, limit: maxRetry}
	for tries, beyond := 0, 0; ; tries++ {
		id, first, last, err := g.look(ctx, tp)
		at := place{want.next, logMark{id, want.log.last, want.log.sum}}
		switch {
		case err == nil && !stored:
			return place{first, logMark{topic: id, last: -1}}, last, nil
		case err == nil:
			err = want.log.sameTopic(tp, id)
		}
		switch {
		case err != nil:
		case want.next < first:
			g.log.Error("records were deleted from the topic before they were read",
				"topic", tp.Topic, "partition", tp.Partition, "lost", first-want.next, "from", want.next, "to", first)
			g.c.metrics.lost.Add(float64(first - want.next))
			at.next = first
			return at, last, nil
		case want.next <= last:
			if err = g.sameRecord(ctx, tp, want.log, first); err == nil {
				return at, last, nil
			}
		default:
			if beyond++; beyond >= endChecks {
				return place{}, 0, fmt.Errorf("consumer: %w: it was left at offset %d of %v, but the topic ends at %d: "+
					"this is the state of another cluster, or the topic was made anew", ErrOtherLog, want.next, tp, last)
			}
		}
		if errors.Is(err, ErrOtherLog) {
			return place{}, 0, err
		}
		if err != nil && ctx.Err() == nil {
			level := slog.LevelWarn
			if tries > 0 {
				level = slog.LevelDebug
			}
			g.log.Log(ctx, level, "can't ask what the log is, trying again until it works", "topic", tp.Topic, "partition", tp.Partition, "error", err)
		}
		if !again.wait(ctx) {
			return place{}, 0, ctx.Err()
		}
	}
}

// look asks what the log of a partition is, and where it begins and ends. The id comes last: see idRequest.
func (g *generation) look(ctx context.Context, tp TopicPartition) (id topicID, first, end int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, g.c.cfg.RequestTimeout)
	defer cancel()
	if first, end, err = bounds(ctx, g.c.client, tp); err == nil {
		id, err = g.c.fetcher.topicID(ctx, tp, true)
	}
	return id, first, end, err
}

// Probe asks the brokers where the assigned partitions end now, so that Lag
// and CaughtUp count every record that was acknowledged before the call.
func (c *Consumer) Probe(ctx context.Context) error {
	parts, _ := c.progress.assigned()
	for _, tp := range parts {
		_, end, err := bounds(ctx, c.client, tp)
		if err != nil {
			return fmt.Errorf("consumer: %w", err)
		}
		c.progress.grow(tp, end)
	}
	return nil
}
