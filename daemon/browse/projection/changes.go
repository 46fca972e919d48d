package projection

import "sync"

// changes are what batches have changed and the Keeper has not looked at yet. Nobody holds its lock for longer than a map takes, since batches are
// applied beside.
type changes struct {
	lock    sync.Mutex
	waiting map[uint64]struct{}
	// since counts those noted since the last layout began.
	since int
	wake  chan struct{} // has room for one signal
}

func newChanges() *changes {
	return &changes{waiting: map[uint64]struct{}{}, wake: make(chan struct{}, 1)}
}

func (c *changes) note(ids []uint64) {
	c.lock.Lock()
	c.since += len(ids)
	c.lock.Unlock()
	c.again(ids)
}

// again has artifacts looked at.
func (c *changes) again(ids []uint64) {
	if len(ids) == 0 {
		return
	}
	c.lock.Lock()
	for _, id := range ids {
		c.waiting[id] = struct{}{}
	}
	c.lock.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// take gives out all that wait.
func (c *changes) take() (ids map[uint64]struct{}) {
	c.lock.Lock()
	defer c.lock.Unlock()
	if len(c.waiting) == 0 {
		return nil
	}
	ids, c.waiting = c.waiting, map[uint64]struct{}{}
	return ids
}

// count is how many changes came since the last layout began.
func (c *changes) count() int {
	c.lock.Lock()
	defer c.lock.Unlock()
	return c.since
}

// begun says that a layout begins, which sees what was noted before.
func (c *changes) begun() {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.since = 0
}
