package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"

	"gonum.org/v1/gonum/mat"

	"kilim/learner/theme"
)

// What a probe is: a linear one by ridge regression, of the terms that most works have. It learns from every second work and is asked of the others.
const (
	probeRidge = 0.1
	probeTerms = 10
)

// leakage prints how well a theme's terms are told by the vectors of others: the mean area under the ROC curve of linear probes, 0.5 being chance.
// Vectors are by theme and work.
func (j *judge) leakage(w io.Writer, name string, vectors map[string][][]float32) error {
	names := slices.Sorted(maps.Keys(vectors))
	own, others, pairs, worst := 0.0, 0.0, 0, struct {
		area     float64
		of, from string
	}{}
	for _, from := range names {
		p, err := newProbe(vectors[from])
		if err != nil {
			return fmt.Errorf("the vectors of %q: %w", from, err)
		}
		for _, of := range names {
			area := 0.0
			terms := j.commonest(of)
			for _, term := range terms {
				area += p.area(j.having(of, term)) / float64(len(terms))
			}
			if of == from {
				own += area / float64(len(names))
				continue
			}
			others += area
			pairs++
			if area > worst.area {
				worst.area, worst.of, worst.from = area, of, from
			}
		}
	}
	fmt.Fprintf(w, "%s: linear probes tell the commonest terms of a theme by its own vectors with an area under the curve of %.3f, by those of another theme with %.3f (mean of %d pairs; most: %.3f, %s by the vectors of %s)\n",
		name, own, others/float64(pairs), pairs, worst.area, worst.of, worst.from)
	return nil
}

// commonest are the terms of a theme that most works have, on both sides of the probe.
func (j *judge) commonest(t string) []string {
	count := map[string]int{}
	for i, terms := range j.labels[t] {
		for _, term := range terms {
			if i%2 == 1 {
				count[term]++
			}
		}
	}
	terms := slices.SortedFunc(maps.Keys(count), func(a, b string) int { return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b)) })
	return terms[:min(probeTerms, len(terms))]
}

// having tells of each work whether it has a term.
func (j *judge) having(t, term string) []float64 {
	out := make([]float64, len(j.labels[t]))
	for i, terms := range j.labels[t] {
		if _, ok := slices.BinarySearch(terms, term); ok {
			out[i] = 1
		}
	}
	return out
}

// probe is ridge regression on vectors, with a constant.
type probe struct {
	learnt, asked *mat.Dense
	normal        mat.Cholesky
}

func newProbe(vectors [][]float32) (*probe, error) {
	n := len(vectors[0]) + 1
	side := func(odd int) *mat.Dense {
		var data []float64
		for i, v := range vectors {
			if i%2 == odd {
				for _, x := range v {
					data = append(data, float64(x))
				}
				data = append(data, 1)
			}
		}
		return mat.NewDense(len(data)/n, n, data)
	}
	p := &probe{learnt: side(0), asked: side(1)}
	var square mat.SymDense
	square.SymOuterK(1, p.learnt.T())
	for i := range n {
		square.SetSym(i, i, square.At(i, i)+probeRidge)
	}
	if !p.normal.Factorize(&square) {
		return nil, fmt.Errorf("the equations of a probe have no solution")
	}
	return p, nil
}

// area is that under the ROC curve of the works that are asked: the share of pairs, of one that has the term and one that has not, in which
// the first is ranked before the second.
func (p *probe) area(has []float64) float64 {
	var learnt, asked []float64
	for i, x := range has {
		if i%2 == 0 {
			learnt = append(learnt, x)
		} else {
			asked = append(asked, x)
		}
	}
	var right, weights, scores mat.VecDense
	right.MulVec(p.learnt.T(), mat.NewVecDense(len(learnt), learnt))
	if err := p.normal.SolveVecTo(&weights, &right); err != nil {
		return 0.5 // a probe of vectors that say nothing
	}
	scores.MulVec(p.asked, &weights)
	order := make([]int, len(asked))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(scores.AtVec(a), scores.AtVec(b)) })
	before, with, inOrder := 0.0, 0.0, 0.0
	for _, i := range order {
		if asked[i] == 1 {
			with++
			inOrder += before
		} else {
			before++
		}
	}
	if with == 0 || before == 0 {
		return 0.5
	}
	return inOrder / (with * before)
}

// coordinates are those of profiles, by theme and work.
func coordinates(m *theme.Model, profiles []*theme.Profile) [][][]theme.Coordinate {
	var out [][][]theme.Coordinate
	for _, t := range m.Themes() {
		var own [][]theme.Coordinate
		for _, p := range profiles {
			own = append(own, m.Coordinates(t, p))
		}
		out = append(out, own)
	}
	return out
}
