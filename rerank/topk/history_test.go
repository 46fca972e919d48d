package topk

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"kilim/rerank"
)

// remember notes what was told of an artifact, whole, unless ids and order are what they were.
func (a *archive) remember(u *rerank.Update) {
	state := rerank.State{At: a.now.Recorded, Cause: slices.Clone(u.Cause)}
	for _, list := range u.Lists {
		ranking := rerank.Ranking{Name: list.Name}
		for _, e := range list.Entries {
			ranking.IDs = append(ranking.IDs, e.ID)
		}
		state.Lists = append(state.Lists, ranking)
	}
	told := a.pasts[u.ID]
	if n := len(told); n > 0 && sameRankings(told[n-1].Lists, state.Lists) {
		return
	}
	a.pasts[u.ID] = append(told, state)
}

func sameRankings(a, b []rerank.Ranking) bool {
	return slices.EqualFunc(a, b, func(a, b rerank.Ranking) bool { return a.Name == b.Name && slices.Equal(a.IDs, b.IDs) })
}

// checkPast wants a row's history to be the end of what was told of the artifact, and to reach back as far as its bounds allow.
func (a *archive) checkPast(id string, row *Row) {
	a.t.Helper()
	told := a.pasts[id]
	if row.Revision == 0 {
		if len(row.History) > 0 {
			a.t.Errorf("%s was never published and has a history of %d bytes", id, len(row.History))
		}
		return
	}
	past, err := row.Past(id)
	if err != nil {
		a.t.Errorf("%s: %v", id, err)
		return
	}
	if n := len(past.States); n > len(told) || n > rerank.MostChanges+1 || len(row.History) > rerank.MostHistory {
		a.t.Errorf("%s: %d states in %d bytes, %d were told", id, n, len(row.History), len(told))
		return
	}
	told = told[len(told)-len(past.States):]
	// A change of two lists of four short ids with scores takes less than 72 bytes.
	if len(told) < len(a.pasts[id]) && len(told) <= rerank.MostChanges && len(row.History) < rerank.MostHistory-72 {
		a.t.Errorf("%s: %d of %d states are kept, in %d bytes", id, len(told), len(a.pasts[id]), len(row.History))
	}
	for i, state := range past.States {
		slices.Sort(state.Cause)
		cause := slices.Sorted(slices.Values(told[i].Cause))
		switch {
		case !sameRankings(state.Lists, told[i].Lists) || !state.At.Equal(told[i].At):
			a.t.Errorf("%s, %d of %d states:\n got %+v\nwant %+v", id, i+1, len(told), state, told[i])
		case i == 0 && len(state.Cause) > 0 || i > 0 && !slices.Equal(state.Cause, cause):
			a.t.Errorf("%s, %d of %d states: the cause is %q, want %q", id, i+1, len(told), state.Cause, cause)
		}
	}
	if began := len(told) == len(a.pasts[id]); past.Began != began {
		a.t.Errorf("%s: %d of %d states are kept; that they are all: %v", id, len(told), len(a.pasts[id]), past.Began)
	}
	for i := range told {
		at := told[i].At
		place, ok := past.AsOf(at)
		if !ok || !past.States[place].At.Equal(at) || place+1 < len(told) && !told[place+1].At.After(at) {
			a.t.Errorf("%s: as of %v it is state %d, %v", id, at, place, ok)
		}
	}
	if place, ok := past.AsOf(told[0].At.Add(-time.Millisecond)); ok {
		a.t.Errorf("%s: before all that is known it is state %d", id, place)
	}
}

// TestPastsReachBack has rows forget: with ids of every length, histories are held to what was told (archive.checkPast), and the longest ids leave room for
// no change at all.
func TestPastsReachBack(t *testing.T) {
	t.Parallel()
	for _, length := range []int{1, 40, 150, 600} {
		t.Run(fmt.Sprint(length), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(uint64(length), 31))
			h, lists := rerank.History(nil), rerank.Lists(nil)
			var told []rerank.State
			kept := map[int]bool{} // numbers of changes, once as many as there is room for had come
			for step := range 200 {
				entries := make([]rerank.Entry, 0, 6)
				for _, n := range rng.Perm(9)[:rng.IntN(6)] {
					entries = append(entries, rerank.Entry{ID: fmt.Sprintf("%0*d", length, n)})
				}
				next := rerank.Lists{{Name: rerank.ListTotal, Entries: entries}}
				at := time.UnixMilli(int64(step * 1000)).UTC()
				var err error
				if h, err = h.Append(&rerank.Step{ID: "x", Before: lists, After: next, At: at}); err != nil {
					t.Fatal(err)
				}
				lists = next
				state := rerank.State{At: at, Lists: []rerank.Ranking{{Name: rerank.ListTotal}}}
				for _, e := range entries {
					state.Lists[0].IDs = append(state.Lists[0].IDs, e.ID)
				}
				if n := len(told); n == 0 || !sameRankings(told[n-1].Lists, state.Lists) {
					told = append(told, state)
				}
				past, err := h.Read("x", lists)
				if err != nil || len(h) > rerank.MostHistory {
					t.Fatalf("%d bytes, %v", len(h), err)
				}
				n := len(past.States)
				kept[n-1] = kept[n-1] || step > 20
				for i, want := range told[len(told)-n:] {
					if got := past.States[i]; !sameRankings(got.Lists, want.Lists) || !reflect.DeepEqual(got.At, want.At) {
						t.Fatalf("step %d, state %d of %d:\n got %+v\nwant %+v", step, i+1, n, got, want)
					}
				}
				if past.Began != (n == len(told)) {
					t.Fatalf("step %d: %d of %d states, that they are all: %v", step, n, len(told), past.Began)
				}
			}
			if kept[rerank.MostChanges] != (length == 1) || kept[0] != (length >= 150) {
				t.Errorf("numbers of changes kept: %v", kept)
			}
		})
	}
}
