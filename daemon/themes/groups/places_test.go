package groups

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"kilim/annindex"
	"kilim/learner/tensor/vec"
)

// TestPlaces: the places of a theme are those of its artifacts as its sums have them, and a search finds what comparing with everyone does, twins by their ids.
// They stay as they were while artifacts come and go.
func TestPlaces(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(2, 5))
	works, labels := world(rng, 150, 6)
	m := modelOf(t, works, labels)
	s := New(m, applying(m))
	for i := range 2 * len(works) { // each has a twin
		if rng.IntN(5) > 0 {
			s.Put(rng.Uint64(), m.Profile(&works[i/2]), nil)
		}
	}
	for _, name := range s.Names() {
		in := s.Theme(name)
		var want []uint64
		for artifact, is := range s.members {
			if is.has(name) {
				want = append(want, artifact)
			}
		}
		slices.Sort(want)
		p := in.Places()
		if !slices.Equal(p.IDs(), want) || p.Len() != len(want) || len(want) < 20 {
			t.Fatalf("%s: the places of %d artifacts, of %d", name, p.Len(), len(want))
		}
		vectors := map[uint64][]float32{}
		for _, id := range want {
			at, is := make([]float32, p.Dim()), make([]float32, p.Dim())
			at[0] = 7 // what was there before is gone
			if !p.Vector(id, at) || !in.Vector(id, is) || !slices.Equal(at, is) {
				t.Fatalf("%s: %d lies at %v, its vector is %v", name, id, at, is)
			}
			vectors[id] = is
		}
		odd := func(id uint64) bool { return id%2 == 1 }
		for _, k := range []int{1, 7, len(want), 2 * len(want)} {
			for _, keep := range []func(uint64) bool{nil, odd} {
				var all []annindex.Hit
				for _, id := range want {
					if keep == nil || keep(id) {
						all = append(all, annindex.Hit{ID: id, Score: vec.Dot(vectors[want[0]], vectors[id])})
					}
				}
				slices.SortStableFunc(all, func(a, b annindex.Hit) int { return cmp.Compare(b.Score, a.Score) })
				got, err := p.Search(vectors[want[0]], k, keep)
				if err != nil || len(got) != min(k, len(all)) {
					t.Fatalf("%s: %d of the %d nearest, %v", name, len(got), k, err)
				}
				for i, h := range got { // sums are in another order
					if d := h.Score - all[i].Score; d > 1e-6 || d < -1e-6 || i > 0 && (h.Score > got[i-1].Score || h.Score == got[i-1].Score && h.ID < got[i-1].ID) {
						t.Errorf("%s: at place %d of %d is %+v, want %+v", name, i, k, h, all[i])
					}
				}
			}
		}
		s.Remove(want[0])
		if p.Len() != len(want) || in.Places().Len() != len(want)-1 || in.Places().Vector(want[0], make([]float32, p.Dim())) {
			t.Errorf("%s: places change, or one that is gone has one", name)
		}
	}
}
