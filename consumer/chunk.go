package consumer

import (
	"context"
	"iter"
	"time"

	"kilim/consumer/profile"
)

// chunk is a run of records of one partition on its way to a batch. Its items
// may be read once done is closed.
type chunk struct {
	tp     TopicPartition
	topic  topicID
	items  []Item
	next   int64 // the partition's next offset once all items are durable
	weight int64 // taken from generation.budget, the bytes in flight
	done   chan struct{}
}

const (
	chunkRecords = 32        // small: chunks are decoded in parallel, and deliver waits for the one at the head
	chunkBytes   = 256 << 10 // also the most taken from the budget at once, one large record aside
)

// weigh is what a record takes from the budget. A record larger than the whole budget
// takes all of it, and so is in flight alone.
func (g *generation) weigh(r *Record) int64 { return min(r.size(), g.c.cfg.InFlightBytes) }

// cut splits a page into chunks while it is unpacked: at most one record is ahead of the chunk that it gives. A page without records
// gives one empty chunk, so that deliver hears of the partition's next offset.
func (g *generation) cut(pg *page) iter.Seq[*chunk] {
	return func(yield func(*chunk) bool) {
		limit := min(int64(chunkBytes), g.c.cfg.InFlightBytes)
		last := newChunk(pg.tp)
		for r := range pg.records() {
			w := g.weigh(&r)
			if len(last.items) > 0 && (len(last.items) >= chunkRecords || last.weight+w > limit) {
				if !yield(last) {
					return
				}
				last = newChunk(pg.tp)
			}
			last.items = append(last.items, Item{Record: r})
			last.weight += w
			last.next = r.Offset + 1
		}
		last.next = pg.next
		yield(last)
	}
}

func newChunk(tp TopicPartition) *chunk { return &chunk{tp: tp, done: make(chan struct{})} }

// decode runs on several goroutines; g.jobs gives each chunk to one of them.
func (g *generation) decode(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case ch := <-g.jobs:
			start := time.Now()
			for i := range ch.items {
				ch.items[i] = Decode(ch.items[i].Record, g.c.cfg.Limits)
				if r := ch.items[i].Refusal; r != nil && r.Reason == profile.ReasonPanic {
					g.log.Error("a record made the decoder panic", "topic", ch.tp.Topic, "partition", ch.tp.Partition,
						"offset", ch.items[i].Offset, "panic", r.Detail)
				}
			}
			close(ch.done)
			if len(ch.items) > 0 {
				g.c.cfg.Observe("decode", time.Since(start))
			}
		}
	}
}
