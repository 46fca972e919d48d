package theme

import (
	"cmp"
	"slices"
)

// Parts are what a score is the sum of.
type Parts struct {
	// Terms is the Jaccard similarity that is expected of the two Works' terms, by their probabilities.
	Terms float64
	// Neighbours is the same by the terms of their nearest fitted Works.
	Neighbours float64
	// Profile is the cosine of the probabilities of the terms of all themes that don't stand apart, as far as they are above what is so of any Work.
	Profile float64
	// Words is the cosine of the words of the two.
	Words float64
}

// Score is the sum of the Parts.
func (p Parts) Score() float64 { return p.Terms + p.Neighbours + p.Profile + p.Words }

// What the lesser parts count beside Terms, in a theme and in general. They were chosen, with neighbours, on the 8,000 works of the Tate that
// daemon/experiments/themes fits with its first seed: twice 5,500 of these were fitted and 2,500 ranked. None of the 4,000 that it
// ranks had a part in that. Near them the mean nDCG@10 is flat (daemon/experiments/themes/RESULTS.md).
const (
	nearCounts    = 0.4
	profileCounts = 0.05
	wordsCount    = 0.05

	nearCountsInGeneral    = 0.2
	profileCountsInGeneral = 0.2
	wordsCountInGeneral    = 0.05
)

// Question is a Work that asks which others are like it. Any number of goroutines may compare by it.
type Question struct {
	model          *Model
	asking         *Profile
	probable, near []float32 // of asking, spread out: a comparison takes a fifth of the time that merging two lists takes
	excess         []float32 // likewise
}

// Ask prepares the comparisons of a Work with others.
func (m *Model) Ask(p *Profile) *Question {
	q := &Question{model: m, asking: p, probable: p.probable.spread(len(m.terms)), near: p.near.spread(len(m.terms)), excess: make([]float32, len(m.terms))}
	for _, c := range p.probable.likely {
		q.excess[c.term] = m.excess(c)
	}
	return q
}

// Compare scores how like another Work is in a theme. The Work that asks is taken to have the theme, the other has it by its
// probability. ok is false when the Model knows too few labels of the theme.
func (q *Question) Compare(theme string, p *Profile) (parts Parts, ok bool) {
	r, ok := q.model.Respect(theme)
	if !ok {
		return Parts{}, false
	}
	meeting := q.Meet(p)
	return meeting.Pair(r).Asking, true
}

// General scores how like another Work is in all themes. Terms and Neighbours are sums over the themes, each theme by the probability
// that both have it.
func (q *Question) General(p *Profile) Parts {
	parts := Parts{Profile: profileCountsInGeneral * q.cosine(p), Words: wordsCountInGeneral * q.asking.words.dot(p.words)}
	for i := range q.model.spans {
		probable, near := q.jaccards(i, p)
		parts.Terms += q.asking.probable.themes[i].present * p.probable.themes[i].present * probable
		parts.Neighbours += nearCountsInGeneral * q.asking.probable.themes[i].present * p.near.themes[i].present * near
	}
	return parts
}

// jaccards are the similarities that are expected in a theme, by both predictions.
func (q *Question) jaccards(theme int, p *Profile) (probable, near float64) {
	near = jaccard(q.asking.near.themes[theme], p.near.themes[theme], both(q.near, p.near.of(theme)))
	return q.predicted(theme, p), near
}

// predicted is the similarity that is expected in a theme by regression.
func (q *Question) predicted(theme int, p *Profile) float64 {
	return jaccard(q.asking.probable.themes[theme], p.probable.themes[theme], both(q.probable, p.probable.of(theme)))
}

// lesser are the Parts that are the same in every theme.
func (q *Question) lesser(p *Profile) Parts {
	return Parts{Profile: profileCounts * q.cosine(p), Words: wordsCount * q.asking.words.dot(p.words)}
}

// cosine is that of the two Works' excesses.
func (q *Question) cosine(p *Profile) float64 {
	length := q.asking.excess * p.excess
	if length == 0 {
		return 0
	}
	sum := 0.0
	for _, c := range p.probable.likely {
		sum += float64(q.excess[c.term]) * float64(q.model.excess(c))
	}
	return sum / length
}

// Shared is a term that explains a score: the probabilities by which the Work that asks and the other have it.
type Shared struct {
	Term          string
	Asking, Other float64
}

// Explain names the terms which say most for the Terms of a comparison, at most n: those that both are likeliest to have.
func (q *Question) Explain(theme string, p *Profile, n int) []Shared {
	i, ok := q.model.find(theme)
	if !ok {
		return nil
	}
	var out []Shared
	for _, c := range p.probable.of(i) {
		if own := q.probable[c.term]; own > 0 {
			out = append(out, Shared{q.model.terms[c.term], float64(own), float64(c.p)})
		}
	}
	slices.SortStableFunc(out, func(s, t Shared) int { return cmp.Compare(t.Asking*t.Other, s.Asking*s.Other) })
	return out[:min(n, len(out))]
}

// Predicted is a term that a Work is likely to have.
type Predicted struct {
	Term        string
	Probability float64
}

// Predicted are the likeliest terms of a theme, at most n, the likeliest first.
func (m *Model) Predicted(theme string, p *Profile, n int) []Predicted {
	i, ok := m.find(theme)
	if !ok {
		return nil
	}
	var out []Predicted
	for _, c := range p.probable.of(i) {
		out = append(out, Predicted{m.terms[c.term], float64(c.p)})
	}
	slices.SortStableFunc(out, func(s, t Predicted) int { return cmp.Compare(t.Probability, s.Probability) })
	return out[:min(n, len(out))]
}

// Presence is the most that any prediction says of whether a Work has a term of a theme at all; 0 of a theme that the Model does not know. It takes terms as independent, misses
// few Works that have the theme, and says too much of the others: Gate is what tells these apart. A theme that applies has a Presence of 0.04 at least.
func (m *Model) Presence(theme string, p *Profile) float64 {
	i, ok := m.find(theme)
	if !ok {
		return 0
	}
	return max(p.probable.themes[i].present, p.probable.themes[i].any, p.near.themes[i].any)
}
