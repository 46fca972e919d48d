package theme

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// TestBalance: a theme applies from the probability on that as many fitted works reach as have its labels, by regressions that gonum solves without the
// works that they are asked of.
func TestBalance(t *testing.T) {
	t.Parallel()
	works, labels := world(21, 203)
	cfg := DefaultConfig()
	cfg.Landmarks, cfg.Tolerance = 40, 1e-6
	b := basisOf(t, cfg, works)
	m := fit(t, b, labels, nil)
	for i, s := range m.spans {
		g := &m.gates[i]
		unseen := make([]float32, b.n)
		for fold := range folds {
			var seen []int
			for row := range b.n {
				if row%folds != fold {
					seen = append(seen, row)
				}
			}
			k, y := mat.NewSymDense(len(seen), nil), mat.NewVecDense(len(seen), nil)
			for x, row := range seen {
				for z := range x + 1 {
					k.SetSym(x, z, b.x.vector(row).dot(b.x.vector(seen[z])))
				}
				k.SetSym(x, x, k.At(x, x)+cfg.Ridge)
				y.SetVec(x, -float64(g.share))
				if slices.Contains(g.works, int32(row)) {
					y.SetVec(x, 1-float64(g.share))
				}
			}
			var factor mat.Cholesky
			if !factor.Factorize(k) {
				t.Fatal("the oracle has no factor")
			}
			var a mat.VecDense
			if err := factor.SolveVecTo(&a, y); err != nil {
				t.Fatal(err)
			}
			for row := fold; row < b.n; row += folds {
				p := float64(g.share)
				for x, other := range seen {
					p += a.AtVec(x) * b.x.vector(row).dot(b.x.vector(other))
				}
				unseen[row] = probability(float32(p))
			}
		}
		slices.Sort(unseen)
		if want := max(leastApplies, unseen[b.n-len(g.works)]); math.Abs(float64(g.least-want)) > 1e-4 {
			t.Errorf("theme %q applies from %g on, want %g", s.theme, g.least, want)
		}
	}
}

// TestGate: of works that were not fitted about as many have a theme by the gate as have its labels, mostly the same; what themes count sums to 1, of
// no more themes than are wanted; and where all have a theme it applies to all.
func TestGate(t *testing.T) {
	t.Parallel()
	works, labels := world(22, 900)
	m := fit(t, basisOf(t, DefaultConfig(), works[:600]), labels, nil)
	admitted, labelled, both := map[string]int{}, map[string]int{}, map[string]int{}
	for i := range works[600:] {
		w := &works[600+i]
		p := m.Profile(w)
		all := m.Gate(p, len(m.spans))
		if two := m.Gate(p, 2); len(two) != min(2, len(all)) || len(two) > 0 && two[0].Theme != all[0].Theme {
			t.Fatalf("%v of %v", two, all)
		}
		sum := 0.0
		for _, a := range all {
			sum += a.Weight
			if m.Presence(a.Theme, p) < leastApplies {
				t.Fatalf("%v are by %g", a, m.Presence(a.Theme, p))
			}
			admitted[a.Theme]++
			if len(labels[w.ID][a.Theme]) > 0 {
				both[a.Theme]++
			}
		}
		if len(all) > 0 && math.Abs(sum-1) > 1e-12 {
			t.Fatalf("the weights of %v sum to %g", all, sum)
		}
		for name := range labels[w.ID] {
			labelled[name]++
		}
	}
	for _, name := range []string{"craft", "motif"} {
		if off := float64(admitted[name]-labelled[name]) / 300; math.Abs(off) > 0.1 {
			t.Errorf("%q applies to %d of 300, and %d have labels of it", name, admitted[name], labelled[name])
		}
		if share := float64(both[name]) / float64(admitted[name]); share < 0.85 {
			t.Errorf("of those that %q applies to %.2f have labels of it", name, share)
		}
	}
	if admitted["number"] != 300 {
		t.Errorf("all have a number, and it applies to %d of 300", admitted["number"])
	}
}
