package pipeline

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// quiet is how long no batch must have come for turns.quiet.
const quiet = time.Second

// turns says when work may begin: batches of records go before the background, and both wait while the outbox is full.
//
// Whoever waits takes the condition's channel first and looks at what it waits for then, again and again. A signal to one
// waiter, as a channel with room for one gives, would leave the others asleep when there are several, or when the one that it
// reaches has given up meanwhile.
type turns struct {
	// waiting counts batches that wait for the unit lock.
	waiting atomic.Int32
	// lastBatch is when the last batch was applied, in Unix nanoseconds.
	lastBatch atomic.Int64
	// work is told when there may be background work, or nothing goes before it any more.
	work condition
	// room is told when messages left the outbox, and when the state was retired.
	room condition
}

// quiet is true when no batch has come for a while.
func (t *turns) quiet() bool { return time.Since(time.Unix(0, t.lastBatch.Load())) > quiet }

// come says that a batch is there and waits for its turn, begin that it has it, and giveUp that it does not want it any more:
// then the background, which stepped back for it, goes on.
func (t *turns) come()  { t.waiting.Add(1) }
func (t *turns) begin() { t.waiting.Add(-1) }
func (t *turns) giveUp() {
	t.waiting.Add(-1)
	t.work.broadcast()
}

// applied says that a batch was applied, and has left work.
func (t *turns) applied() {
	t.lastBatch.Store(time.Now().UnixNano())
	t.work.broadcast()
}

// rest leaves as much time to batches as the background took, while they come: a batch that meets a unit at work has to wait
// for it.
func (t *turns) rest(ctx context.Context, took time.Duration) {
	if t.quiet() {
		return
	}
	timer := time.NewTimer(took)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// condition wakes all who wait for it. The zero value can be used.
type condition struct {
	lock sync.Mutex
	next chan struct{}
}

// changed returns a channel that the next broadcast closes.
func (c *condition) changed() <-chan struct{} {
	c.lock.Lock()
	defer c.lock.Unlock()
	if c.next == nil {
		c.next = make(chan struct{})
	}
	return c.next
}

func (c *condition) broadcast() {
	c.lock.Lock()
	defer c.lock.Unlock()
	if c.next != nil {
		close(c.next)
		c.next = nil
	}
}
