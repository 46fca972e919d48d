package theme

import (
	"context"
	"errors"
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kilim/consumer/profile"
)

// TestAgainstExactSolution: with few landmarks and with many, what each feature adds to a term is what kernel ridge regression tells
// that gonum solves at once, in float64; what the slight weights would add to a probability is little.
func TestAgainstExactSolution(t *testing.T) {
	t.Parallel()
	works, labels := world(1, 360)
	known, asked := works[:300], works[300:]
	for _, landmarks := range []int{1, 40, 300, 1000} {
		cfg := DefaultConfig()
		cfg.Landmarks, cfg.Tolerance = landmarks, 1e-6
		b := basisOf(t, cfg, known)
		m := fit(t, b, labels, nil)
		want := exactly(t, b, m)
		kept := m.weights.transposed()
		for term := range m.terms {
			got := kept.vector(term)
			if len(m.works[term]) < enough {
				if len(got) > 0 {
					t.Errorf("%q is the label of one work, and is solved", m.terms[term])
				}
				continue
			}
			for f := range b.space.len() {
				w := 0.0
				if len(got) > 0 && got[0].feature == int32(f) {
					w, got = float64(got[0].value), got[1:]
				}
				exact := want.At(f, term)
				if w == 0 && math.Abs(exact) < slight+1e-4 {
					continue
				}
				if math.Abs(w-exact) > 1e-4 {
					t.Fatalf("%d landmarks, feature %d, %q: weight %g, want %g", landmarks, f, m.terms[term], w, exact)
				}
			}
		}
		squares, told := 0.0, 0.0
		for i := range asked {
			at := b.space.vector(&asked[i])
			got := slices.Clone(m.prior)
			m.weights.timesVector(at, got)
			for term := range m.terms {
				if len(m.works[term]) < enough {
					continue
				}
				p, most := float64(m.prior[term]), 1e-3
				for _, c := range at {
					most += slight * float64(c.value)
					p += float64(c.value) * want.At(int(c.feature), term)
				}
				d := float64(got[term]) - p
				if math.Abs(d) > most {
					t.Errorf("%s, %q: probability %g, exactly %g", asked[i].ID, m.terms[term], got[term], p)
				}
				squares, told = squares+d*d, told+1
			}
		}
		if off := math.Sqrt(squares / told); off > 0.01 {
			t.Errorf("the weights that are dropped move a probability by %.4f", off)
		}
	}
}

// exactly solves (K + ridge I) a = Y - prior and returns X' a, features x terms.
func exactly(t *testing.T, b *Basis, m *Model) *mat.Dense {
	t.Helper()
	n := b.x.rows()
	x, y := mat.NewDense(n, b.space.len(), nil), mat.NewDense(n, len(m.terms), nil)
	for i := range n {
		for _, c := range b.x.vector(i) {
			x.Set(i, int(c.feature), float64(c.value))
		}
		for term := range m.terms {
			y.Set(i, term, -float64(m.prior[term]))
		}
		for _, term := range m.labels[i] {
			y.Set(i, int(term), 1-float64(m.prior[term]))
		}
	}
	k := mat.NewSymDense(n, nil)
	k.SymOuterK(1, x)
	for i := range n {
		k.SetSym(i, i, k.At(i, i)+b.cfg.Ridge)
	}
	var factor mat.Cholesky
	if !factor.Factorize(k) {
		t.Fatal("the oracle has no factor")
	}
	var a, out mat.Dense
	if err := factor.SolveTo(&a, y); err != nil {
		t.Fatal(err)
	}
	out.Mul(x.T(), &a)
	return &out
}

// TestSameForAnyOrder: neither the order of the works nor the number of threads changes a bit, nor do labels of works that are not fitted.
func TestSameForAnyOrder(t *testing.T) {
	t.Parallel()
	works, labels := world(2, 200)
	known := works[:150]
	cfg := DefaultConfig()
	cfg.Landmarks = 90
	fitted := map[string]Labels{}
	for i := range known {
		fitted[known[i].ID] = labels[known[i].ID]
	}
	want := marshal(t, fit(t, basisOf(t, cfg, known), fitted, nil))
	rng := rand.New(rand.NewPCG(3, 3))
	for threads := 1; threads <= 3; threads++ {
		cfg.Threads = threads
		known := slices.Clone(known)
		rng.Shuffle(len(known), func(i, j int) { known[i], known[j] = known[j], known[i] })
		if got := marshal(t, fit(t, basisOf(t, cfg, known), labels, nil)); got != want {
			t.Errorf("with %d threads and in another order the model differs", threads)
		}
	}
}

