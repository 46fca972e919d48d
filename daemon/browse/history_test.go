package browse

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"kilim/rerank"
)

// told is one list as it was published at a time: the dull copy.
type told struct {
	at  time.Time
	ids []string
}

// TestHistoryOf publishes random lists, writes down each, and asks for the list as of moments before, between and after them. As far as what is kept reaches,
// the answer is what was written down, and applying its turns to it one after another ends at the list of now.
func TestHistoryOf(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 5))
		var all []told
		var history rerank.History
		var lists rerank.Lists
		clock := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
		for range 1 + rng.IntN(40) {
			clock = clock.Add(time.Duration(rng.IntN(3)) * time.Hour)
			next := rerank.Lists{{Name: rerank.ListTotal, Entries: some(rng)}, {Name: rerank.ListGeneral, Entries: some(rng)}}
			var err error
			if history, err = history.Append(&rerank.Step{ID: "x", Before: lists, After: next, At: clock}); err != nil {
				t.Fatal(err)
			}
			lists = next
			now := told{at: clock}
			for _, e := range next[0].Entries {
				now.ids = append(now.ids, e.ID)
			}
			all = append(all, now)
		}
		past, err := history.Read("x", lists)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			since := all[0].at.Add(time.Duration(rng.IntN(100)-10) * time.Hour)
			checkSince(t, fmt.Sprintf("seed %d since %v", seed, since), HistoryOf(past, "x", rerank.ListTotal, since), all, since)
		}
		h := HistoryOf(past, "x", rerank.ListTotal, time.Time{})
		if h.Since != nil || !h.Reaches {
			t.Errorf("seed %d: without a date: since %v, reaches %v", seed, h.Since, h.Reaches)
		}
		checkSince(t, fmt.Sprint("seed ", seed), h, all, h.KnownSince)
	}
}

// checkSince holds an answer against the dull copy.
func checkSince(t *testing.T, what string, h *History, all []told, since time.Time) {
	t.Helper()
	if h.Complete && !h.KnownSince.Equal(all[0].at) || h.Reaches != (h.Complete || !since.Before(h.KnownSince)) {
		t.Errorf("%s: known since %v, complete %v, reaches %v; the first is of %v", what, h.KnownSince, h.Complete, h.Reaches, all[0].at)
	}
	want := []string{} // before the first list there was none
	for _, one := range all {
		if !one.at.After(since) {
			want = one.ids
		}
	}
	if h.Reaches && !slices.Equal(h.Items, want) && !h.KnownSince.Equal(since) {
		t.Errorf("%s: the list was %q, want %q", what, h.Items, want)
	}
	last := all[len(all)-1].ids
	for _, moves := range [][]Move{h.Entered, h.Left, h.Moved} {
		for _, m := range moves {
			if m.From != rankOf(h.Items, m.ID) || m.To != rankOf(last, m.ID) {
				t.Errorf("%s: %+v, from %q to %q", what, m, h.Items, last)
			}
		}
	}
	for _, id := range slices.Concat(h.Items, last) {
		before, after := rankOf(h.Items, id) > 0, rankOf(last, id) > 0
		entered := slices.ContainsFunc(h.Entered, func(m Move) bool { return m.ID == id })
		left := slices.ContainsFunc(h.Left, func(m Move) bool { return m.ID == id })
		if entered != (after && !before) || left != (before && !after) {
			t.Errorf("%s: %s has entered: %v, has left: %v, from %q to %q", what, id, entered, left, h.Items, last)
		}
	}
	now := slices.Clone(h.Items)
	for i := len(h.Turns) - 1; i >= 0; i-- {
		if turn := h.Turns[i]; h.Reaches && h.Since != nil && !turn.At.After(since) || i > 0 && h.Turns[i-1].At.Before(turn.At) {
			t.Errorf("%s: turn %d is of %v", what, i, turn.At)
		}
		now = turned(now, h.Turns[i].Moves)
	}
	if !slices.Equal(now, last) {
		t.Errorf("%s: the turns lead from %q to %q, want %q", what, h.Items, now, last)
	}
}

