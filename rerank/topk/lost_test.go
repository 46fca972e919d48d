package topk

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestLostEvidence loses the evidence of artifacts in the midst of random histories: nothing fails, the others have lists without
// new places for it, and its next record brings it back as if nothing had been.
func TestLostEvidence(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 43))
			a := newArchive(t, testConfig())
			a.unreadable = map[uint64]bool{}
			for step := range 80 {
				for _, c := range a.batch(rng, 25) {
					if node := a.NodeOf(c.id); c.evidence != nil || c.vector == nil {
						delete(a.unreadable, node)
					}
					a.apply([]change{c}, rng.IntN(4))
				}
				if rng.IntN(4) == 0 {
					if node := a.NodeOf(fmt.Sprintf("a%d", rng.IntN(25))); a.artifacts[node] != nil {
						a.unreadable[node] = true
					}
				}
				if rng.IntN(6) == 0 {
					a.lists = a.open() // with nothing in its caches
					a.settle(1 + rng.IntN(7))
					for node := range a.artifacts {
						if q, _, err := a.lists.Query(a.memory, node); err == nil {
							_, err := a.lists.Search(a.memory, q, "total", 5, nil)
							a.must(err)
						} else if !a.unreadable[node] {
							t.Errorf("step %d: %v", step, err)
						}
					}
				}
			}
			for node := range a.unreadable {
				delete(a.unreadable, node)
				a.apply([]change{invent(rng, node, a.artifacts[node].ID, 25)}, 4)
			}
			a.settle(5)
			a.scored("in the end")
		})
	}
}
