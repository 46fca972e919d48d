package theme

import "kilim/learner/tensor/vec"

// Parts are what a score is the sum of.
type Parts struct {
	// Terms is the Jaccard similarity to be expected of the two Works' terms of the theme, by their probabilities.
	Terms float64
	// Neighbours is the same by the terms of their nearest labelled Works.
	Neighbours float64
	// Profile is the cosine of the probabilities of the terms of all themes.
	Profile float64
	// Words is the overlap of what is read of the two.
	Words float64
}

// Score is the sum of the Parts.
func (p Parts) Score() float64 { return p.Terms + p.Neighbours + p.Profile + p.Words }

// Weights are what the parts of a score count.
type Weights struct{ Terms, Neighbours, Profile, Words float64 }

// DefaultWeights were chosen on one split of the works of the Tate; daemon/experiments/themes measures them on others.
func DefaultWeights() Weights { return Weights{Terms: 1, Neighbours: 0.3, Profile: 0.1, Words: 0.1} }

// Ranker scores Works by their Profiles.
type Ranker struct {
	spans   map[string]Span
	weights Weights
	space   *Space
}

// NewRanker ranks by the Profiles of a Profiler.
func NewRanker(p *Profiler, w Weights) *Ranker {
	return &Ranker{spans: p.spans, weights: w, space: p.space}
}

// Query is a Work that asks in a theme.
type Query struct {
	ranker         *Ranker
	span           Span
	profile        *Profile
	probable, near expectation
}

// expectation is what is known of a query's terms of a theme, given that it has the theme.
type expectation struct {
	terms   []float32
	present float64 // the probability that it has any
	count   float64 // of its terms
}

func expect(terms []float32) expectation {
	e := expectation{terms: terms}
	absent := 1.0
	for _, p := range terms {
		absent *= 1 - float64(p)
		e.count += float64(p)
	}
	e.present = 1 - absent
	e.count /= e.present
	return e
}

// jaccard is the expected size of the intersection over that of the union, the terms taken as independent.
func (e expectation) jaccard(terms []float32) float64 {
	both := float64(vec.Dot(e.terms, terms)) / e.present
	count := 0.0
	for _, p := range terms {
		count += float64(p)
	}
	return both / (e.count + count - both)
}

// Query prepares the scores of a Work in a theme; ok is false when the Profiler knows too few labels of the theme.
func (r *Ranker) Query(p *Profile, theme string) (q Query, ok bool) {
	span, ok := r.spans[theme]
	if !ok {
		return Query{}, false
	}
	q = Query{ranker: r, span: span, profile: p}
	q.probable, q.near = expect(p.Probable[span.From:span.To]), expect(p.Near[span.From:span.To])
	return q, true
}

// Parts are those of the score of another Work.
func (q *Query) Parts(other *Profile) Parts {
	w := q.ranker.weights
	return Parts{
		Terms:      w.Terms * q.probable.jaccard(other.Probable[q.span.From:q.span.To]),
		Neighbours: w.Neighbours * q.near.jaccard(other.Near[q.span.From:q.span.To]),
		Profile:    w.Profile * float64(vec.Dot(q.profile.Probable, other.Probable)) / (q.profile.length * other.length),
		Words:      w.Words * q.ranker.space.overlap(q.profile.Vector, other.Vector, words) / share[words],
	}
}
