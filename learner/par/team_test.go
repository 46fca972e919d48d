package par

import (
	"sync/atomic"
	"testing"
)

type count struct {
	seen  []atomic.Int32
	bound int32
	wrong atomic.Int32
}

func (c *count) Part(i, worker int) {
	c.seen[i].Add(1)
	if worker < 0 || int32(worker) >= c.bound {
		c.wrong.Add(1)
	}
}

// Every part is done exactly once, and before Run returns.
func TestEveryPartOnce(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 2, 3, 8} {
		team, err := New(size)
		if err != nil {
			t.Fatal(err)
		}
		for round := range 300 {
			parts := round % 17
			c := &count{seen: make([]atomic.Int32, parts), bound: int32(size)}
			team.Run(c, parts)
			for i := range c.seen {
				if n := c.seen[i].Load(); n != 1 {
					t.Fatalf("team of %d, part %d of %d: done %d times", size, i, parts, n)
				}
			}
			if c.wrong.Load() > 0 {
				t.Fatalf("team of %d: worker out of range", size)
			}
		}
		team.Close()
		team.Close()
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
