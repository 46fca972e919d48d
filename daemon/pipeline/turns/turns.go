// Package turns says who may work when: batches of records go before the background, and both wait while there is no room for
// what they would publish. Turns is told what comes and goes; Condition wakes all who wait; Linger does for
// what is due later; Pace says how much fits into a background unit. The package does not know what the work is.
package turns

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// quiet is how long no batch must have come for Turns.Quiet.
const quiet = time.Second

// Turns says when work may begin: batches of records go before the background, and both wait while the outbox is full.
//
// Whoever waits takes the condition's channel first and looks at what it waits for then, again and again. A signal to one
// waiter, as a channel with room for one gives, would leave the others asleep when there are several, or when the one that it
// reaches has given up meanwhile.
type Turns struct {
	// waiting counts batches that wait for the unit lock.
	waiting atomic.Int32
	// working is true while a batch has its turn: in a flood it may have it for longer than quiet.
	working atomic.Bool
	// lastBatch is when the last batch was applied, nil: none was. It has the reading of the monotonic clock, which Unix time has
	// not: after the wall clock was set back by an hour, nothing would have been quiet for an hour.
	lastBatch atomic.Pointer[time.Time]
	// Work is told when there may be background work, or nothing goes before it any more.
	Work Condition
	// Room is told when messages left the outbox, and when the state was retired.
	Room Condition
	// Linger is for work that waits although nobody is before it.
	Linger Linger
}

// Busy is true while a batch waits, and for so long after one was applied.
func (t *Turns) Busy(after time.Duration) bool {
	last := t.lastBatch.Load()
	return t.BatchWaits() || last != nil && time.Since(*last) < after
}

// Quiet is true when no batch is at work, and none was for a while. One that waits for room in the outbox leaves it quiet: Kafka may be away for hours.
func (t *Turns) Quiet() bool {
	last := t.lastBatch.Load()
	return !t.working.Load() && (last == nil || time.Since(*last) > quiet)
}

// Come says that a batch is there and waits for its turn, Begin that it has it, and GiveUp that it does not want it any more:
// then the background, which stepped back for it, goes on.
func (t *Turns) Come() { t.waiting.Add(1) }
func (t *Turns) Begin() {
	t.working.Store(true)
	t.waiting.Add(-1)
}
func (t *Turns) GiveUp() {
	t.waiting.Add(-1)
	t.Work.Broadcast()
}

// BatchWaits is true while a batch waits for its turn.
func (t *Turns) BatchWaits() bool { return t.waiting.Load() > 0 }

// Applied says that a batch was applied, and has left work.
func (t *Turns) Applied() {
	now := time.Now()
	t.lastBatch.Store(&now)
	t.working.Store(false)
	t.Work.Broadcast()
}

// Rest leaves as much time to batches as the background took, while they come: a batch that meets a unit at work has to wait
// for it.
func (t *Turns) Rest(ctx context.Context, took time.Duration) {
	if t.Quiet() {
		return
	}
	timer := time.NewTimer(took)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// Condition wakes all who wait for it. The zero value can be used.
type Condition struct {
	lock sync.Mutex
	next chan struct{}
}

// Changed returns a channel that the next Broadcast closes.
func (c *Condition) Changed() <-chan struct{} {
	c.lock.Lock()
	defer c.lock.Unlock()
	if c.next == nil {
		c.next = make(chan struct{})
	}
	return c.next
}

func (c *Condition) Broadcast() {
	c.lock.Lock()
	defer c.lock.Unlock()
	if c.next != nil {
		close(c.next)
		c.next = nil
	}
}
