package rank

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Query is a judged artifact with the candidates that stage 1 found for it.
type Query struct {
	// Key names the query: no two of a Fit have the same.
	Key string
	// Group names those that are held out together, since who has seen one of them knows of the others; "": the query is by itself.
	Group      string
	Candidates []Candidate
}

// Candidate is one of a Query's.
type Candidate struct {
	// Features are in the order of the names that Fit is given, all finite.
	Features []float32
	// Prior is the score by stated weights, from which the learned one departs.
	Prior float32
	// Grade is how alike the two were judged to be: 0 for what nobody judged.
	Grade float32
}

// LeastQueries is the number of queries, of groups of their own, below which nothing is learned: with fewer, what is held out says nothing.
const LeastQueries = 10

// ErrTooFew is wrapped by Fit's error about queries that have something to learn from and are of fewer than LeastQueries groups.
var ErrTooFew = errors.New("too few judged queries")

// maxFeatures bounds the features of a Model, and mostLeaves the leaves of a tree.
const (
	maxFeatures = 256
	mostLeaves  = 16 // a bit each, see quick
)

// samples are the candidates of several queries, laid out for Fit: those of query q are starts[q] to starts[q+1].
type samples struct {
	keys, groups  []string
	starts        []int
	prior, grades []float64
	// columns are the values of each feature.
	columns [][]float32
}

// newSamples checks queries and lays them out in an order of its own: that in which they and their candidates were given leaves no
// trace. A query of which all candidates have the same grade says nothing, and is left out.
func newSamples(features int, queries []Query) (*samples, error) {
	sorted := slices.Clone(queries)
	slices.SortFunc(sorted, func(a, b Query) int { return cmp.Compare(a.Key, b.Key) })
	s := &samples{starts: []int{0}, columns: make([][]float32, features)}
	for i, q := range sorted {
		if i > 0 && q.Key == sorted[i-1].Key {
			return nil, fmt.Errorf("query %q comes twice", q.Key)
		}
		for j, c := range q.Candidates {
			if err := c.check(features); err != nil {
				return nil, fmt.Errorf("query %q, candidate %d: %w", q.Key, j, err)
			}
		}
		if q.telling() {
			s.add(q)
		}
	}
	return s, nil
}

func (c *Candidate) check(features int) error {
	if len(c.Features) != features {
		return fmt.Errorf("has %d features, want %d", len(c.Features), features)
	}
	for f, v := range c.Features {
		if !finite(v) {
			return fmt.Errorf("feature %d is %v, want a finite number", f, v)
		}
	}
	if !finite(c.Prior) {
		return fmt.Errorf("prior is %v, want a finite number", c.Prior)
	}
	if !finite(c.Grade) || c.Grade < 0 {
		return fmt.Errorf("grade is %v, want a finite number of at least 0", c.Grade)
	}
	return nil
}

func finite(v float32) bool { return !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0) }

func (q *Query) telling() bool {
	return slices.ContainsFunc(q.Candidates, func(c Candidate) bool { return c.Grade != q.Candidates[0].Grade })
}

func (s *samples) add(q Query) {
	candidates := slices.Clone(q.Candidates)
	// The best by the prior come first. Among equals the better judged come last: a tie is no merit.
	slices.SortFunc(candidates, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(b.Prior, a.Prior), slices.Compare(a.Features, b.Features), cmp.Compare(a.Grade, b.Grade))
	})
	s.keys, s.groups = append(s.keys, q.Key), append(s.groups, cmp.Or(q.Group, q.Key))
	for _, c := range candidates {
		s.prior = append(s.prior, float64(c.Prior))
		s.grades = append(s.grades, float64(c.Grade))
		for f, v := range c.Features {
			s.columns[f] = append(s.columns[f], v)
		}
	}
	s.starts = append(s.starts, len(s.prior))
}

func (s *samples) queries() int { return len(s.keys) }

// groupCount is how many of the queries are of different groups.
func (s *samples) groupCount() int {
	return len(slices.Compact(slices.Sorted(slices.Values(s.groups))))
}

func (s *samples) rows() int { return len(s.prior) }

// row copies the features of a row.
func (s *samples) row(at int, to []float32) {
	for f, column := range s.columns {
		to[f] = column[at]
	}
}

// of are the samples of some queries, in their order.
func (s *samples) of(queries []int) *samples {
	out := &samples{starts: []int{0}, columns: make([][]float32, len(s.columns))}
	for _, q := range queries {
		from, to := s.starts[q], s.starts[q+1]
		out.keys, out.groups = append(out.keys, s.keys[q]), append(out.groups, s.groups[q])
		out.prior = append(out.prior, s.prior[from:to]...)
		out.grades = append(out.grades, s.grades[from:to]...)
		for f, column := range s.columns {
			out.columns[f] = append(out.columns[f], column[from:to]...)
		}
		out.starts = append(out.starts, len(out.prior))
	}
	return out
}
