package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"kilim/internal/cputime"
	"kilim/learner/tensor/vec"
	"kilim/learner/theme"
	"kilim/learner/theme/head"
)

// byHeads is the name of the ranking by one vector a theme.
const byHeads = "kilim, heads alone"

// candidates is how many works a list would be drawn up from: those whose vectors are the nearest.
const candidates = 200

// heads are the vectors of the ranked works in each theme, and what was measured of them as candidates.
type heads struct {
	projectors map[string]*head.Projector
	vectors    map[string][][]float32
	recall     figures
}

// newHeads fits the heads of all themes by the profiles of the fitted works, and says what that took.
func newHeads(ctx context.Context, stdout io.Writer, m *theme.Model, fitted, ranked []*theme.Profile) (*heads, error) {
	h := &heads{projectors: map[string]*head.Projector{}, vectors: map[string][][]float32{}, recall: figures{}}
	var fit, project time.Duration
	bytes := 0
	for _, t := range m.Themes() {
		start := cputime.Spent()
		own, err := head.Fit(ctx, m, t, fitted)
		if err != nil {
			return nil, err
		}
		fit += cputime.Spent() - start
		data, err := own.MarshalBinary()
		if err != nil {
			return nil, err
		}
		bytes += len(data)
		p, err := own.On(m)
		if err != nil {
			return nil, err
		}
		start = cputime.Spent()
		for _, profile := range ranked {
			h.vectors[t] = append(h.vectors[t], p.Vector(profile))
		}
		project += cputime.Spent() - start
		h.projectors[t] = p
	}
	n := time.Duration(len(h.projectors))
	fmt.Fprintf(stdout, "heads: %v to fit one, %v a vector, all together %d KB in files\n",
		(fit / n).Round(time.Millisecond), (project / (n * time.Duration(len(ranked)))).Round(10*time.Nanosecond), bytes>>10)
	return h, nil
}

// scores are those of the ranked works by their vectors; nil in a theme that the model does not know.
func (h *heads) scores(t string, asking *theme.Profile) []float64 {
	p, ok := h.projectors[t]
	if !ok {
		return nil
	}
	q, out := p.Asking(asking), make([]float64, len(h.vectors[t]))
	for i, v := range h.vectors[t] {
		out[i] = float64(vec.Dot(q, v))
	}
	return out
}

// found is the share of the best by the whole score that are among the candidates by the vectors.
func found(query int, whole, vectors []float64) float64 {
	first := func(scores []float64, n int) []int {
		order := make([]int, 0, len(scores))
		for i := range scores {
			if i != query {
				order = append(order, i)
			}
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
		return order[:min(n, len(order))]
	}
	near, hits := first(vectors, candidates), 0
	want := first(whole, best)
	for _, i := range want {
		if slices.Contains(near, i) {
			hits++
		}
	}
	return float64(hits) / float64(len(want))
}

// printRecall says how well the vectors serve as candidates: in the mean of the themes, and in the worst.
func (h *heads) printRecall(w io.Writer) {
	sum, worst := 0.0, ""
	for t, r := range h.recall {
		sum += r
		if worst == "" || r < h.recall[worst] || r == h.recall[worst] && t < worst {
			worst = t
		}
	}
	fmt.Fprintf(w, "of the first %d by the whole score, %.3f are among the first %d by the heads (mean of themes; least: %.3f in %s)\n",
		best, sum/float64(len(h.recall)), candidates, h.recall[worst], worst)
}
