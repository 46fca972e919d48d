package themes

import (
	"context"
	"maps"
	"sync"

	"kilim/consumer"
	"kilim/rerank"
)

// changes are what batches have changed and profiles do not show yet. Nobody holds its lock for longer than a map takes, since batches are
// applied beside.
type changes struct {
	lock sync.Mutex
	// waiting are the artifacts whose profiles are to be renewed, with the record that changed each last.
	waiting map[string]rerank.Cause
	// working are those of them that are being renewed.
	working map[string]struct{}
	// gone are those that the last record deleted, until no profile of theirs is left: meanwhile no list may have them.
	gone  map[string]struct{}
	since since
	wake  chan struct{} // has room for one signal
}

// since is how many changes came since the last survey began: records with labels, and others, which may have had labels before.
type since struct{ labelled, others int }

func newChanges() *changes {
	return &changes{waiting: map[string]rerank.Cause{}, working: map[string]struct{}{}, gone: map[string]struct{}{}, wake: make(chan struct{}, 1)}
}

func (c *changes) note(b *consumer.Batch) {
	c.lock.Lock()
	for i := range b.Items {
		item := &b.Items[i]
		if item.Refusal != nil || item.ID == "" {
			continue
		}
		if item.Artifact != nil && len(item.Artifact.Theme) > 0 {
			c.since.labelled++
		} else {
			c.since.others++
		}
		c.waiting[item.ID] = rerank.Cause{ID: item.ID, Recorded: item.Time, TraceParent: item.TraceParent}
		if item.Artifact == nil {
			c.gone[item.ID] = struct{}{}
		} else {
			delete(c.gone, item.ID)
		}
	}
	c.lock.Unlock()
	c.signal()
}

func (c *changes) signal() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// take gives out artifacts that wait, at most n. They do until renewed or again is told of them.
func (c *changes) take(n int) (changed []rerank.Cause) {
	c.lock.Lock()
	defer c.lock.Unlock()
	for id, cause := range c.waiting {
		if len(changed) == n {
			break
		}
		changed = append(changed, cause)
		c.working[id] = struct{}{}
		delete(c.waiting, id)
	}
	return changed
}

// renewed says that the profiles of artifacts are what a committed state says, but for those that wait again.
func (c *changes) renewed(changed []rerank.Cause) {
	c.lock.Lock()
	defer c.lock.Unlock()
	clear(c.working)
	for _, cause := range changed {
		if _, again := c.waiting[cause.ID]; !again {
			delete(c.gone, cause.ID)
		}
	}
}

// again has artifacts wait that could not be renewed.
func (c *changes) again(changed []rerank.Cause) {
	c.lock.Lock()
	defer c.lock.Unlock()
	clear(c.working)
	for _, cause := range changed {
		if _, later := c.waiting[cause.ID]; !later {
			c.waiting[cause.ID] = cause
		}
	}
}

// waits tells whether an artifact's profile is to be renewed.
func (c *changes) waits(id string) bool {
	c.lock.Lock()
	defer c.lock.Unlock()
	_, waits := c.waiting[id]
	_, works := c.working[id]
	return waits || works
}

// deleted are those of the artifacts that are gone. It copies none where there are none, which is nearly always.
func (c *changes) deleted() map[string]struct{} {
	c.lock.Lock()
	defer c.lock.Unlock()
	if len(c.gone) == 0 {
		return nil
	}
	return maps.Clone(c.gone)
}

// counts are the changes since the last survey, and how many artifacts wait.
func (c *changes) counts() (since since, waiting int) {
	c.lock.Lock()
	defer c.lock.Unlock()
	n := len(c.waiting)
	for id := range c.working {
		if _, again := c.waiting[id]; !again {
			n++
		}
	}
	return c.since, n
}

// surveyed says that a survey begins, which sees what was told before.
func (c *changes) surveyed() {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.since = since{}
}

// Sink is a consumer.Sink that tells the Keeper which artifacts the batches change that another one applies. It stands before the state
// that serves, whichever that is, so that neither a cutover nor an engine that is made anew can make the Keeper miss one.
func (k *Keeper) Sink(to consumer.Sink) consumer.Sink {
	if k.cfg.Works == 0 {
		return to // nobody would ever take what it noted
	}
	return sink{to, k.changes}
}

type sink struct {
	consumer.Sink
	changes *changes
}

// Apply implements consumer.Sink. What it tells after an error may not have changed: then profiles are renewed for nothing.
func (s sink) Apply(ctx context.Context, b *consumer.Batch) error {
	err := s.Sink.Apply(ctx, b)
	s.changes.note(b)
	return err
}
