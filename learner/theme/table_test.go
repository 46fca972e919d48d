package theme

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestSearchLacksNobody: after any history of a Table, a Search compares everyone who belongs in a list of the Work that asks, and everyone in
// whose list it belongs, and in a larger archive few others.
func TestSearchLacksNobody(t *testing.T) {
	t.Parallel()
	compared, all := 0, 0
	for seed := range uint64(2) {
		works, labels := world(seed, 200)
		m := fit(t, basisOf(t, DefaultConfig(), works[:90]), labels, nil)
		rng := rand.New(rand.NewPCG(seed, 9))
		table, there, from := NewTable(m), map[string]*Profile{}, map[string][]float64{}
		put := func(id string, w *Work) {
			there[id] = m.Profile(w)
			table.Put(id, there[id])
			from[id] = make([]float64, len(m.spans))
			for r := range from[id] {
				from[id][r] = []float64{math.Inf(1), math.Inf(-1), rng.Float64(), rng.Float64() / 8}[rng.IntN(4)]
			}
			table.Admit(id, from[id])
		}
		for i := range works {
			put(works[i].ID, &works[i])
		}
		for range 200 {
			w := &works[rng.IntN(len(works))]
			switch rng.IntN(3) {
			case 0:
				table.Remove(w.ID)
				delete(there, w.ID)
			case 1:
				put(w.ID, w)
			default:
				put(w.ID, &works[rng.IntN(len(works))]) // it says something else now
			}
		}
		if table.Len() != len(there) {
			t.Fatalf("%d are in the table, want %d", table.Len(), len(there))
		}
		ids := slices.Sorted(func(yield func(string) bool) {
			table.Each(func(id string, p *Profile) {
				if p != there[id] || table.Profile(id) != p {
					t.Errorf("%q has another profile", id)
				}
				yield(id)
			})
		})
		for range 6 {
			question := m.Ask(m.Profile(&works[rng.IntN(len(works))]))
			search := table.Search(question)
			for _, i := range rng.Perm(len(m.spans)) {
				r, n := Respect(i), 1+rng.IntN(40)
				var want, got []scored
				takers := map[string]bool{}
				for _, id := range ids {
					meeting := question.Meet(there[id])
					pair := meeting.Pair(r)
					want = append(want, scored{id, pair.Asking.Score()})
					if pair.Asked.Score() >= from[id][i] {
						takers[id] = true
					}
				}
				slices.SortFunc(want, order)
				search.Best(r, n, func(id string, meeting *Meeting) float64 {
					compared++
					got = append(got, scored{id, meeting.Pair(r).Asking.Score()})
					slices.SortFunc(got, order)
					if got = got[:min(n, len(got))]; len(got) < n {
						return math.Inf(-1)
					}
					return got[n-1].score
				})
				all += len(ids)
				if !slices.Equal(got, want[:n]) {
					t.Fatalf("seed %d, theme %d: the best %d are %v, want %v", seed, i, n, got, want[:n])
				}
				search.Takers(r, func(id string, _ *Meeting) { delete(takers, id) })
				if len(takers) > 0 {
					t.Fatalf("seed %d, theme %d: %v would have it in their lists and were not compared", seed, i, takers)
				}
			}
		}
	}
	if 2*compared > all {
		t.Errorf("%d of %d were compared: the bounds leave out too few", compared, all)
	}
}

type scored struct {
	id    string
	score float64
}

func order(a, b scored) int { return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.id, b.id)) }

// TestTableGivesBack: an artifact that goes leaves nothing behind.
func TestTableGivesBack(t *testing.T) {
	t.Parallel()
	works, labels := world(5, 60)
	m := fit(t, basisOf(t, DefaultConfig(), works), labels, nil)
	table := NewTable(m)
	empty := table.Bytes()
	for range 3 {
		for i := range works {
			table.Put(fmt.Sprint(i), m.Profile(&works[i]))
			table.Put(fmt.Sprint(i), m.Profile(&works[(i+1)%len(works)]))
		}
		for i := range works {
			table.Remove(fmt.Sprint(i))
			table.Remove(fmt.Sprint(i))
		}
		if left := table.Bytes() - empty - len(works)*table.placeBytes(); table.Len() != 0 || left != 0 {
			t.Fatalf("%d artifacts and %d bytes are left", table.Len(), left)
		}
		for _, in := range []postings{table.probable, table.near, table.excess, table.words} {
			for feature, all := range in {
				if len(all) > 0 {
					t.Fatalf("feature %d has %d postings of nobody", feature, len(all))
				}
			}
		}
	}
}
