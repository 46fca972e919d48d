package par

import (
	"sync/atomic"
	"testing"
)

type count struct {
	seen  []atomic.Int32
	bound int
	wrong atomic.Int32
}

func (c *count) Part(i int, m *Worker) {
	c.seen[i].Add(1)
	if m.Index() < 0 || m.Index() >= c.bound {
		c.wrong.Add(1)
	}
}

func newTeam(t *testing.T, size int) *Pool {
	t.Helper()
	pool, err := New(size)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// Every part is done exactly once, and before Run returns.
func TestEveryPartOnce(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 2, 3, 8} {
		pool := newTeam(t, size)
		for round := range 300 {
			parts := round % 17
			c := &count{seen: make([]atomic.Int32, parts), bound: size}
			pool.Caller().Run(c, parts)
			for i := range c.seen {
				if n := c.seen[i].Load(); n != 1 {
					t.Fatalf("team of %d, part %d of %d: done %d times", size, i, parts, n)
				}
			}
			if c.wrong.Load() > 0 {
				t.Fatalf("team of %d: member out of range", size)
			}
		}
		pool.Close()
		pool.Close()
	}
}

// Tasks within tasks, deeper than there are places for: each leaf once, and no
// two parts at a time on one member's scratch memory.
func TestTasksWithinTasks(t *testing.T) {
	t.Parallel()
	const width, levels = 3, maxDepth + 2
	for _, size := range []int{1, 2, 3, 8} {
		pool := newTeam(t, size)
		scratch := make([]int, size) // the race detector looks at it
		var leaves atomic.Int64
		var down func(level int) Func
		down = func(level int) Func {
			return func(_ int, m *Worker) {
				scratch[m.Index()]++
				if level == levels {
					leaves.Add(1)
					return
				}
				before := leaves.Load()
				m.Run(down(level+1), width)
				if leaves.Load() < before+width {
					t.Errorf("team of %d: Run returned before its parts were done", size)
				}
			}
		}
		pool.Caller().Run(down(1), width)
		want := int64(1)
		for range levels {
			want *= width
		}
		if got := leaves.Load(); got != want {
			t.Errorf("team of %d: %d leaves, want %d", size, got, want)
		}
	}
}

// A member that sleeps is woken for work, and one that waits for another's part when that is done.
func TestSleepersAreWoken(t *testing.T) {
	t.Parallel()
	pool := newTeam(t, 2)
	for range 5 {
		both := make(chan struct{}) // each part needs the other to go on
		pool.Caller().Run(Func(func(i int, _ *Worker) {
			if i == 0 {
				both <- struct{}{}
			} else {
				<-both
			}
		}), 2)
		for !pool.workers[1].parked.Load() {
			pool.Caller().Run(Func(func(int, *Worker) {}), 1)
		}
	}
}

func TestSizesAreChecked(t *testing.T) {
	t.Parallel()
	for _, size := range []int{-1, 0, 1025} {
		if _, err := New(size); err == nil {
			t.Errorf("a team of %d was accepted", size)
		}
	}
}
