package topk

import (
	"math/rand/v2"
	"sync"
	"testing"

	"kilim/rerank"
)

// counts wants it to be counted who has each artifact in a list as deep as it is told.
func (a *archive) counts() {
	a.t.Helper()
	want := map[uint64]int{}
	for _, row := range a.stored() {
		has := map[string]bool{}
		for _, list := range row.Lists {
			if list.Name == rerank.ListTotal && row.Ordered != nil {
				for _, e := range row.Ordered.Entries {
					has[e.ID] = true
				}
				continue
			}
			for _, e := range list.Entries[:min(len(list.Entries), int(row.Size))] {
				has[e.ID] = true
			}
		}
		for id := range has {
			want[a.NodeOf(id)]++
		}
	}
	for node := range a.artifacts {
		if got := a.lists.Holders(node); got != want[node] {
			a.t.Errorf("%d have node %d in a list, want %d", got, node, want[node])
		}
	}
}

// TestHolders: while artifacts come, move and go, it is counted who has each in a list, which is asked for meanwhile. TestOrderOracle counts them with a ranker,
// in archive.inOrder.
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
		a.counts()
	}
	close(done)
	asking.Wait()
}
