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

// taskFunc is a Task of one function.
type taskFunc func(i int, m *Worker)

func (f taskFunc) Part(i int, m *Worker) { f(i, m) }

func newPool(t *testing.T, size int) *Pool {
	t.Helper()
	pool, err := New(size)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// TestEveryPartOnce: Run does every part exactly once before it returns.
func TestEveryPartOnce(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 2, 3, 8} {
		pool := newPool(t, size)
		for round := range 300 {
			parts := round % 17
			c := &count{seen: make([]atomic.Int32, parts), bound: size}
			pool.Caller().Run(c, parts)
			for i := range c.seen {
				if n := c.seen[i].Load(); n != 1 {
					t.Fatalf("pool of %d, part %d of %d: done %d times", size, i, parts, n)
				}
			}
			if c.wrong.Load() > 0 {
				t.Fatalf("pool of %d: worker out of range", size)
			}
		}
		pool.Close()
		pool.Close()
	}
}

// TestTasksWithinTasks nests tasks deeper than maxDepth: each leaf is done once, and no two parts use one worker's
// scratch memory at a time.
func TestTasksWithinTasks(t *testing.T) {
	t.Parallel()
	const width, levels = 3, maxDepth + 2
	for _, size := range []int{1, 2, 3, 8} {
		pool := newPool(t, size)
		scratch := make([]int, size) // the race detector looks at it
		var leaves atomic.Int64
		var down func(level int) taskFunc
		down = func(level int) taskFunc {
			return func(_ int, m *Worker) {
				scratch[m.Index()]++
				if level == levels {
					leaves.Add(1)
					return
				}
				before := leaves.Load()
				m.Run(down(level+1), width)
				if leaves.Load() < before+width {
					t.Errorf("pool of %d: Run returned before its parts were done", size)
				}
			}
		}
		pool.Caller().Run(down(1), width)
		want := int64(1)
		for range levels {
			want *= width
		}
		if got := leaves.Load(); got != want {
			t.Errorf("pool of %d: %d leaves, want %d", size, got, want)
		}
	}
}

// TestSleepersAreWoken: a parked worker is woken for work, and one that waits for another's part when that part is
// done.
func TestSleepersAreWoken(t *testing.T) {
	t.Parallel()
	pool := newPool(t, 2)
	for range 5 {
		both := make(chan struct{}) // each part needs the other to go on
		pool.Caller().Run(taskFunc(func(i int, _ *Worker) {
			if i == 0 {
				both <- struct{}{}
			} else {
				<-both
			}
		}), 2)
		for !pool.workers[1].parked.Load() {
			pool.Caller().Run(taskFunc(func(int, *Worker) {}), 1)
		}
	}
}

func TestSizesAreChecked(t *testing.T) {
	t.Parallel()
	for _, size := range []int{-1, 0, 1025} {
		if _, err := New(size); err == nil {
			t.Errorf("a pool of %d was accepted", size)
		}
	}
}