// TestUpdates goes through a history of labels that come, change and go, of themes that come and go: each model, made from the one before, has the bytes
// of a model that is made anew, and only the terms that changed are solved, and the themes that other works have.
func TestUpdates(t *testing.T) {
	t.Parallel()
	works, labels := world(7, 180)
	b := basisOf(t, DefaultConfig(), works)
	rng := rand.New(rand.NewPCG(8, 8))
	now := maps.Clone(labels)
	last := fit(t, b, now, nil)
	for step := range 12 {
		id := works[rng.IntN(len(works))].ID
		own := maps.Clone(now[id])
		switch step % 4 {
		case 0: // a label comes
			own["motif"] = append(slices.Clone(own["motif"]), last.terms[rng.IntN(len(last.terms))])
		case 1: // a work loses its labels
			own = nil
		case 2: // a theme comes
			for i := range works {
				more := maps.Clone(now[works[i].ID])
				if more == nil {
					more = Labels{}
				}
				more["a new one"] = []string{[]string{"x", "y", "z"}[rng.IntN(3)]}
				now[works[i].ID] = more
			}
			own = now[id]
		case 3: // and goes
			for i := range works {
				fewer := maps.Clone(now[works[i].ID])
				delete(fewer, "a new one")
				now[works[i].ID] = fewer
			}
			own = now[id]
		}
		now[id] = own
		fresh := fit(t, b, now, nil)
		if next := fit(t, b, now, last); marshal(t, next) != marshal(t, fresh) {
			t.Fatalf("step %d: the updated model differs from a new one", step)
		}
		_, open, _ := b.takeOver(fresh, last)
		if most := []int{1 + 1, 6 + 3, 3 + 1, 0}[step%4]; len(open) > most {
			t.Errorf("step %d: %d terms and themes are solved, at most %d changed", step, len(open), most)
		}
		last = fresh
	}
	// A model of another basis gives nothing.
	other := fit(t, basisOf(t, DefaultConfig(), works[:170]), now, nil)
	if marshal(t, fit(t, b, now, other)) != marshal(t, last) {
		t.Error("the model of another basis leaves a trace")
	}
}

// TestLabelsAreNoFeatures: a work of an artifact is the same whatever its theme labels are.
func TestLabelsAreNoFeatures(t *testing.T) {
	t.Parallel()
	var made []Work
	for _, labels := range []string{``, `,"theme":{"motif":["horse"]}`, `,"theme":{"motif":["horse","rider"],"craft":["linen"]}`} {
		a, err := profile.Parse([]byte(`{"id":"a","title":"A rider","material":["oil on canvas"],"date":{"begin":1871,"end":1874}`+labels+`}`), "", profile.DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		if labels != "" && len(a.Theme) == 0 {
			t.Fatal("the artifact has no labels")
		}
		made = append(made, WorkOf(a))
	}
	for _, w := range made[1:] {
		if !reflect.DeepEqual(w, made[0]) {
			t.Errorf("the work %+v knows labels: without them it is %+v", w, made[0])
		}
	}
}

// TestRefusals: settings that mean nothing are named, all together; works that can't be told apart and labels that are too few are told.
func TestRefusals(t *testing.T) {
	t.Parallel()
	works, _ := world(6, 3)
	_, err := NewBasis(Config{}, works)
	for _, name := range []string{"landmarks", "ridge", "tolerance", "threads"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v does not name %s", err, name)
		}
	}
	if _, err := NewBasis(DefaultConfig(), nil); err == nil {
		t.Error("a basis of nothing is made")
	}
	if _, err := NewBasis(DefaultConfig(), append(works, works[1])); err == nil || !strings.Contains(err.Error(), works[1].ID) {
		t.Errorf("a work that is there twice: %v", err)
	}
	b := basisOf(t, DefaultConfig(), works)
	if _, err := b.Fit(t.Context(), map[string]Labels{works[0].ID: {"motif": {"horse", "horse"}}, "of another": {"motif": {"horse"}}}, nil); err == nil {
		t.Error("a term of one work is fitted")
	}
}

// TestFitEnds: a fit ends with its context.
func TestFitEnds(t *testing.T) {
	t.Parallel()
	works, labels := world(15, 50)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := basisOf(t, DefaultConfig(), works).Fit(ctx, labels, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("after its context has ended: %v", err)
	}
}

// TestEqualWorks: records of the same content, and records of none, are fitted.
func TestEqualWorks(t *testing.T) {
	t.Parallel()
	works, labels := world(9, 40)
	for i := range 20 {
		works[i+20].Title, works[i+20].Texts, works[i+20].Shared = works[0].Title, works[0].Texts, works[0].Shared
	}
	works[5] = Work{ID: works[5].ID}
	m := fit(t, basisOf(t, DefaultConfig(), works), labels, nil)
	blank, full := m.Profile(&Work{}), m.Profile(&works[0])
	for _, parts := range []Parts{m.Ask(blank).General(full), m.Ask(full).General(blank), m.Ask(blank).General(blank), m.Ask(full).General(full)} {
		if s := parts.Score(); !(s >= 0 && s < 10) {
			t.Errorf("the score %g of %+v", s, parts)
		}
	}
}
