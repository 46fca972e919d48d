package stored

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"kilim/rerank"
)

// telling is a list as it was told, the dull copy of what a history says.
type telling struct {
	at     time.Time
	ids    []string
	scores []float64
	cause  []string
}

// clock is when the newest record came.
func (w *world) clock() time.Time { return time.UnixMilli(int64(w.revision) * 1000).UTC() }

// tell notes what a message says, unless ids and order are what they were: then the scores alone.
func (w *world) tell(m message) {
	for name, items := range m.Lists {
		key := [2]string{m.ID, strings.TrimPrefix(name, "theme:")}
		now := telling{at: w.clock(), cause: slices.Sorted(slices.Values(m.Cause))}
		for _, i := range items {
			now.ids, now.scores = append(now.ids, i.ID), append(now.scores, i.Score)
		}
		all := w.tellings[key]
		if n := len(all); n > 0 && slices.Equal(all[n-1].ids, now.ids) {
			all[n-1].scores = now.scores
			continue
		}
		w.tellings[key] = append(all, now)
	}
}

// verifyPasts wants each list to have a history that is the end of what was told of it, and no history of anything else.
func (w *world) verifyPasts() {
	w.Helper()
	if len(w.pasts) != len(w.tellings) {
		w.Errorf("there are %d histories of %d lists", len(w.pasts), len(w.tellings))
	}
	for key, told := range w.tellings {
		var r Row
		if err := r.Unmarshal(w.rows[key[0]]); err != nil {
			w.Fatal(key, err)
		}
		past, err := r.Past(key[1], w.pasts[key])
		if err != nil || past == nil || len(past.States) > len(told) || past.Began != (len(past.States) == len(told)) {
			w.Fatalf("%q: %+v, %v; was told %+v", key, past, err, told)
		}
		w.states += len(past.States)
		for i, want := range told[len(told)-len(past.States):] {
			got := past.States[i]
			list := got.Lists[0]
			if slices.Sort(got.Cause); !got.At.Equal(want.at) || list.Name != Name(key[1]) || !slices.Equal(list.IDs, want.ids) || i > 0 && !slices.Equal(got.Cause, want.cause) {
				w.Errorf("%q, state %d of %d: %+v, was told %+v", key, i+1, len(past.States), got, want)
			}
			for j, score := range list.Scores {
				if d := float64(score) - want.scores[j]; d > 0.01 || -d > 0.01 {
					w.Errorf("%q, state %d: the score of %q is %v, told was %v", key, i+1, list.IDs[j], score, want.scores[j])
				}
			}
		}
	}
}

// TestPastsAreOfWhatIsThere: after lists of another length, or that another program wrote, nothing is said of what was before, and the next change begins anew.
func TestPastsAreOfWhatIsThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3, Config{Size: 4, Themes: 2})
	for i := range 30 {
		w.put(fmt.Sprintf("a:%d", i))
	}
	w.fit()
	w.settle()
	w.verify()
	if w.states == 0 {
		t.Fatal("no state is known")
	}
	var r Row
	for key, past := range w.pasts {
		if err := r.Unmarshal(w.rows[key[0]]); err != nil {
			t.Fatal(err)
		}
		list := r.List(key[1])
		if len(list.Entries) < 2 {
			continue
		}
		list.Entries[0], list.Entries[1] = list.Entries[1], list.Entries[0]
		if got, err := r.Past(key[1], past); got != nil || err != nil {
			t.Errorf("of a list that another program wrote: %+v, %v", got, err)
		}
		if got, err := r.Past("none", past); got != nil || err != nil {
			t.Errorf("of no list: %+v, %v", got, err)
		}
	}
	// Another length: what was told stands among what is kept until something else is told.
	w.cfg.Size, w.resized = 3, true
	w.crash()
	for i := range 10 {
		w.put(fmt.Sprintf("b:%d", i))
	}
	w.settle()
	for key, past := range w.pasts {
		if err := r.Unmarshal(w.rows[key[0]]); err != nil {
			t.Fatal(err)
		}
		got, err := r.Past(key[1], past)
		if err != nil {
			t.Errorf("%q: %v", key, err)
		}
		if got != nil && len(got.States[len(got.States)-1].Lists[0].IDs) < min(3, len(r.List(key[1]).Entries)) {
			t.Errorf("%q: %+v", key, got)
		}
	}
}

// TestCheckFindsDamagedPasts: sound histories have no fault, and each kind of damage is told.
func TestCheckFindsDamagedPasts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2, Config{Size: 3, Themes: 2})
	for i := range 12 {
		w.put(fmt.Sprintf("a:%d", i))
	}
	w.fit()
	w.settle()
	for i := range 8 {
		w.put(fmt.Sprintf("b:%d", i))
		w.settle()
	}
	check := func(key [2]string, row, past []byte) (faults []string) {
		c := Checker{Revision: w.revision, Fault: func(f string) { faults = append(faults, f) }}
		c.Past(row, key[1], past)
		return faults
	}
	changed := 0
	for _, key := range slices.SortedFunc(maps.Keys(w.pasts), func(a, b [2]string) int { return strings.Compare(a[0]+a[1], b[0]+b[1]) }) {
		row, past := w.rows[key[0]], w.pasts[key]
		if faults := check(key, row, past); len(faults) > 0 {
			t.Errorf("%q: %q", key, faults)
		}
		if faults := check(key, nil, past); len(faults) != 1 || !strings.Contains(faults[0], "no such list") {
			t.Errorf("%q without a row: %q", key, faults)
		}
		if faults := check(key, row, past[:9]); len(faults) != 1 || !strings.Contains(faults[0], "there is none") {
			t.Errorf("%q cut: %q", key, faults)
		}
		if len(past) < 40 {
			continue
		}
		changed++
		if faults := check(key, row, past[:len(past)-1]); len(faults) != 1 {
			t.Errorf("%q a byte shorter: %q", key, faults)
		}
		if faults := check(key, row, append(slices.Clone(past), make([]byte, rerank.MostHistory)...)); len(faults) == 0 || !strings.Contains(faults[0], "at most") {
			t.Errorf("%q too long: %q", key, faults)
		}
	}
	if changed == 0 {
		t.Error("no list has changed")
	}
}
