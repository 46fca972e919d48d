package consumer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
)

// maxRetry is the longest pause before a failed request is repeated.
const maxRetry = 2 * time.Second

// read brings the records of one partition into the queue, in order, until ctx
// ends. It returns an error only when going on would be wrong.
func (g *generation) read(ctx context.Context, tp TopicPartition) error {
	next, stored, err := g.c.sink.StoredOffset(tp.Topic, tp.Partition)
	if err != nil {
		return fmt.Errorf("consumer: stored offset of %v: %w", tp, err)
	}
	next, end, err := g.locate(ctx, tp, next, stored)
	if err != nil {
		return unlessEnded(ctx, err)
	}
	g.c.progress.start(tp, next, end)
	g.log.Info("reading partition", "topic", tp.Topic, "partition", tp.Partition, "from", next, "end", end, "stored", stored)

	again := backoff{first: g.c.cfg.Retry, limit: maxRetry}
	failing := false
	for {
		waiting := next >= g.c.progress.end(tp)
		start := time.Now()
		pg, err := g.c.fetcher.fetch(ctx, tp, next)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, kafka.OffsetOutOfRange):
			// Either retention deleted the records while this member lagged behind,
			// or the offset is of another log: locate tells one from the other.
			if next, _, err = g.locate(ctx, tp, next, true); err != nil {
				return unlessEnded(ctx, err)
			}
			if !again.wait(ctx) {
				return nil
			}
			continue
		case err != nil:
			if !failing {
				g.log.Warn("can't fetch, trying again until it works", "topic", tp.Topic, "partition", tp.Partition, "error", err)
			}
			failing = true
			if !again.wait(ctx) {
				return nil
			}
			continue
		}
		if failing {
			g.log.Info("fetching again", "topic", tp.Topic, "partition", tp.Partition)
		}
		failing = false
		again.reset()
		if len(pg.kept) > 0 && !waiting {
			// The wait for something to be written is not the fetch's cost.
			g.c.cfg.Observe("fetch", time.Since(start))
		}
		g.c.progress.grow(tp, pg.end)
		if pg.next > next {
			if !g.enqueue(ctx, &pg) {
				return nil
			}
			next = pg.next
		}
	}
}

// enqueue unpacks a page and hands it over; it waits for room, and is false when ctx ended.
//
// One page is unpacked at a time, so that one record and one window of a codec at most are in memory beside what is taken
// from the budget, whatever the number of partitions. Who unpacks may wait for the budget meanwhile: what holds that is
// in the queue already, and waits for nobody here.
func (g *generation) enqueue(ctx context.Context, pg *page) bool {
	if g.unpacking.Acquire(ctx, 1) != nil {
		return false
	}
	defer g.unpacking.Release(1)
	for ch := range g.cut(pg) {
		if g.budget.Acquire(ctx, ch.weight) != nil {
			return false
		}
		// First the decoders, then the queue: what is in the queue is being
		// decoded, so that waiting for its head ends.
		select {
		case <-ctx.Done():
			return false
		case g.jobs <- ch:
		}
		select {
		case <-ctx.Done():
			return false
		case g.queue <- ch:
		}
	}
	return true
}

// unlessEnded drops an error that is only the end of ctx.
func unlessEnded(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
