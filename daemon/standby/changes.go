package standby

import (
	"context"
	"fmt"
	"sync"

	"kilim/daemon/pipeline/turns"
)

// changes are the artifacts that have changed in the instance that serves since a build copied them.
//
// A build that copies beside a feed need not be as quick as the feed: both share one machine. While it holds batches back and
// more than copyBatch changes wait, a batch waits until twice as many changes as it has records are copied, so that fewer
// wait after each batch, whatever the feed. The obvious design, to copy with a share of the time, copies for ever when the
// share is too small, and no share is known to be enough.
type changes struct {
	lock    sync.Mutex
	ids     map[string]struct{}
	done    int // how many were ever copied
	holding bool
	// progress is told when some were copied, and when batches are not held back any more.
	progress turns.Condition
}

// add adds artifacts to those that are to be copied.
func (c *changes) add(ids []string) {
	c.lock.Lock()
	defer c.lock.Unlock()
	if c.ids == nil {
		c.ids = map[string]struct{}{}
	}
	for _, id := range ids {
		c.ids[id] = struct{}{}
	}
}

// take removes up to n artifacts from those that are to be copied, and tells how many are left.
func (c *changes) take(n int) (ids []string, left int) {
	c.lock.Lock()
	defer c.lock.Unlock()
	for id := range c.ids {
		if len(ids) == n {
			break
		}
		ids = append(ids, id)
		delete(c.ids, id)
	}
	return ids, len(c.ids)
}

// copied says that n of those that were taken are copied.
func (c *changes) copied(n int) {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.done += n
	c.progress.Broadcast()
}

// hold begins or ends to hold batches back.
func (c *changes) hold(holding bool) {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.holding = holding
	c.progress.Broadcast()
}

// wait holds a batch of so many records back as long as it must be.
func (c *changes) wait(ctx context.Context, records int) error {
	c.lock.Lock()
	enough := c.done + 2*records
	c.lock.Unlock()
	for {
		progress := c.progress.Changed()
		c.lock.Lock()
		left, held := len(c.ids), c.holding && c.done < enough
		c.lock.Unlock()
		if !held || left <= copyBatch {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("standby: a batch waits for the state of another model to copy %d changes: %w", left, ctx.Err())
		case <-progress:
		}
	}
}
