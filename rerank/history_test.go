package rerank

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"
)

func ranked(ids string) (out []Entry) {
	for _, id := range ids {
		out = append(out, Entry{ID: string(id)})
	}
	return out
}

// sampleHistory is that of lists which end as they are returned, with a change of each kind.
func sampleHistory(tb testing.TB) (History, Lists) {
	tb.Helper()
	at := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	var h History
	var lists Lists
	for i, totals := range []string{"abcd", "eabc", "eabc", "caeb", "bf"} {
		next := both(ranked(totals), ranked(totals[1:]))
		var err error
		if h, err = h.Append(&Step{ID: "x", Before: lists, After: next, At: at.Add(time.Duration(i) * time.Second), Cause: []string{"c", "x"}[:i%3]}); err != nil {
			tb.Fatal(err)
		}
		lists = next
	}
	return h, lists
}

// TestHistory has a change of each kind: what enters, leaves, moves, moves and is a cause, and does nothing at all.
func TestHistory(t *testing.T) {
	t.Parallel()
	h, lists := sampleHistory(t)
	past, err := h.Read("x", lists)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range past.States {
		got = append(got, fmt.Sprint(s.At.Second(), s.IDs(ListTotal), s.IDs(ListGeneral), s.Cause))
	}
	// The record of c caused the last change, for c left; in the second c only slid down, which is none.
	want := []string{"0 [a b c d] [b c d] []", "1 [e a b c] [a b c] []", "3 [c a e b] [a e b] []", "4 [b f] [f] [c]"}
	if !slices.Equal(got, want) || !past.Began || past.States[0].IDs("theme") != nil {
		t.Errorf("got %q, began %v", got, past.Began)
	}
	if _, err := h.Read("x", lists[:1]); !contain(err, "history: change 3 of 3: rerank: change: lists: are 2, and 1 in the row") {
		t.Error(err)
	}
	if _, err := History(nil).Read("x", lists); !contain(err, "there is none") {
		t.Error(err)
	}
	same, err := h.Append(&Step{ID: "x", Before: lists, After: lists, At: time.Now()})
	if err != nil || !reflect.DeepEqual(same, h) {
		t.Errorf("no change became %x, %v", same, err)
	}
	early, err := h.Append(&Step{ID: "x", Before: lists, After: both(nil, nil), At: time.Time{}, Cause: []string{"x"}})
	if err != nil {
		t.Fatal(err)
	}
	past, err = early.Read("x", both(nil, nil))
	if err != nil || past.States[4].At.Second() != 4 || !slices.Equal(past.States[4].Cause, []string{"x"}) {
		t.Errorf("what comes earlier than what is before it: %+v, %v", past, err)
	}
	for n := 1; n < len(h); n++ {
		damaged := slices.Clone(h)
		damaged[n] ^= 0x80
		if past, err := damaged.Read("x", lists); err == nil && len(past.States) == 0 {
			t.Errorf("damage at %d is read as no state at all", n)
		}
	}
}

// TestFewMoves wants no more to be written of a list in another order than must be: of twenty entries of which one went to the front, one.
func TestFewMoves(t *testing.T) {
	t.Parallel()
	const letters = "abcdefghijklmnopqrst"
	e := editsOf(ranked(letters), ranked("t"+letters[:19]), nil)
	if len(e.moved) != 1 || len(e.left)+len(e.entered) > 0 {
		t.Errorf("%+v", e)
	}
	rng := rand.New(rand.NewPCG(3, 3))
	for range 300 {
		before, after := shuffled(rng, letters), shuffled(rng, letters)
		causes := map[string]bool{string(letters[rng.IntN(20)]): true}
		e := editsOf(ranked(before), ranked(after), causes)
		var ids []string
		for _, id := range after {
			ids = append(ids, string(id))
		}
		got, err := e.undo(ids)
		if err != nil || !slices.Equal(got, slices.Collect(func(yield func(string) bool) {
			for _, id := range before {
				if !yield(string(id)) {
					return
				}
			}
		})) {
			t.Fatalf("%s to %s: undone to %q, %v", before, after, got, err)
		}
		for _, id := range Diff(ranked(before), ranked(after)).Moved {
			if causes[id] && !slices.ContainsFunc(e.moved, func(one edit) bool { return one.id == id && one.marked }) {
				t.Fatalf("%s to %s: that %s moved by its own record is not written", before, after, id)
			}
		}
	}
}

func shuffled(rng *rand.Rand, letters string) string {
	b := []byte(letters)
	rng.Shuffle(len(b), func(i, j int) { b[i], b[j] = b[j], b[i] })
	return string(b[:rng.IntN(len(b)+1)])
}

// FuzzHistory: whatever a history is damaged to is an error, or a past that can be gone on with.
func FuzzHistory(f *testing.F) {
	h, lists := sampleHistory(f)
	f.Add([]byte(h))
	next := both(ranked("zb"), nil)
	f.Fuzz(func(t *testing.T, b []byte) {
		past, err := History(b).Read("x", lists)
		if err != nil {
			return
		}
		longer, err := History(b).Append(&Step{ID: "x", Before: lists, After: next, At: time.UnixMilli(1)})
		if err != nil {
			t.Fatal(err)
		}
		again, err := longer.Read("x", next)
		if err != nil {
			t.Fatal(err)
		}
		kept := len(again.States) - 1
		if kept > len(past.States) || kept < len(past.States)-1 && len(b) < MostHistory-100 {
			t.Fatalf("%d of %d states are left", kept, len(past.States))
		}
		for i, want := range past.States[len(past.States)-kept:] {
			if got := again.States[i]; !reflect.DeepEqual(got.Lists, want.Lists) || !got.At.Equal(want.At) {
				t.Fatalf("state %d became %+v, was %+v", i, got, want)
			}
		}
	})
}