// turned puts who entered and moved where a turn says, and the others behind one another in what places are left.
func turned(ids []string, moves []Move) []string {
	to := map[string]int{}
	for _, m := range moves {
		to[m.ID] = m.To
	}
	rest := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { _, ok := to[id]; return ok })
	size := len(rest)
	for _, rank := range to {
		if rank > 0 {
			size++
		}
	}
	out := make([]string, size)
	for id, rank := range to {
		if rank > 0 {
			out[rank-1] = id
		}
	}
	for i := range out {
		if out[i] == "" {
			out[i], rest = rest[0], rest[1:]
		}
	}
	return out
}

func some(rng *rand.Rand) (out []rerank.Entry) {
	for _, n := range rng.Perm(12)[:rng.IntN(8)] {
		out = append(out, rerank.Entry{ID: fmt.Sprint("a", n)})
	}
	return out
}

// TestMetOf follows one artifact in the two lists of another, from a beginning that is known and from one that is forgotten.
func TestMetOf(t *testing.T) {
	t.Parallel()
	at := func(hour int) time.Time { return time.Date(2026, 11, 1, hour, 0, 0, 0, time.UTC) }
	state := func(hour int, total, general string, cause ...string) rerank.State {
		return rerank.State{At: at(hour), Cause: cause, Lists: []rerank.Ranking{{Name: "total", IDs: ids(total)}, {Name: "general", IDs: ids(general)}}}
	}
	past := &rerank.Past{Began: true, States: []rerank.State{
		state(1, "ab", "b"), state(2, "xab", "b", "x"), state(3, "axb", "b"), state(4, "axb", "bx", "b", "x"), state(5, "ab", "bx", "x"),
	}}
	want := []Rank{
		{at(5), "total", 2, 0, []string{"x"}}, {at(4), "general", 0, 2, []string{"b", "x"}}, {at(3), "total", 1, 2, []string{}}, {at(2), "total", 0, 1, []string{"x"}},
	}
	if m := MetOf("x", past); !m.Complete || !m.KnownSince.Equal(at(1)) || !reflect.DeepEqual(m.Turns, want) {
		t.Errorf("x: %+v", m)
	}
	if m := MetOf("nobody", past); m.Turns == nil || len(m.Turns) > 0 {
		t.Errorf("nobody: %+v", m)
	}
	first := []Rank{{at(1), "total", 0, 2, []string{}}, {at(1), "general", 0, 1, []string{}}}
	if m := MetOf("b", &rerank.Past{Began: true, States: past.States[:1]}); !reflect.DeepEqual(m.Turns, first) {
		t.Errorf("b entered with the first lists: %+v", m)
	}
	first[0].From, first[1].From = 2, 1
	if m := MetOf("b", &rerank.Past{States: past.States[:1]}); !reflect.DeepEqual(m.Turns, first) {
		t.Errorf("b stood there when what is known begins: %+v", m)
	}
}

// TestMetOfThemes has turns of several pasts stand by their times, and scores list by list.
func TestMetOfThemes(t *testing.T) {
	t.Parallel()
	at := func(hour int) time.Time { return time.Date(2026, 11, 1, hour, 0, 0, 0, time.UTC) }
	state := func(hour int, name, in string, scores ...float32) rerank.State {
		return rerank.State{At: at(hour), Lists: []rerank.Ranking{{Name: name, IDs: ids(in), Scores: scores}}}
	}
	total := &rerank.Past{States: []rerank.State{state(2, "total", "ab"), state(4, "total", "xa", 0.5, 0.25), state(6, "total", "ax", 0.75, 0.5)}}
	theme := &rerank.Past{Began: true, States: []rerank.State{state(3, "theme:a", "x", 0.25), state(5, "theme:a", "a", 0.5)}}
	m := MetOf("x", total, theme)
	if want := []Rank{
		{at(6), "total", 1, 2, []string{}}, {at(5), "theme:a", 1, 0, []string{}}, {at(4), "total", 0, 1, []string{}}, {at(3), "theme:a", 0, 1, []string{}},
	}; m.Complete || !m.KnownSince.Equal(at(2)) || !reflect.DeepEqual(m.Turns, want) {
		t.Errorf("%+v", m)
	}
	five, six := at(5), at(6)
	if want := []Scored{{"total", at(4), &six, 0.5}, {"total", at(6), nil, 0.5}, {"theme:a", at(3), &five, 0.25}}; !reflect.DeepEqual(m.Scores, want) {
		t.Errorf("scores: %+v", m.Scores)
	}
}

func ids(letters string) (out []string) {
	for _, l := range letters {
		out = append(out, string(l))
	}
	return out
}
