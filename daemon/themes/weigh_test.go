package themes

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"kilim/learner/theme"
)

// dully weighs as Weigh says, one candidate after the other, each by a profile that is made of its record now.
func (w *world) dully(id string, weights map[string]float64, candidates []Candidate, n int) (best []Weighed) {
	m := w.keeper.serving.Load().model
	profileOf := func(id string) *theme.Profile {
		work := theme.WorkOf(w.records[id].artifact(w))
		return m.Profile(&work)
	}
	own := profileOf(id)
	applies := func(name string) bool {
		_, weighs := weights[name]
		return weighs && m.Presence(name, own) >= leastPresence
	}
	for _, c := range candidates {
		if _, there := w.records[c.ID]; !there && slices.ContainsFunc(m.Themes(), applies) {
			continue
		}
		one := Weighed{Candidate: c, Score: c.Evidence, Themes: map[string]float64{}}
		for _, name := range m.Themes() {
			if applies(name) {
				parts, _ := m.Ask(own).Compare(name, profileOf(c.ID))
				one.Themes[name] = weights[name] * parts.Score()
				one.Score += one.Themes[name]
			}
		}
		best = append(best, one)
	}
	slices.SortFunc(best, func(a, b Weighed) int { return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID)) })
	return best[:min(n, len(best))]
}

// TestWeigh: weighed lists are what the dull way says, of artifacts with room for a profile and of those without, whose profiles are made once and again after
// their records have changed.
func TestWeigh(t *testing.T) {
	t.Parallel()
	cfg := usual()
	cfg.Memory = 2 << 20 // room for the profiles of some
	w := newWorld(t, cfg)
	w.fill(7, 300, 80)
	w.round()
	s := w.keeper.serving.Load()
	if kept := s.table.Len(); kept == 0 || kept > 250 {
		t.Fatalf("%d of 300 profiles are kept", kept)
	}
	rng := rand.New(rand.NewPCG(7, 7))
	applied := 0
	weigh := func() {
		t.Helper()
		for range 6 {
			a, there := w.records[fmt.Sprintf("a:%d", rng.IntN(300))]
			if !there {
				continue
			}
			weights := map[string]float64{"motif": 1.5 - 3*rng.Float64(), "emotions, concepts: and ideas": 1.5 - 3*rng.Float64()}
			if rng.IntN(2) == 0 {
				delete(weights, "motif")
			}
			var candidates []Candidate
			for i := range 60 + rng.IntN(140) {
				candidates = append(candidates, Candidate{fmt.Sprintf("a:%d", rng.IntN(60)*5+i%5), rng.Float64()})
			}
			n := 1 + rng.IntN(len(candidates))
			got, applies, err := w.keeper.Weigh(t.Context(), a.artifact(t), weights, candidates, n)
			if err != nil {
				t.Fatal(err)
			}
			applied += len(applies)
			if want := w.dully(a.ID, weights, candidates, n); !reflect.DeepEqual(got, want) {
				t.Fatalf("weighed for %s by %v: %+v, want %+v", a.ID, weights, got, want)
			}
		}
	}
	for range 5 {
		weigh()
		if s.beside.Len() == 0 || s.beside.Len() > max(1, s.room/besidePart/besideBytes) {
			t.Fatalf("%d profiles are kept beside", s.beside.Len())
		}
		var changed []record
		for _, id := range s.beside.Keys() { // of what was just made, all
			if rng.IntN(4) == 0 {
				w.remove(id)
				continue
			}
			changed = append(changed, recordOf(rng, id, false))
		}
		w.apply(changed...)
		w.renew()
	}
	weigh()
	if applied == 0 {
		t.Error("no theme applied")
	}
}

// TestMadeMeanwhile: a profile that was made of what a record was before it changed is not kept.
func TestMadeMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, usual())
	w.fill(8, 100, 60)
	w.round()
	s := w.keeper.serving.Load()
	old := known{profile: &theme.Profile{}}
	for _, change := range []func(){func() { s.changed("z") }, func() { s.remove("z") }} {
		_, changes := s.find("z")
		change()
		if s.keep("z", old, changes); s.beside.Len() > 0 {
			t.Error("what was made of what was there before is kept")
		}
	}
	_, changes := s.find("z")
	s.keep("z", old, changes)
	if is, _ := s.find("z"); s.beside.Len() != 1 || is != old {
		t.Errorf("%d are kept, %+v", s.beside.Len(), is)
	}
}
