package theme

import (
	"cmp"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
)

// Config is what a Profiler is fitted with.
type Config struct {
	// Landmarks is how many labelled Works the model is spanned by, at most; fewer labelled Works give the exact solution.
	Landmarks int
	// Ridge is the penalty on the length of the solution: the kernel of a Work with itself is 1.
	Ridge float64
	// Neighbours is how many of the nearest labelled Works tell their terms.
	Neighbours int
	// Least is in how many labelled Works a term must occur to be predicted.
	Least int
	// Threads computes the fit.
	Threads int
}

// DefaultConfig is what daemon/experiments/themes measured.
func DefaultConfig() Config {
	return Config{Landmarks: 4096, Ridge: 0.5, Neighbours: 20, Least: 2, Threads: 1}
}

func (c Config) validate() error {
	var faults []error
	for _, f := range []struct {
		name        string
		value, from int
	}{{"landmarks", c.Landmarks, 1}, {"neighbours", c.Neighbours, 1}, {"least", c.Least, 1}, {"threads", c.Threads, 1}} {
		if f.value < f.from {
			faults = append(faults, fmt.Errorf("theme: %s %d: must be at least %d", f.name, f.value, f.from))
		}
	}
	if !(c.Ridge > 0) {
		faults = append(faults, fmt.Errorf("theme: ridge %g: must be above 0", c.Ridge))
	}
	return errors.Join(faults...)
}

// Span is where a theme's terms stand among all.
type Span struct{ From, To int }

// Profiler predicts the terms of Works. Profiles may be called by one goroutine at a time.
type Profiler struct {
	cfg       Config
	space     *Space
	terms     []string // of all themes, a theme's together
	spans     map[string]Span
	prior     []float32 // a term's share of the labelled Works
	alpha     []float32 // terms x landmarks
	rows      *rows     // the labelled Works, the landmarks first
	labels    [][]int32 // of the rows, by their terms' numbers
	landmarks *rows
	marks     int // the number of landmarks
}

// Fit makes a Profiler of the labelled ones among works, in a Space that has all of them.
func Fit(cfg Config, space *Space, works []Work) (*Profiler, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	p := &Profiler{cfg: cfg, space: space, spans: map[string]Span{}}
	labelled := p.choose(works)
	if len(labelled) == 0 {
		return nil, fmt.Errorf("theme: no term is the label of %d works", cfg.Least)
	}
	vectors := make([]Vector, len(labelled))
	for i := range labelled {
		vectors[i] = space.Vector(&labelled[i])
	}
	p.marks = min(cfg.Landmarks, len(labelled))
	p.rows = newRows(space.Len(), vectors)
	p.landmarks = newRows(space.Len(), vectors[:p.marks])
	if err := p.solve(vectors); err != nil {
		return nil, err
	}
	return p, nil
}

// choose returns the labelled Works, in the order of their ids' hashes, so that the first are a sample that does not depend on
// their order of arrival, and numbers the terms that enough of them have.
func (p *Profiler) choose(works []Work) []Work {
	df := map[string]map[string]int{}
	var labelled []Work
	for i := range works {
		for theme, labels := range works[i].Labels {
			if df[theme] == nil {
				df[theme] = map[string]int{}
			}
			for _, term := range unique(labels) {
				df[theme][term]++
			}
		}
		if len(works[i].Labels) > 0 {
			labelled = append(labelled, works[i])
		}
	}
	number := map[string]map[string]int32{}
	for _, theme := range slices.Sorted(maps.Keys(df)) {
		span := Span{From: len(p.terms)}
		number[theme] = map[string]int32{}
		for _, term := range slices.Sorted(maps.Keys(df[theme])) {
			if df[theme][term] >= p.cfg.Least {
				number[theme][term] = int32(len(p.terms))
				p.terms = append(p.terms, term)
				p.prior = append(p.prior, float32(df[theme][term])/float32(len(labelled)))
			}
		}
		if span.To = len(p.terms); span.To > span.From {
			p.spans[theme] = span
		}
	}
	if len(p.terms) == 0 {
		return nil
	}
	slices.SortFunc(labelled, func(a, b Work) int {
		return cmp.Or(cmp.Compare(idHash(a.ID), idHash(b.ID)), cmp.Compare(a.ID, b.ID))
	})
	for i := range labelled {
		var own []int32
		for theme, labels := range labelled[i].Labels {
			for _, term := range unique(labels) {
				if n, ok := number[theme][term]; ok {
					own = append(own, n)
				}
			}
		}
		slices.Sort(own)
		p.labels = append(p.labels, own)
	}
	return labelled
}

func unique(labels []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(labels)))
}

func idHash(id string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(id))
	return h.Sum64()
}

// Terms are the terms that can be predicted, a theme's together.
func (p *Profiler) Terms() []string { return p.terms }

// Spans are where the themes' terms stand among Terms. A theme of which too few labels were known is not there.
func (p *Profiler) Spans() map[string]Span { return maps.Clone(p.spans) }
