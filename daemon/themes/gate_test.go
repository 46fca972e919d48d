package themes

import (
	"maps"
	"math"
	"slices"
	"testing"
)

// TestAlphas: nothing counts before a theme is learned; then what the gate says counts, which is what the artifact's stored lists are of; and instead what the
// configuration says, of the themes that are learned.
func TestAlphas(t *testing.T) {
	t.Parallel()
	w := newWorld(t, usual())
	k := w.keeper
	w.fill(1, 160, 120)
	before, err := k.Alphas(t.Context(), w.records["a:0"].artifact(t))
	if err != nil || len(before) > 0 {
		t.Errorf("before a theme is learned: %v, %v", before, err)
	}
	w.round()
	applying := 0
	for _, r := range w.records {
		a := r.artifact(t)
		alphas, err := k.Alphas(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for name, weight := range alphas {
			sum += weight
			if answer, err := k.Similar(t.Context(), a.ID, name, 1); err != nil || !answer.Applies {
				t.Errorf("%s: %q counts %g, and its list is %+v, %v", a.ID, name, weight, answer, err)
			}
		}
		if len(alphas) > mostLists || len(alphas) > 0 && math.Abs(sum-1) > 1e-12 {
			t.Errorf("%s: %v", a.ID, alphas)
		}
		applying += len(alphas)
		best, applies, err := k.Weigh(t.Context(), a, alphas, []Candidate{{"a:1", 0.25}, {"a:2", 0.5}}, 2)
		if err != nil || len(best) != 2 || !slices.Equal(applies, slices.Sorted(maps.Keys(alphas))) {
			t.Fatalf("%s: %+v, %v, %v", a.ID, best, applies, err)
		}
		for _, b := range best {
			score := b.Evidence
			for _, name := range applies {
				score += b.Themes[name]
			}
			if score != b.Score {
				t.Errorf("%s: the parts of %+v are another sum", a.ID, b)
			}
		}
	}
	if applying == 0 {
		t.Error("no theme applies to any")
	}
	k.cfg.Weights = map[string]float64{motif: 0.5, "not learned": 2}
	for _, r := range w.records {
		if alphas, err := k.Alphas(t.Context(), r.artifact(t)); err != nil || !maps.Equal(alphas, map[string]float64{motif: 0.5}) {
			t.Fatalf("by configuration: %v, %v", alphas, err)
		}
	}
}

// TestParseWeight reads what is NAME:WEIGHT, and nothing else.
func TestParseWeight(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]float64{"music:1": 1, "a: b:c:-0.5": -0.5, "x:1000": 1000} {
		if name, weight, err := ParseWeight(text); err != nil || weight != want || name+":" != text[:len(name)+1] {
			t.Errorf("%q: %q, %g, %v", text, name, weight, err)
		}
	}
	for _, text := range []string{"", "music", ":1", "music:", "music:x", "music:NaN", "music:Inf", "music:1001"} {
		if name, weight, err := ParseWeight(text); err == nil {
			t.Errorf("%q is read as %q, %g", text, name, weight)
		}
	}
}
