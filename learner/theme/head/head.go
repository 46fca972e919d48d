package head

import (
	"fmt"
	"math"

	"kilim/learner/tensor/vec"
	"kilim/learner/theme"
)

// Width is the length of a Vector. axes of its numbers are inner products, the last is what is missing to length 1.
const (
	Width = 64
	axes  = Width - 1
)

// Head is what a theme's vectors are made by.
type Head struct {
	theme string
	terms []string
	// rows has a row of axes numbers for each term by its probability, and behind these one for each by the nearest Works.
	rows []float32
}

// Theme is the theme that the Head is of.
func (h *Head) Theme() string { return h.theme }

// Projector makes vectors of the Profiles of one Model.
type Projector struct {
	model *theme.Model
	head  *Head
	row   []int // of a Place: where its row begins in the Head's rows, -1 for a term that was not there when the Head was fitted
}

// On binds a Head to a Model, which may know more terms than the one whose Profiles the Head was fitted by: these don't count
// until another Head is fitted. Terms that the Model no longer knows have no part either.
func (h *Head) On(m *theme.Model) (*Projector, error) {
	now := m.TermsOf(h.theme)
	if len(now) == 0 {
		return nil, fmt.Errorf("head: the model does not know the theme %q", h.theme)
	}
	number := make(map[string]int, len(h.terms))
	for i, term := range h.terms {
		number[term] = i
	}
	p := &Projector{model: m, head: h, row: make([]int, 2*len(now))}
	for i, term := range now {
		p.row[i], p.row[len(now)+i] = -1, -1
		if k, ok := number[term]; ok {
			p.row[i], p.row[len(now)+i] = k*axes, (len(h.terms)+k)*axes
		}
	}
	return p, nil
}

// Vector is an artifact's, of length 1 and Width numbers, for an index.
func (p *Projector) Vector(of *theme.Profile) []float32 {
	out := p.project(of)
	out[axes] = float32(math.Sqrt(max(0, 1-squared(out))))
	scale(out, 1/math.Sqrt(squared(out))) // where the axes, rounded, made a length slightly above 1
	return out
}

// Asking is the vector by which an artifact asks the index: cosines with it rank as the inner products of the axes. It is of length 1, or
// zeros for an artifact of which nothing in the theme is expected.
func (p *Projector) Asking(of *theme.Profile) []float32 {
	out := p.project(of)
	if length := math.Sqrt(squared(out)); length > 0 {
		scale(out, 1/length)
	}
	return out
}

// project are the inner products with the axes.
func (p *Projector) project(of *theme.Profile) []float32 {
	out := make([]float32, Width)
	for _, c := range p.model.Coordinates(p.head.theme, of) {
		if at := p.row[c.Place]; at >= 0 {
			vec.Axpy(c.Value, p.head.rows[at:at+axes], out[:axes])
		}
	}
	return out
}

func squared(v []float32) float64 {
	sum := 0.0
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	return sum
}

func scale(v []float32, by float64) {
	for i := range v {
		v[i] = float32(float64(v[i]) * by)
	}
}
