package pipeline

import (
	"log/slog"
	"maps"
	"sync"
	"time"

	"golang.org/x/time/rate"
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

// RecordCounts count the records whose effects are durable, since the process began.
type RecordCounts struct {
	Consumed, Refused int64
	LastRefused       *Refused // nil: none was
	// Unread counts, by name, the records with a field that was not understood, see profile.Artifact; they were applied.
	Unread map[string]int64
}

// records are RecordCounts on their way. All engines of a process share them: a state that takes over goes on counting.
type records struct {
	mu     sync.Mutex
	counts RecordCounts
	told   rate.Sometimes
}

// unreadNames bounds the names in RecordCounts.Unread: a feed may have any number of them.
const unreadNames = 64

// toldEvery is the shortest time between two lines of the log about refused records: a feed may consist of them.
const toldEvery = 10 * time.Second

func newRecords() *records {
	return &records{counts: RecordCounts{Unread: map[string]int64{}}, told: rate.Sometimes{First: 1, Interval: toldEvery}}
}

// applied counts the records of a batch that is durable, and has the log say that some were refused.
func (r *records) applied(ops []operation, log *slog.Logger) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts.Consumed += int64(len(ops))
	var last *Refused
	for i := range ops {
		op := &ops[i]
		if f := op.refusal; f != nil {
			r.counts.Refused++
			last = &Refused{op.item.Topic, op.item.Partition, op.item.Offset, op.item.ID, f.Reason, f.Error(), op.item.Time}
			continue
		}
		if op.item.Artifact == nil {
			continue
		}
		for _, name := range op.item.Artifact.Unread {
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

// now is a copy.
func (r *records) now() RecordCounts {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.counts
	out.Unread = maps.Clone(out.Unread)
	return out
}
