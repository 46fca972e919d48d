package par

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// Task is work in parts. Part may be called for different i at the same time, by
// different members; it may run further tasks on the member it is given.
type Task interface {
	Part(i int, m *Worker)
}

// Func is a Task of one function.
type Func func(i int, m *Worker)

// Part calls f.
func (f Func) Part(i int, m *Worker) { f(i, m) }

// Team runs tasks on a fixed number of goroutines, the caller's being one.
type Pool struct {
	workers []*Worker
	closed  atomic.Bool
	close   sync.Once
}

// Member is one of a team's goroutines, and belongs to it.
type Worker struct {
	pool  *Pool
	index int
	depth int // of the task that Run would begin now
	jobs  [maxDepth]job
	// asleep is taken back by who wakes the member, and then sends to wake.
	parked atomic.Bool
	wake   chan struct{}
}

// depths is how many tasks may be within one another; those further in are done
// by the member that has them.
const maxDepth = 6

// job is a task that a member has begun, for others to help with.
type job struct {
	// state is the number of the task in the upper half and the parts that nobody
	// has taken in the lower: a part of another task can't be taken by mistake.
	state atomic.Uint64
	stolenDone  atomic.Int64 // parts that others have done
	task  Task
	parts int
	_     [64]byte // no two members' jobs in one cache line
}

// spins is how often the waiting side looks for work before it sleeps: the gap
// between two operations of a training step is shorter, waking a thread longer.
const spins = 8000

// maxSize bounds the size against slips of configuration.
const maxSize = 1024

// New starts a team of size goroutines, size-1 besides the caller's. Close ends
// them. A size outside 1..1024 is refused.
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

// Size is the number of goroutines that share the work.
func (t *Pool) Size() int { return len(t.workers) }

// Caller is the member of the goroutine that uses the team.
func (t *Pool) Caller() *Worker { return t.workers[0] }

// Close ends the team's goroutines. Nothing may be run afterwards.
func (t *Pool) Close() {
	t.close.Do(func() {
		t.closed.Store(true)
		for _, m := range t.workers {
			m.unpark()
		}
	})
}

// Index, below the team's size, tells whose scratch memory may be used: until the
// next Run, no other part has it.
func (m *Worker) Index() int { return m.index }

// Run does parts 0 .. parts-1 of a task and returns when all are done. Members
// that have nothing else to do help.
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

// take gives out a part that nobody has begun.
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

// serve is the life of the goroutines besides the caller's.
func (m *Worker) loop() { m.wait(0, m.pool.closed.Load) }

// wait helps others until over says that it is time to go on: with tasks at depth
// from or deeper, which are short beside what the member waits for.
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

// help does a part of another member's task; false says that there is none. Tasks
// less deep come first: they are longer.
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

// sleep returns when there may be something to do.
func (m *Worker) park(from int, over func() bool) {
	m.parked.Store(true)
	// Looked at again, for what came before others could see that this one sleeps.
	if (over() || m.stealable(from)) && m.parked.CompareAndSwap(true, false) {
		return
	}
	<-m.wake
}

// open tells whether help would find something.
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

// rouse wakes the member if it sleeps.
func (m *Worker) unpark() {
	if m.parked.Load() && m.parked.CompareAndSwap(true, false) {
		m.wake <- struct{}{}
	}
}
