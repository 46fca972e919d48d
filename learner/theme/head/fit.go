package head

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"

	"kilim/learner/tensor/vec"
	"kilim/learner/theme"
)

// How the axes are found. The subspace is wider than the axes, so that the last of them are found as fast as the first.
// TestAxesArePrincipal holds what they keep after 8 steps against the exact solution.
const (
	subspace = 80
	steps    = 8
)

// Fit makes the Head of a theme by Profiles of the Model. Between steps it looks at ctx, and returns its error when it has ended.
func Fit(ctx context.Context, m *theme.Model, name string, profiles []*theme.Profile) (*Head, error) {
	h := &Head{theme: name, terms: m.TermsOf(name)}
	if len(h.terms) == 0 {
		return nil, fmt.Errorf("head: the model does not know the theme %q", name)
	}
	works := make([][]theme.Coordinate, len(profiles))
	for i, p := range profiles {
		works[i] = m.Coordinates(name, p)
	}
	places := 2 * len(h.terms)
	width := min(places, subspace)
	basis := orthonormal(start(name, places, width))
	for range steps {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("head: the fit of %q was ended: %w", name, err)
		}
		basis = orthonormal(products(works, basis))
	}
	principal, ok := ritz(basis, products(works, basis))
	if !ok {
		return nil, fmt.Errorf("head: the axes of %q were not found in the steps that LAPACK takes at most", name)
	}
	h.rows = make([]float32, places*axes)
	for a, axis := range principal[:min(axes, width)] {
		for place, x := range axis {
			h.rows[place*axes+a] = float32(x)
		}
	}
	return h, nil
}

// start are columns that nothing of the works decides.
func start(name string, places, width int) [][]float64 {
	seed := fnv.New64a()
	_, _ = seed.Write([]byte(name))
	rng := rand.New(rand.NewPCG(seed.Sum64(), 0x4ead))
	columns := make([][]float64, width)
	for j := range columns {
		columns[j] = make([]float64, places)
		for i := range columns[j] {
			columns[j][i] = rng.NormFloat64()
		}
	}
	return columns
}

// products are X' X times each column, of the works X.
func products(works [][]theme.Coordinate, columns [][]float64) [][]float64 {
	places, width := len(columns[0]), len(columns)
	in, out, own := make([]float32, places*width), make([]float32, places*width), make([]float32, width)
	for j, column := range columns {
		for i, x := range column {
			in[i*width+j] = float32(x)
		}
	}
	for _, w := range works {
		clear(own)
		for _, c := range w {
			vec.Axpy(c.Value, in[c.Place*width:][:width], own)
		}
		for _, c := range w {
			vec.Axpy(c.Value, own, out[c.Place*width:][:width])
		}
	}
	result := make([][]float64, width)
	for j := range result {
		result[j] = make([]float64, places)
		for i := range result[j] {
			result[j][i] = float64(out[i*width+j])
		}
	}
	return result
}
