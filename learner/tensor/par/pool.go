package par

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// Task is work in parts. Part may be called for different i at the same time, by different workers; it may Run further
// tasks on the Worker that it is given.
type Task interface {
	Part(i int, m *Worker)
}

// Pool runs tasks on a fixed number of workers, of which the first is the caller's own goroutine.
type Pool struct {
	workers []*Worker
	closed  atomic.Bool
	close   sync.Once
}

// Worker is one of a Pool's goroutines, the only one that may call Run.
type Worker struct {
	pool  *Pool
	index int
	depth int // of the task that Run would begin now
	jobs  [maxDepth]job
	// parked is true while the worker sleeps on wake. Whoever sets parked back to false must send to wake, and nobody
	// else may.
	parked atomic.Bool
	wake   chan struct{}
}

// maxDepth is how deep tasks may be nested with their parts shared; the parts of a task nested deeper are all done by
// the worker that runs it.
const maxDepth = 6

// job is a task that a worker runs and whose parts other workers may steal.
type job struct {
	// state holds the task's number in its upper half and the count of parts not taken yet in its lower half. A
	// compare-and-swap on both can't take a part of the task that came after the one it looked at.
	state      atomic.Uint64
	stolenDone atomic.Int64 // parts that other workers have done
	task       Task
	parts      int
	_          [64]byte // keeps two workers' jobs out of one cache line
}

// spins is how often a waiting worker looks for work before it parks. The gap between two operations of a training step
// is shorter than that many looks, and waking a thread takes longer.
const spins = 8000

// maxSize bounds the size of a Pool against slips of configuration.
const maxSize = 1024

// New returns a Pool of size workers: it starts size-1 goroutines besides the caller's, which Close ends. A size
// outside 1..1024 is refused.
func New(size int) (*Pool, error) {
	if size < 1 || size > maxSize {
		return nil, fmt.Errorf("par: threads %d: must be in 1..%d", size, maxSize)
	}
	t := &Pool{}
	for i := range size {
		t.workers = append(t.workers, &Worker{pool: t, index: i, wake: make(chan struct{}, 1)})
	}
	for _, m := range t.workers[1:] {
		go m.loop()
	}
	return t, nil
}

// Size is the number of workers.
func (t *Pool) Size() int { return len(t.workers) }

// Caller is the worker of the goroutine that uses the Pool.
func (t *Pool) Caller() *Worker { return t.workers[0] }

// Close ends the Pool's goroutines. Nothing may be run afterwards.
func (t *Pool) Close() {
	t.close.Do(func() {
		t.closed.Store(true)
		for _, m := range t.workers {
			m.unpark()
		}
	})
}

// Index numbers the workers from 0. A Part may use scratch memory that belongs to its worker's Index until its next
// Run, in which the worker may do other parts.
func (m *Worker) Index() int { return m.index }

// Run does parts 0 .. parts-1 of a task and returns when all are done. Workers that have nothing else to do steal
// parts.
func (m *Worker) Run(task Task, parts int) {
	depth := m.depth
	if parts <= 1 || len(m.pool.workers) == 1 || depth == maxDepth {
		for i := range parts {
			task.Part(i, m)
		}
		return
	}
	j := &m.jobs[depth]
	j.task, j.parts = task, parts
	j.stolenDone.Store(0)
	j.state.Store((j.state.Load()>>32+1)<<32 | uint64(parts))
	for _, other := range m.pool.workers {
		other.unpark()
	}
	m.depth = depth + 1
	own := 0
	for ; ; own++ {
		i, ok := j.take()
		if !ok {
			break
		}
		task.Part(i, m)
	}
	m.wait(depth+1, func() bool { return j.stolenDone.Load() == int64(parts-own) })
	m.depth = depth
	j.task = nil
}

// take returns a part that nobody has taken; ok is false when none is left.
func (j *job) take() (i int, ok bool) {
	for {
		s := j.state.Load()
		left := uint32(s)
		if left == 0 {
			return 0, false
		}
		if j.state.CompareAndSwap(s, s-1) {
			return j.parts - int(left), true
		}
	}
}

// loop is what a goroutine that New starts runs until the Pool is closed.
func (m *Worker) loop() { m.wait(0, m.pool.closed.Load) }

// wait steals parts of other workers' tasks until over returns true. It steals at depth from or deeper only: those
// parts are short beside what the worker waits for.
func (m *Worker) wait(from int, over func() bool) {
	for idle := 0; !over(); idle++ {
		switch {
		case m.steal(from):
			idle = 0
		case idle >= spins:
			m.park(from, over)
			idle = 0
		case idle%64 == 63:
			runtime.Gosched()
		}
	}
}

// steal does one part of another worker's task and returns false when there is none to take. Tasks less deep come
// first, because their parts are longer.
func (m *Worker) steal(from int) bool {
	for depth := from; depth < maxDepth; depth++ {
		for _, other := range m.pool.workers {
			if other == m {
				continue
			}
			j := &other.jobs[depth]
			i, ok := j.take()
			if !ok {
				continue
			}
			before := m.depth
			m.depth = depth + 1
			j.task.Part(i, m)
			m.depth = before
			j.stolenDone.Add(1)
			other.unpark()
			return true
		}
	}
	return false
}

// park blocks until there may be something to do.
func (m *Worker) park(from int, over func() bool) {
	m.parked.Store(true)
	// over and stealable are asked once more: a task may have begun before its worker could see parked, and would not
	// unpark this one.
	if (over() || m.stealable(from)) && m.parked.CompareAndSwap(true, false) {
		return
	}
	<-m.wake
}

// stealable tells whether steal would find a part.
func (m *Worker) stealable(from int) bool {
	for _, other := range m.pool.workers {
		for depth := from; depth < maxDepth && other != m; depth++ {
			if uint32(other.jobs[depth].state.Load()) > 0 {
				return true
			}
		}
	}
	return false
}

// unpark wakes the worker if it is parked.
func (m *Worker) unpark() {
	if m.parked.Load() && m.parked.CompareAndSwap(true, false) {
		m.wake <- struct{}{}
	}
}
