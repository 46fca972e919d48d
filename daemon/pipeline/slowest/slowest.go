// Package slowest keeps the batches whose newcomers' lists came latest, each with what it spent its time on: a quantile tells that some are
// late, and not why. A Log is told of each unit that is durable (Applied) and of each message that Kafka has acknowledged (Published), puts the
// two together by the unit's revision, and gives the slowest Batches of the last hour. It is shared by all engines of a process. The package does not know
// what the stages are.
package slowest

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"
)

const (
	// Most is how many batches are shown.
	Most = 10
	// An hour is so many periods, and of each that many batches are kept: a few that were slow must not leave nothing to show when their time
	// is over, nor for who asks for the time since then.
	period, periods = 10 * time.Second, 360
	// mostOpen bounds the units whose messages have not left the outbox. While so many wait Kafka is down, and what came then is late because
	// of that; the oldest are forgotten.
	mostOpen = 1024
)

// Stage is a part of the way of a batch.
type Stage struct {
	Name string
	Took time.Duration
}

// Batch is a unit that records were applied in.
type Batch struct {
	Revision uint64
	// Came is when the batch was handed over to be applied, Began when it had the turn, and Committed when its unit was durable.
	Came, Began, Committed time.Time
	Records                int
	// Stages are in their order. What is between them, and no stage, is not much.
	Stages []Stage
	// Fresh is the time from the oldest record, by its own time, to the acknowledgement of the last list that a record brought: all of
	// a newcomer's way. Published is when that was.
	Fresh     time.Duration
	Published time.Time
}

// Log may be used by several goroutines. The zero value is empty.
type Log struct {
	mu sync.Mutex
	// open are the batches of which something may still be published, in their order.
	open []*Batch
	// slow are the slowest of the last periods, by the number of the period.
	slow map[int64][]*Batch
}

// periodOf is the number of the period of a time.
func periodOf(t time.Time) int64 { return t.UnixNano() / int64(period) }

// Applied tells of a unit that is durable.
func (l *Log) Applied(b Batch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.open) == mostOpen {
		l.open = append(l.open[:0], l.open[1:]...)
	}
	l.open = append(l.open, &b)
}

// Published tells that the list which a record brought in the unit of this revision was acknowledged at a time.
func (l *Log) Published(revision uint64, recorded, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.IndexFunc(l.open, func(b *Batch) bool { return b.Revision == revision })
	if i < 0 {
		return // of an earlier process, or forgotten
	}
	l.open = append(l.open[:0], l.open[i:]...) // messages leave in the order of their units: those before are through
	b := l.open[0]
	if before := periodOf(b.Published); !b.Published.IsZero() {
		l.slow[before] = slices.DeleteFunc(l.slow[before], func(old *Batch) bool { return old == b })
	}
	now := periodOf(at)
	if l.slow[now] == nil {
		maps.DeleteFunc(l.slow, func(p int64, _ []*Batch) bool { return p <= now-periods })
	}
	if l.slow == nil {
		l.slow = map[int64][]*Batch{}
	}
	b.Published, b.Fresh = at, max(b.Fresh, at.Sub(recorded))
	l.slow[now] = slowest(append(l.slow[now], b))
}

func slowest(all []*Batch) []*Batch {
	slices.SortFunc(all, func(x, y *Batch) int {
		return cmp.Or(cmp.Compare(y.Fresh, x.Fresh), cmp.Compare(x.Revision, y.Revision))
	})
	return all[:min(len(all), Most)]
}

// Batches are the slowest of those published since a time, by its period, and in the last hour before now; the slowest first.
func (l *Log) Batches(since, now time.Time) []Batch {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []*Batch
	for p, slow := range l.slow {
		if p >= periodOf(since) && p > periodOf(now)-periods {
			all = append(all, slow...)
		}
	}
	out := make([]Batch, 0, Most)
	for _, b := range slowest(all) {
		out = append(out, *b)
	}
	return out
}
