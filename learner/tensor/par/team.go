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
	Part(i int, m *Member)
}

// Func is a Task of one function.
type Func func(i int, m *Member)

// Part calls f.
func (f Func) Part(i int, m *Member) { f(i, m) }

// Team runs tasks on a fixed number of goroutines, the caller's being one.
type Team struct {
	members []*Member
	closed  atomic.Bool
	close   sync.Once
}

// Member is one of a team's goroutines, and belongs to it.
type Member struct {
	team  *Team
	index int
	depth int // of the task that Run would begin now
	jobs  [depths]job
	// asleep is taken back by who wakes the member, and then sends to wake.
	asleep atomic.Bool
	wake   chan struct{}
}

// depths is how many tasks may be within one another; those further in are done
// by the member that has them.
const depths = 6

// job is a task that a member has begun, for others to help with.
type job struct {
	// state is the number of the task in the upper half and the parts that nobody
	// has taken in the lower: a part of another task can't be taken by mistake.
	state atomic.Uint64
	done  atomic.Int64 // parts that others have done
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
func New(size int) (*Team, error) {
	if size < 1 || size > maxSize {
		return nil, fmt.Errorf("par: threads %d: must be in 1..%d", size, maxSize)
	}
	t := &Team{}
	for i := range size {
		t.members = append(t.members, &Member{team: t, index: i, wake: make(chan struct{}, 1)})
	}
	for _, m := range t.members[1:] {
		go m.serve()
	}
	return t, nil
}

// Size is the number of goroutines that share the work.
func (t *Team) Size() int { return len(t.members) }

// Caller is the member of the goroutine that uses the team.
func (t *Team) Caller() *Member { return t.members[0] }

// Close ends the team's goroutines. Nothing may be run afterwards.
func (t *Team) Close() {
	t.close.Do(func() {
		t.closed.Store(true)
		for _, m := range t.members {
			m.rouse()
		}
	})
}

// Index, below the team's size, tells whose scratch memory may be used: until the
// next Run, no other part has it.
func (m *Member) Index() int { return m.index }

// Run does parts 0 .. parts-1 of a task and returns when all are done. Members
// that have nothing else to do help.
func (m *Member) Run(task Task, parts int) {
	depth := m.depth
	if parts <= 1 || len(m.team.members) == 1 || depth == depths {
		for i := range parts {
			task.Part(i, m)
		}
		return
	}
	j := &m.jobs[depth]
	j.task, j.parts = task, parts
	j.done.Store(0)
	j.state.Store((j.state.Load()>>32+1)<<32 | uint64(parts))
	for _, other := range m.team.members {
		other.rouse()
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
	m.wait(depth+1, func() bool { return j.done.Load() == int64(parts-own) })
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
func (m *Member) serve() { m.wait(0, m.team.closed.Load) }

// wait helps others until over says that it is time to go on: with tasks at depth
// from or deeper, which are short beside what the member waits for.
func (m *Member) wait(from int, over func() bool) {
	for idle := 0; !over(); idle++ {
		switch {
		case m.help(from):
			idle = 0
		case idle >= spins:
			m.sleep(from, over)
			idle = 0
		case idle%64 == 63:
			runtime.Gosched()
		}
	}
}

// help does a part of another member's task; false says that there is none. Tasks
// less deep come first: they are longer.
func (m *Member) help(from int) bool {
	for depth := from; depth < depths; depth++ {
		for _, other := range m.team.members {
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
			j.done.Add(1)
			other.rouse()
			return true
		}
	}
	return false
}

// sleep returns when there may be something to do.
func (m *Member) sleep(from int, over func() bool) {
	m.asleep.Store(true)
	// Looked at again, for what came before others could see that this one sleeps.
	if (over() || m.open(from)) && m.asleep.CompareAndSwap(true, false) {
		return
	}
	<-m.wake
}

// open tells whether help would find something.
func (m *Member) open(from int) bool {
	for _, other := range m.team.members {
		for depth := from; depth < depths && other != m; depth++ {
			if uint32(other.jobs[depth].state.Load()) > 0 {
				return true
			}
		}
	}
	return false
}

// rouse wakes the member if it sleeps.
func (m *Member) rouse() {
	if m.asleep.Load() && m.asleep.CompareAndSwap(true, false) {
		m.wake <- struct{}{}
	}
}
