package queries

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"kilim/rerank"
)

const (
	// mostNoted bounds the changed artifacts that are remembered: if more change between two rounds, the cause of what is told next is not known in full.
	mostNoted = 1 << 16
	// mostCauses bounds those that an update names.
	mostCauses = 100
)

// Changed is an artifact whose record came, and when that was written.
type Changed struct {
	ID       string
	Recorded time.Time
}

// notes are the artifacts that records have changed, for the cause of updates.
type notes struct {
	mu sync.Mutex
	// now numbers what is noted.
	now uint64
	at  map[string]note
}

type note struct {
	number   uint64
	recorded time.Time
	// applying counts the batches at work that change it: it may be in an answer already.
	applying int
}

// begin notes artifacts that a batch is about to change; end says that it has.
func (n *notes) begin(some []Changed) (end func()) {
	n.each(some, func(was note, c *Changed) note { return note{was.number, c.Recorded, was.applying + 1} })
	return func() {
		n.each(some, func(was note, c *Changed) note { return note{n.now, c.Recorded, max(was.applying-1, 0)} })
	}
}

func (n *notes) each(some []Changed, fn func(was note, c *Changed) note) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.now++
	if n.at == nil || len(n.at)+len(some) > mostNoted {
		n.at = map[string]note{}
	}
	for i := range some {
		n.at[some[i].ID] = fn(n.at[some[i].ID], &some[i])
	}
}

// mark is the number of what is noted until now.
func (n *notes) mark() uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.now
}

// forget drops what was noted up to a mark.
func (n *notes) forget(mark uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	maps.DeleteFunc(n.at, func(_ string, o note) bool { return o.number <= mark && o.applying == 0 })
}

// cause are those noted after a mark that are in one of the lists only, or with another score: who only slid down has caused nothing. They are at most mostCauses, those recorded last, by id;
// and when the last was recorded.
func (n *notes) cause(mark uint64, before, after rerank.Lists) (ids []string, recorded time.Time) {
	differ := map[string]struct{}{}
	count := func(a, b rerank.Lists) {
		for _, l := range a {
			for _, e := range l.Entries {
				if !slices.ContainsFunc(b.Get(l.Name), func(o rerank.Entry) bool { return o.ID == e.ID && o.Score == e.Score }) {
					differ[e.ID] = struct{}{}
				}
			}
		}
	}
	count(before, after)
	count(after, before)
	n.mu.Lock()
	defer n.mu.Unlock()
	maps.DeleteFunc(differ, func(id string, _ struct{}) bool {
		o, ok := n.at[id]
		return !ok || o.number <= mark && o.applying == 0
	})
	ids = slices.SortedFunc(maps.Keys(differ), func(a, b string) int {
		if c := n.at[b].recorded.Compare(n.at[a].recorded); c != 0 {
			return c
		}
		return strings.Compare(a, b)
	})
	ids = ids[:min(len(ids), mostCauses)]
	if len(ids) > 0 {
		recorded = n.at[ids[0]].recorded
	}
	slices.Sort(ids)
	return ids, recorded
}
