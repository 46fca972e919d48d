package hnsw

import (
	"math"
	"math/rand/v2"
	"testing"

	"kilim/annindex/internal/dist"
)

func unit(rng *rand.Rand, dim int) []float32 {
	v := make([]float32, dim)
	for i := range v {
		v[i] = float32(rng.NormFloat64())
	}
	return normal(v)
}

func normal(v []float32) []float32 {
	n := float32(math.Sqrt(float64(dist.Dot(v, v))))
	for i := range v {
		v[i] /= n
	}
	return v
}

// near returns a unit vector about far away from v.
func near(rng *rand.Rand, v []float32, far float64) []float32 {
	w := make([]float32, len(v))
	for i := range v {
		w[i] = v[i] + float32(far*rng.NormFloat64()/math.Sqrt(float64(len(v))))
	}
	return normal(w)
}

// clusters returns a function that draws unit vectors around some centres.
func clusters(rng *rand.Rand, dim, centres int) func() []float32 {
	centre := make([][]float32, centres)
	for i := range centre {
		centre[i] = unit(rng, dim)
	}
	return func() []float32 { return near(rng, centre[rng.IntN(centres)], 0.4) }
}

// checkInvariants fails unless the graph, which no goroutine changes meanwhile, is what it must be: ids and slots
// agree; links lead to other slots of their level, each at most once a list; in-degrees are right; the entry is live;
// each other live slot has a link to it; and each slot is one of live, pendingFree, free and never used.
func checkInvariants(t *testing.T, g *Graph) {
	t.Helper()
	a := g.arena.Load()
	inDegreeLower, inDegreeUpper := make([]uint32, a.slots), make([]uint32, a.slots)
	living := 0
	for slot := range uint32(a.slots) {
		if a.is(slot, live) {
			living++
			if s, ok := g.slots[a.ids[slot]]; !ok || s != slot {
				t.Fatalf("slot %d has id %d, whose slot is %d (%v)", slot, a.ids[slot], s, ok)
			}
		}
		for level := range int(a.levels[slot]) + 1 {
			seen := map[uint32]bool{}
			list := a.links(slot, level)
			for i, other := range list {
				if other == none {
					for _, rest := range list[i:] {
						if rest != none {
							t.Fatalf("slot %d, level %d: a link after the end", slot, level)
						}
					}
					break
				}
				if seen[other] || other == slot || int(a.levels[other]) < level {
					t.Fatalf("slot %d, level %d: the link to %d is doubled, to itself or to a slot without that level", slot, level, other)
				}
				seen[other] = true
				if level == 0 {
					inDegreeLower[other]++
				} else {
					inDegreeUpper[other]++
				}
			}
		}
	}
	if living != g.Len() || living != len(g.slots) {
		t.Fatalf("%d slots live, %d vectors, %d ids", living, g.Len(), len(g.slots))
	}
	entry, top := entryOf(a.entry.Load())
	if living > 0 && (entry == none || !a.is(entry, live) || int(a.levels[entry]) != top) {
		t.Fatalf("the entry is slot %d on level %d", entry, top)
	}
	pendingFree := map[uint32]bool{}
	for _, slot := range g.pendingFree {
		pendingFree[slot] = true
	}
	free := map[uint32]bool{}
	for _, slot := range a.freeList {
		free[slot] = true
	}
	for slot := range uint32(a.slots) {
		if inDegreeLower[slot] != a.inDegreeLower[slot] || inDegreeUpper[slot] != a.inDegreeUpper[slot] {
			t.Fatalf("slot %d: %d and %d links to it, counted %d and %d", slot, inDegreeLower[slot], inDegreeUpper[slot], a.inDegreeLower[slot], a.inDegreeUpper[slot])
		}
		if a.is(slot, live) && inDegreeLower[slot] == 0 && slot != entry && living > 1 {
			t.Fatalf("no link leads to slot %d", slot)
		}
		states := 0
		for _, is := range []bool{a.is(slot, live), pendingFree[slot], free[slot], slot >= a.next} {
			if is {
				states++
			}
		}
		if states != 1 {
			t.Fatalf("slot %d of %d: live %v, pendingFree %v, free %v", slot, a.next, a.is(slot, live), pendingFree[slot], free[slot])
		}
	}
}

// exact is the oracle: it returns the score of the k-th nearest, or of the last if there are fewer.
func exact(vecs map[uint64][]float32, q []float32, k int) (threshold float32) {
	best := make([]float32, 0, k+1)
	for _, v := range vecs {
		score := dist.Dot(q, v)
		at := len(best)
		for at > 0 && best[at-1] < score {
			at--
		}
		if at < k {
			best = append(best, 0)
			copy(best[at+1:], best[at:])
			best[at] = score
			best = best[:min(len(best), k)]
		}
	}
	if len(best) == 0 {
		return 0
	}
	return best[len(best)-1]
}

// recall returns the share of the k nearest that searches with ef candidates find, and fails on an answer that is dead,
// wrongly scored or out of order.
func recall(t *testing.T, g *Graph, vecs map[uint64][]float32, queries [][]float32, k, ef int) float64 {
	t.Helper()
	good := 0
	for _, q := range queries {
		hits, err := g.SearchInto(nil, q, k, ef)
		if err != nil {
			t.Fatal(err)
		}
		threshold := exact(vecs, q, k)
		for i, h := range hits {
			v, ok := vecs[h.ID]
			if !ok {
				t.Fatalf("id %d is not there", h.ID)
			}
			if h.Score != dist.Dot(q, v) {
				t.Fatalf("id %d has score %v, want %v", h.ID, h.Score, dist.Dot(q, v))
			}
			if i > 0 && hits[i-1].Score < h.Score {
				t.Fatal("not in order")
			}
			if h.Score >= threshold-1e-6 {
				good++
			}
		}
	}
	return float64(good) / float64(k*len(queries))
}
