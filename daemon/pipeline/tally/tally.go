// Package tally counts for a person what became of records: Records are shared by all engines of a process, are told of the records of
// each batch that is durable (Outcome), and give Counts, with the last refusal and the names of fields that were not understood. The
// package does not know what is done with a record.
package tally

import (
	"log/slog"
	"maps"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"kilim/consumer"
	"kilim/consumer/profile"
)

// Refused is a record that went to the dead letters.
type Refused struct {
	Topic     string
	Partition int
	Offset    int64
	ID        string // empty where not even that could be read
	Reason    string
	Detail    string
	Time      time.Time // the record's
}

// Outcome is a record whose effects are durable; Refusal is nil for one that was not refused.
type Outcome struct {
	Item    *consumer.Item
	Refusal *profile.Refusal
}

// Counts are of the records whose effects are durable, since the process began.
type Counts struct {
	Consumed, Refused int64
	LastRefused       *Refused // nil: none was
	// Unread counts, by name, the records with a field that was not understood, see profile.Artifact; they were applied.
	Unread map[string]int64
}

// Records are Counts on their way. A state that takes over goes on counting.
type Records struct {
	mu     sync.Mutex
	counts Counts
	told   rate.Sometimes
}

// unreadNames bounds the names in Counts.Unread: a feed may have any number of them.
const unreadNames = 64

// toldEvery is the shortest time between two lines of the log about refused records: a feed may consist of them.
const toldEvery = 10 * time.Second

// New returns Records of nothing yet.
func New() *Records {
	return &Records{counts: Counts{Unread: map[string]int64{}}, told: rate.Sometimes{First: 1, Interval: toldEvery}}
}

// Applied counts the n records of a batch that is durable, and has the log say that some were refused.
func (r *Records) Applied(n int, outcome func(i int) Outcome, log *slog.Logger) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts.Consumed += int64(n)
	var last *Refused
	for i := range n {
		o := outcome(i)
		if f := o.Refusal; f != nil {
			r.counts.Refused++
			last = &Refused{o.Item.Topic, o.Item.Partition, o.Item.Offset, o.Item.ID, f.Reason, f.Error(), o.Item.Time}
			continue
		}
		if o.Item.Artifact == nil {
			continue
		}
		for _, name := range o.Item.Artifact.Unread {
			if _, known := r.counts.Unread[name]; known || len(r.counts.Unread) < unreadNames {
				r.counts.Unread[name]++
			}
		}
	}
	if last == nil {
		return
	}
	r.counts.LastRefused = last
	r.told.Do(func() {
		log.Warn("records are refused; kilim rejected shows them, and this line comes at most every 10 s",
			"refused", r.counts.Refused, "last", last.ID, "topic", last.Topic, "partition", last.Partition, "offset", last.Offset, "reason", last.Detail)
	})
}

// Now is a copy of the Counts.
func (r *Records) Now() Counts {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.counts
	out.Unread = maps.Clone(out.Unread)
	return out
}
