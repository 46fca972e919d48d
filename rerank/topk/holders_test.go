package topk

import (
	"math/rand/v2"
	"sync"
	"testing"
)

// TestHolders: while artifacts come, move and go, it is counted who has each in a list, which is asked for meanwhile.
func TestHolders(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 8))
	a := newArchive(t, testConfig())
	done := make(chan struct{})
	var asking sync.WaitGroup
	asking.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				a.lists.Holders(a.NodeOf("a1"))
			}
		}
	})
	for range 12 {
		a.apply(a.batch(rng, 25), 10)
		want := map[uint64]int{}
		for _, row := range a.stored() {
			has := map[string]bool{}
			row.Lists.Members(func(id string) { has[id] = true })
			for id := range has {
				want[a.NodeOf(id)]++
			}
		}
		for node := range a.artifacts {
			if got := a.lists.Holders(node); got != want[node] {
				t.Errorf("%d have node %d in a list, want %d", got, node, want[node])
			}
		}
	}
	close(done)
	asking.Wait()
}
