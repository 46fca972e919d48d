package par

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// Task is work in parts. Part may be called for different i at the same time.
type Task interface {
	// Part does part i; worker, below the team's size, tells whose scratch
	// memory may be used.
	Part(i, worker int)
}

// Team runs tasks on a fixed number of goroutines, the caller's being one.
// Run may not be called by two goroutines at once, nor from within a Part.
type Team struct {
	size    int
	wake    []chan struct{} // one for each helper
	task    Task
	parts   int64
	next    atomic.Int64
	pending atomic.Int64
	done    chan struct{}
	close   sync.Once
}

// spins is how long the waiting side looks for work before it sleeps: the gap
// between two operations of a training step is shorter, waking a thread longer.
const spins = 4000

// maxSize bounds the size against slips of configuration.
const maxSize = 1024

// New starts a team of size goroutines, size-1 besides the caller's. Close ends
// them. A size outside 1..1024 is refused.
func New(size int) (*Team, error) {
	if size < 1 || size > maxSize {
		return nil, fmt.Errorf("par: threads %d: must be in 1..%d", size, maxSize)
	}
	t := &Team{size: size, done: make(chan struct{}, 1)}
	for w := 1; w < size; w++ {
		wake := make(chan struct{}, 1)
		t.wake = append(t.wake, wake)
		go t.help(w, wake)
	}
	return t, nil
}

// Size is the number of goroutines that share the work.
func (t *Team) Size() int { return t.size }

// Close ends the team's goroutines. Run may not be called afterwards.
func (t *Team) Close() {
	t.close.Do(func() {
		for _, w := range t.wake {
			close(w)
		}
	})
}

// Run does parts 0 .. parts-1 of a task and returns when all are done.
func (t *Team) Run(task Task, parts int) {
	helpers := min(len(t.wake), parts-1)
	if helpers <= 0 {
		for i := range parts {
			task.Part(i, 0)
		}
		return
	}
	t.task, t.parts = task, int64(parts)
	t.next.Store(0)
	t.pending.Store(int64(helpers))
	for _, w := range t.wake[:helpers] {
		w <- struct{}{}
	}
	t.work(0)
	for i := 0; t.pending.Load() > 0 && i < spins; i++ {
		if i%64 == 63 {
			runtime.Gosched()
		}
	}
	<-t.done
	t.task = nil
}

func (t *Team) work(worker int) {
	for {
		i := t.next.Add(1) - 1
		if i >= t.parts {
			return
		}
		t.task.Part(int(i), worker)
	}
}

func (t *Team) help(worker int, wake <-chan struct{}) {
	for {
		if !next(wake) {
			return
		}
		t.work(worker)
		if t.pending.Add(-1) == 0 {
			t.done <- struct{}{}
		}
	}
}

// next waits for a signal, at first awake; false says that the team is closed.
func next(wake <-chan struct{}) bool {
	for range spins {
		select {
		case _, ok := <-wake:
			return ok
		default:
		}
	}
	_, ok := <-wake
	return ok
}
