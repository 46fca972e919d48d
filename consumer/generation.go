package consumer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"
)

// generation works for one generation of the consumer group, in which the member has
// the partitions parts. Nothing of it outlives run, so that no record of one generation
// can get into a batch of a later one.
type generation struct {
	c      *Consumer
	log    *slog.Logger
	parts  []TopicPartition
	budget *semaphore.Weighted
	// unpacking is held by the reader that unpacks a page.
	unpacking *semaphore.Weighted
	jobs      chan *chunk // to the decoders
	queue     chan *chunk // to deliver; the chunks of one partition in its order
	commit    *committer
}

// queueLength bounds chunks, mostly of small records; bytes are bounded by the
// budget.
const queueLength = 64

func newGeneration(c *Consumer, log *slog.Logger, parts []TopicPartition, commit *committer) *generation {
	return &generation{
		c: c, log: log, parts: parts, commit: commit,
		budget: semaphore.NewWeighted(c.cfg.InFlightBytes), unpacking: semaphore.NewWeighted(1),
		jobs:  make(chan *chunk, queueLength),
		queue: make(chan *chunk, queueLength),
	}
}

// run works until ctx ends, or until going on would be wrong (an error). When
// it returns, everything that it started has ended, an Apply included (only a
// commit to the group that hangs is left behind).
func (g *generation) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for range g.c.cfg.Decoders {
		group.Go(func() error { g.decode(ctx); return nil })
	}
	for _, tp := range g.parts {
		group.Go(func() error { return g.read(ctx, tp) })
	}
	group.Go(func() error { return g.deliver(ctx) })
	defer g.commit.start()()
	return group.Wait()
}

// deliver makes batches of what is in the queue and applies them. It never
// waits for a batch to fill: an Apply in progress is what fills the next one.
func (g *generation) deliver(ctx context.Context) error {
	var head *chunk // the chunk that goes next
	var at int      // the first of head's items that is in no batch yet
	for {
		if head == nil {
			select {
			case <-ctx.Done():
				return nil
			case head = <-g.queue:
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-head.done:
		}
		b, weight := &Batch{}, int64(0)
		next := make(map[TopicPartition]reached, len(g.parts))
		for head != nil {
			at, weight = g.fill(b, head, at, weight)
			if at < len(head.items) {
				if at > 0 {
					next[head.tp] = reached{head.topic, head.items[at-1].Offset + 1}
				}
				break
			}
			next[head.tp] = reached{head.topic, head.next}
			head, at = g.ready(), 0
			if head != nil && !closed(head.done) {
				break
			}
		}
		if ctx.Err() != nil {
			return nil
		}
		if err := g.apply(ctx, b, next); err != nil {
			return err
		}
		g.budget.Release(weight)
	}
}

// fill moves items of ch from at on into the batch, as far as there is room.
func (g *generation) fill(b *Batch, ch *chunk, at int, weight int64) (int, int64) {
	for at < len(ch.items) && len(b.Items) < g.c.cfg.BatchRecords && b.Bytes < g.c.cfg.BatchBytes {
		item := ch.items[at]
		b.Items = append(b.Items, item)
		b.Bytes += item.size()
		weight += g.weigh(&item.Record)
		at++
	}
	return at, weight
}

// ready is the next chunk if there is one now.
func (g *generation) ready() *chunk {
	select {
	case ch := <-g.queue:
		return ch
	default:
		return nil
	}
}

func closed(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// reached is how far a batch takes a partition.
type reached struct {
	topic topicID
	next  int64
}

// offsets are those to be stored with a batch's items.
func offsets(items []Item, next map[TopicPartition]reached) (out []Offset) {
	last := make(map[TopicPartition]*Record, len(next))
	for i := range items {
		r := &items[i].Record
		last[TopicPartition{r.Topic, r.Partition}] = r
	}
	for tp, r := range last {
		out = append(out, Offset{Topic: tp.Topic, Partition: tp.Partition, Next: next[tp].next, Log: markOf(next[tp].topic, r).encode()})
	}
	slices.SortFunc(out, func(a, b Offset) int {
		return compare(TopicPartition{a.Topic, a.Partition}, TopicPartition{b.Topic, b.Partition})
	})
	return out
}

func (g *generation) apply(ctx context.Context, b *Batch, next map[TopicPartition]reached) error {
	b.Next = offsets(b.Items, next)
	// Without items (the end of a transaction, a compacted stretch) there is
	// nothing to store: the next batch tells the offset.
	if len(b.Items) > 0 {
		if err := g.c.sink.Apply(ctx, b); err != nil {
			if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
				return nil // dropped, as Sink allows
			}
			return fmt.Errorf("consumer: apply %d records: %w", len(b.Items), err)
		}
		g.c.metrics.batchRecords.Observe(float64(len(b.Items)))
		g.c.metrics.batchBytes.Observe(float64(b.Bytes))
		g.commit.note(b.Next)
	}
	for tp, r := range next {
		g.c.progress.durable(tp, r.next)
	}
	return nil
}
