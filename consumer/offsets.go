package consumer

import (
	"context"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
)

// bounds asks for the offsets between which a partition can be read.
func bounds(ctx context.Context, client *kafka.Client, tp TopicPartition, level kafka.IsolationLevel) (first, end int64, err error) {
	res, err := client.ListOffsets(ctx, &kafka.ListOffsetsRequest{
		Topics:         map[string][]kafka.OffsetRequest{tp.Topic: {kafka.FirstOffsetOf(tp.Partition), kafka.LastOffsetOf(tp.Partition)}},
		IsolationLevel: level,
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

// locate finds where to read a partition: at want, where the log has been cut
// off at its beginning, or, when nothing is stored, at its earliest record.
// It repeats what fails until ctx ends. An offset behind the log's end is a
// fatal error: the Sink's state was made from another log.
func (g *generation) locate(ctx context.Context, tp TopicPartition, want int64, stored bool) (next, end int64, err error) {
	again := backoff{first: g.c.cfg.Retry, limit: maxRetry}
	beyond := 0
	for {
		reqCtx, cancel := context.WithTimeout(ctx, g.c.cfg.RequestTimeout)
		first, last, err := bounds(reqCtx, g.c.client, tp, kafka.ReadUncommitted)
		cancel()
		switch {
		case err != nil:
			if ctx.Err() == nil {
				g.log.Warn("can't ask for offsets, trying again", "topic", tp.Topic, "partition", tp.Partition, "error", err)
			}
		case !stored:
			return first, last, nil
		case want < first:
			g.log.Error("records were deleted from the topic before they were read",
				"topic", tp.Topic, "partition", tp.Partition, "lost", first-want, "from", want, "to", first)
			g.c.metrics.lost.Add(float64(first - want))
			return first, last, nil
		case want <= last:
			return want, last, nil
		default:
			if beyond++; beyond >= endChecks {
				return 0, 0, fmt.Errorf("consumer: the state was left at offset %d of %v, but the topic ends at %d: "+
					"this is the state of another cluster, or the topic was made anew", want, tp, last)
			}
		}
		if !again.wait(ctx) {
			return 0, 0, ctx.Err()
		}
	}
}

// Probe asks the brokers where the assigned partitions end now, so that Lag
// and CaughtUp count every record that was acknowledged before the call.
func (c *Consumer) Probe(ctx context.Context) error {
	parts, _ := c.progress.assigned()
	for _, tp := range parts {
		_, end, err := bounds(ctx, c.client, tp, kafka.ReadCommitted)
		if err != nil {
			return fmt.Errorf("consumer: %w", err)
		}
		c.progress.grow(tp, end)
	}
	return nil
}
