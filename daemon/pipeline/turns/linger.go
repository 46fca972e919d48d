package turns

import (
	"sync/atomic"
	"time"
)

// Linger tells who waits for work when something is due that no batch and no other work brings: it has waited long enough. The zero
// value begins with the first reading.
type Linger struct {
	began time.Time
	// due is when the next is due, as read by At; 0: nothing is.
	due atomic.Int64
}

// At is the time since the beginning, by the monotonic clock. It is called by one at a time.
func (l *Linger) At() time.Duration {
	if l.began.IsZero() {
		l.began = time.Now()
	}
	return max(time.Since(l.began), 1)
}

// Next says that something is due after left; ok is false when nothing is.
func (l *Linger) Next(left time.Duration, ok bool) {
	due := time.Duration(0)
	if ok {
		due = max(l.At()+left, 1)
	}
	l.due.Store(int64(due))
}

// leastWait keeps from asking again and again who can't work since a batch is before him.
const leastWait = time.Millisecond

// Over gives a time when what is due next is so, and never when nothing is. It may be called while others work, after Next.
func (l *Linger) Over() <-chan time.Time {
	due := time.Duration(l.due.Load())
	if due == 0 {
		return nil
	}
	return time.After(max(due-time.Since(l.began), leastWait))
}
