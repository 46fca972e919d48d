package encode

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// TestRefusalsTravelTogether: 50 media a second that are refused cost a commit a second, and none of their own where vectors come
// anyway; each is durable within its patience, whatever comes, and no commit has more than mostRefusals and a batch.
func TestRefusalsTravelTogether(t *testing.T) {
	t.Parallel()
	const seconds, rate = 20, 50
	// commits counts those of 20 seconds with so many vectors a second beside the refusals.
	commits := func(seed uint64, vectors int) (n int) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 7))
			m := newMemory(t)
			stop := works(t, m, &files{}, Lane{"image", &scripted{asked: map[string]int{}}, 1, 1})
			defer stop()
			node := 0
			for range seconds {
				for range rate {
					m.put(node, "image", "never/there", "")
					node++
					time.Sleep(time.Second/rate - time.Duration(rng.IntN(1000)))
				}
				for range vectors {
					m.put(node, "image", "", fmt.Sprintf("picture %*d", 2+rng.IntN(30), node))
					node++
				}
			}
			time.Sleep(patience + time.Millisecond)
			if got := len(m.answers()); got != node {
				t.Errorf("%d answers after their patience, want %d", got, node)
			}
			n = len(m.commits)
		})
		return n
	}
	for seed := range uint64(2) {
		if n := commits(seed, 0); n > seconds+1 {
			t.Errorf("seed %d: %d commits for %d refusals in %d s, want one a second", seed, n, rate*seconds, seconds)
		}
		// The vectors of a second come within company of each other.
		if n := commits(seed, 5); n > seconds+1 {
			t.Errorf("seed %d: %d commits beside vectors, want no more than the vectors make", seed, n)
		}
	}
}

// TestManyRefusalsAtOnce: a flood is given to the state in commits of a bounded size, at once.
func TestManyRefusalsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const n, batch = 1000, 32
		m := newMemory(t)
		for i := range n {
			m.put(i, "image", "never/there", "")
		}
		stop := works(t, m, &files{}, Lane{"image", &scripted{asked: map[string]int{}}, batch, 1})
		defer stop()
		time.Sleep(patience + time.Millisecond)
		if got := len(m.answers()); got != n {
			t.Errorf("%d answers, want %d", got, n)
		}
		if most := slices.Max(m.commits); most > mostRefusals+batch || len(m.commits) > n/mostRefusals+1 {
			t.Errorf("%d commits, the largest of %d answers", len(m.commits), most)
		}
	})
}

// TestStoppedWithPatience: refusals that had patience when the worker was stopped are still asked, by the next one.
func TestStoppedWithPatience(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		for i := range 9 {
			m.put(i, "image", "never/there", "")
		}
		stop := works(t, m, &files{}, Lane{"image", &scripted{asked: map[string]int{}}, 1, 1})
		time.Sleep(patience / 2)
		stop()
		if n := len(m.answers()); n != 0 {
			t.Fatalf("%d answers, want none yet", n)
		}
		stop = works(t, m, &files{}, Lane{"image", &scripted{asked: map[string]int{}}, 1, 1})
		defer stop()
		time.Sleep(patience + time.Millisecond)
		if n := len(m.answers()); n != 9 {
			t.Errorf("%d answers, want 9", n)
		}
	})
}
