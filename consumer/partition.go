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
	at, stored, err := g.place(tp)
	if err != nil {
		return fmt.Errorf("consumer: stored offset of %v: %w", tp, err)
	}
	at, end, err := g.locate(ctx, tp, at, stored)
	if err != nil {
		return unlessEnded(ctx, err)
	}
	g.c.progress.start(tp, at.next, end)
	g.log.Info("reading partition", "topic", tp.Topic, "partition", tp.Partition, "from", at.next, "end", end, "stored", stored, "topic_id", at.log.topic)

	again := backoff{first: g.c.cfg.Retry, limit: maxRetry}
	failing := false
	for {
		waiting := at.next >= g.c.progress.end(tp)
		start := time.Now()
		pg, err := g.fetch(ctx, tp, at)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, ErrOtherLog) && stored:
			return err
		case err != nil:
			outOfRange := errors.Is(err, kafka.OffsetOutOfRange)
			if !failing && !outOfRange {
				g.log.Warn("can't fetch, trying again until it works", "topic", tp.Topic, "partition", tp.Partition, "error", err)
			}
			failing = !outOfRange
			if !again.wait(ctx) {
				return nil
			}
			// Retention may have deleted the records while this member lagged behind, and whatever the failure was, the topic
			// may have been made anew meanwhile: locate tells. While nothing was read, that is no fault.
			if at, _, err = g.locate(ctx, tp, at, stored); err != nil {
				return unlessEnded(ctx, err)
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
		if pg.next > at.next {
			last, ok := g.enqueue(ctx, at.log.topic, &pg)
			if !ok {
				return nil
			}
			at.next = pg.next
			if last != nil {
				at.log, stored = markOf(at.log.topic, last), true
			}
		}
	}
}

// fetch asks for what comes next. Records are given only when they are of the log that at is of: a topic that was made anew since
// the last fetch answers like the one before, and would be found out when its records are in the state.
func (g *generation) fetch(ctx context.Context, tp TopicPartition, at place) (page, error) {
	pg, err := g.c.fetcher.fetch(ctx, tp, at.next)
	if err != nil || len(pg.kept) == 0 || at.log.topic == (topicID{}) {
		return pg, err
	}
	id, err := g.c.fetcher.topicID(ctx, tp, false)
	if err != nil {
		return page{}, err
	}
	return pg, at.log.sameTopic(tp, id)
}

// enqueue unpacks a page of a topic and hands it over; it waits for room, and ok is false when ctx ended. last is the last of its
// records, nil when it has none.
//
// One page is unpacked at a time, so that one record and one window of a codec at most are in memory beside what is taken
// from the budget, whatever the number of partitions. Who unpacks may wait for the budget meanwhile: what holds that is
// in the queue already, and waits for nobody here.
func (g *generation) enqueue(ctx context.Context, topic topicID, pg *page) (last *Record, ok bool) {
	if g.unpacking.Acquire(ctx, 1) != nil {
		return nil, false
	}
	defer g.unpacking.Release(1)
	for ch := range g.cut(pg) {
		ch.topic = topic
		if n := len(ch.items); n > 0 {
			r := ch.items[n-1].Record // a copy, since decode writes the items
			last = &r
		}
		if g.budget.Acquire(ctx, ch.weight) != nil {
			return nil, false
		}
		// First the decoders, then the queue: what is in the queue is being
		// decoded, so that waiting for its head ends.
		select {
		case <-ctx.Done():
			return nil, false
		case g.jobs <- ch:
		}
		select {
		case <-ctx.Done():
			return nil, false
		case g.queue <- ch:
		}
	}
	return last, true
}

// unlessEnded drops an error that is only the end of ctx.
func unlessEnded(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
