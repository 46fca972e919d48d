package theme

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kilim/graphstore/weave"
)

// world makes works of an invented archive: each is of some topics, which give it words in its text, entities, and, by theme,
// terms.
func world(seed uint64, n int) []Work {
	rng := rand.New(rand.NewPCG(seed, 11))
	works := make([]Work, n)
	for i := range works {
		w := Work{ID: fmt.Sprintf("w:%d", i), Labels: map[string][]string{}}
		var said []string
		for range 1 + rng.IntN(3) {
			topic := rng.IntN(12)
			for range 4 {
				said = append(said, fmt.Sprintf("word%cq%d", 'a'+topic, rng.IntN(6)))
			}
			w.Entities = append(w.Entities, fmt.Sprintf("place %d", topic/2))
			name := []string{"motif", "craft"}[topic%2]
			w.Labels[name] = append(w.Labels[name], fmt.Sprintf("term %d", topic))
		}
		for range 6 {
			said = append(said, fmt.Sprintf("noise%d", rng.IntN(200)))
		}
		w.Title = weave.Text{Body: strings.Join(said[:2], " ")}
		w.Texts = []weave.Text{w.Title, {Body: strings.Join(said, " ")}}
		works[i] = w
	}
	return works
}

func fitted(t *testing.T, cfg Config, works []Work) *Profiler {
	t.Helper()
	space, err := NewSpace(works)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Fit(cfg, space, works)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func profiles(t *testing.T, p *Profiler, works []Work) []Profile {
	t.Helper()
	out, err := p.Profiles(works)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestAgainstExactSolution: with a landmark for each labelled work the probabilities are those of kernel ridge regression solved
// at once in float64, and with a third of them they are near.
func TestAgainstExactSolution(t *testing.T) {
	t.Parallel()
	works := world(1, 360)
	known, asked := works[:300], works[300:]
	cfg := DefaultConfig()
	p := fitted(t, cfg, known)

	// The oracle: (K + ridge I) a = Y - prior, over the same works in the order of the feed.
	n := len(known)
	k := mat.NewSymDense(n, nil)
	vectors := make([]Vector, n)
	for i := range known {
		vectors[i] = p.space.Vector(&known[i])
		for j := range i + 1 {
			k.SetSym(i, j, product(vectors[i], vectors[j]))
		}
		k.SetSym(i, i, k.At(i, i)+cfg.Ridge)
	}
	y := mat.NewDense(n, len(p.terms), nil)
	for i := range known {
		for theme, span := range p.spans {
			for term := span.From; term < span.To; term++ {
				has := 0.0
				if slices.Contains(known[i].Labels[theme], p.terms[term]) {
					has = 1
				}
				y.Set(i, term, has-float64(p.prior[term]))
			}
		}
	}
	var factor mat.Cholesky
	if !factor.Factorize(k) {
		t.Fatal("the oracle has no factor")
	}
	var alpha mat.Dense
	if err := factor.SolveTo(&alpha, y); err != nil {
		t.Fatal(err)
	}
	want := mat.NewDense(len(asked), len(p.terms), nil)
	for q := range asked {
		v := p.space.Vector(&asked[q])
		for i := range vectors {
			k := product(v, vectors[i])
			for term := range p.terms {
				want.Set(q, term, want.At(q, term)+k*alpha.At(i, term))
			}
		}
	}
	few := cfg
	few.Landmarks = n / 3
	approximate := profiles(t, fitted(t, few, known), asked)
	lost, told := 0.0, 0.0
	for i, got := range profiles(t, p, asked) {
		for term := range p.terms {
			prior := float64(p.prior[term])
			w := max(unlikely, min(prior+want.At(i, term), certain))
			if d := math.Abs(float64(got.Probable[term]) - w); d > 2e-3 {
				t.Fatalf("%s, %q: probability %g, want %g", asked[i].ID, p.terms[term], got.Probable[term], w)
			}
			d := float64(approximate[i].Probable[term]) - w
			lost, told = lost+d*d, told+(w-prior)*(w-prior)
		}
	}
	if share := lost / told; share > 0.2 {
		t.Errorf("with a third of the landmarks %.2f of what the exact solution tells beyond the prior is lost", share)
	}
}

func product(a, b Vector) float64 {
	of := map[int32]float64{}
	for _, c := range a {
		of[c.Feature] = float64(c.Value)
	}
	sum := 0.0
	for _, c := range b {
		sum += of[c.Feature] * float64(c.Value)
	}
	return sum
}

// TestSameForAnyOrder: neither the order of the works nor the number of threads changes a bit, nor do the labels of works that
// are only asked about.
func TestSameForAnyOrder(t *testing.T) {
	t.Parallel()
	works := world(2, 200)
	known, asked := works[:150], works[150:]
	cfg := DefaultConfig()
	cfg.Landmarks = 90
	want := profiles(t, fitted(t, cfg, known), asked)
	rng := rand.New(rand.NewPCG(3, 3))
	for threads := 1; threads <= 3; threads++ {
		cfg.Threads = threads
		known, hidden := slices.Clone(known), slices.Clone(asked)
		rng.Shuffle(len(known), func(i, j int) { known[i], known[j] = known[j], known[i] })
		for i := range hidden {
			hidden[i].Labels = nil
		}
		for i, got := range profiles(t, fitted(t, cfg, known), hidden) {
			if !slices.Equal(got.Probable, want[i].Probable) || !slices.Equal(got.Near, want[i].Near) {
				t.Fatalf("with %d threads the profile of %s differs", threads, asked[i].ID)
			}
		}
	}
}

// TestExpectedJaccard: of terms that are certain it is their Jaccard similarity.
func TestExpectedJaccard(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(4, 4))
	for range 200 {
		a, b := make([]float32, 9), make([]float32, 9)
		both, either := 0, 0
		for i := range a {
			a[i], b[i] = float32(rng.IntN(2)), float32(rng.IntN(2))
			if a[i] == 1 && b[i] == 1 {
				both++
			}
			if a[i] == 1 || b[i] == 1 {
				either++
			}
		}
		if !slices.Contains(a, 1) {
			continue
		}
		if got, want := expect(a).jaccard(b), float64(both)/float64(either); math.Abs(got-want) > 1e-6 {
			t.Errorf("%v and %v: %g, want %g", a, b, got, want)
		}
	}
}

// TestRanksBetterThanWords: works that were not fitted find those of their terms better by their profiles than by their words.
func TestRanksBetterThanWords(t *testing.T) {
	t.Parallel()
	works := world(5, 700)
	known, asked := works[:500], works[500:]
	p := fitted(t, DefaultConfig(), known)
	all := profiles(t, p, asked)
	first := func(w Weights) float64 {
		r, found, queries := NewRanker(p, w), 0.0, 0.0
		for i := range asked {
			query, ok := r.Query(&all[i], "motif")
			if !ok {
				t.Fatal("no theme motif")
			}
			if len(asked[i].Labels["motif"]) == 0 {
				continue
			}
			best, score := -1, math.Inf(-1)
			for j := range asked {
				parts := query.Parts(&all[j])
				if s := parts.Score(); i != j && s > score {
					best, score = j, s
				}
			}
			queries++
			if slices.ContainsFunc(asked[i].Labels["motif"], func(term string) bool { return slices.Contains(asked[best].Labels["motif"], term) }) {
				found++
			}
		}
		return found / queries
	}
	profile, words := first(DefaultWeights()), first(Weights{Words: 1})
	if profile < words+0.05 {
		t.Errorf("the nearest shares a term in %.2f of the queries by profiles, in %.2f by words", profile, words)
	}
	if _, ok := NewRanker(p, DefaultWeights()).Query(&all[0], "music"); ok {
		t.Error("a theme without labels ranks")
	}
}

// TestRefusals: settings that mean nothing are named, all together; and labels that are too few are told.
func TestRefusals(t *testing.T) {
	t.Parallel()
	works := world(6, 3)
	space, err := NewSpace(works)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Fit(Config{}, space, works)
	for _, name := range []string{"landmarks", "ridge", "neighbours", "least", "threads"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v does not name %s", err, name)
		}
	}
	for i := range works {
		works[i].Labels = nil
	}
	if _, err := Fit(DefaultConfig(), space, works); err == nil {
		t.Error("works without labels are fitted")
	}
}
