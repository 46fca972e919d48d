package rerank

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestHistoryHasScores publishes lists with scores of any size, some without a change of ids, and holds the scores of each state against what was published last in it.
func TestHistoryHasScores(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 9))
		size := math.Pow(10, float64(rng.IntN(9)-4))
		var h History
		var lists Lists
		var told []Lists
		for step := range 30 {
			next := both(ranked(shuffled(rng, "abcdef")), ranked(shuffled(rng, "abcdef")))
			if step > 0 && rng.IntN(3) == 0 {
				next = Lists{{lists[0].Name, slices.Clone(lists[0].Entries)}, {lists[1].Name, slices.Clone(lists[1].Entries)}}
			}
			for _, list := range next {
				for i := range list.Entries {
					list.Entries[i].Score = float32(size * rng.NormFloat64())
				}
			}
			before := len(h)
			longer, err := h.Append(&Step{ID: "x", Before: lists, After: next, At: time.UnixMilli(int64(step))})
			if err != nil {
				t.Fatal(err)
			}
			if before > 0 && slices.Equal(longer, h) {
				told = told[:len(told)-1]
			}
			h, lists, told = longer, next, append(told, next)
		}
		past, err := h.Read("x", lists)
		if err != nil {
			t.Fatal(err)
		}
		told = told[len(told)-len(past.States):]
		for i, state := range past.States {
			for _, list := range state.Lists {
				want := told[i].Get(list.Name)
				if list.Name == ListGeneral {
					want = nil
				}
				if len(list.Scores) != len(want) {
					t.Fatalf("seed %d, state %d: %d scores of %s, want %d", seed, i, len(list.Scores), list.Name, len(want))
				}
				most := float32(0)
				for _, e := range want {
					most = max(most, float32(math.Abs(float64(e.Score))))
				}
				for j, got := range list.Scores {
					if d := got - want[j].Score; d > most/120 || -d > most/120 || want[j].ID != list.IDs[j] {
						t.Errorf("seed %d, state %d: %s has %v, want %v", seed, i, list.IDs[j], got, want[j])
					}
				}
			}
		}
	}
}

// TestHistoryWithoutScores reads a change as it was written before there were scores, and one after it.
func TestHistoryWithoutScores(t *testing.T) {
	t.Parallel()
	a, b := Lists{{ListTotal, []Entry{{ID: "a", Score: 0.5}}}}, Lists{{ListTotal, []Entry{{ID: "b", Score: 0.25}}}}
	record, _ := encodeStep(&Step{ID: "x", Before: nil, After: a})
	old := slices.Clone(record)
	old[0] &^= withScores
	h, err := begin(false, 1, []historyRecord{{1, old}}).Append(&Step{ID: "x", Before: a, After: b, At: time.UnixMilli(9)})
	if err != nil {
		t.Fatal(err)
	}
	past, err := h.Read("x", b)
	if err != nil || len(past.States) != 3 {
		t.Fatalf("%+v, %v", past, err)
	}
	for i, want := range [][]float32{nil, {0.5}, {0.25}} {
		got := past.States[i].Lists[0].Scores
		if len(got) != len(want) || len(want) > 0 && math.Abs(float64(got[0]-want[0])) > 0.005 {
			t.Errorf("state %d: %v, want %v", i, got, want)
		}
	}
	record, _ = encodeStep(&Step{ID: "x", Before: a, After: b})
	record[0] &^= withScores
	record = record[:len(record)-3] // as before: no scores behind the edits
	past, err = begin(false, 1, []historyRecord{{1, record}}).Read("x", b)
	if err != nil || past.States[0].Lists[0].Scores != nil || !slices.Equal(past.States[0].IDs(ListTotal), []string{"a"}) {
		t.Errorf("%+v, %v", past, err)
	}
}
