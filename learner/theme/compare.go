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
	// Profile is the cosine of the probabilities of the terms of all themes.
	Profile float64
	// Words is the cosine of the words of the two.
	Words float64
}

// Score is the sum of the Parts.
func (p Parts) Score() float64 { return p.Terms + p.Neighbours + p.Profile + p.Words }

// What the lesser parts count beside Terms, in a theme and in general. They were chosen, with neighbours, on the 8,000 works of the Tate that
// daemon/experiments/themes fits with its first seed: twice 5,500 of these were fitted and 2,500 ranked. None of the 4,000 that it
// ranks had a part in that. They are flat: a half more or less of one moves the mean nDCG@10 by 0.002 or less.
const (
	nearCounts    = 0.4
	profileCounts = 0.05
	wordsCount    = 0.05

	nearCountsInGeneral    = 0.2
	profileCountsInGeneral = 0.2
)

// Compare scores how like b is to a, which asks, in a theme: a is taken to have the theme, b has it by its probability. ok is false
// when the Model knows too few labels of the theme.
func (m *Model) Compare(theme string, a, b *Profile) (parts Parts, ok bool) {
	i, ok := m.find(theme)
	if !ok {
		return Parts{}, false
	}
	return Parts{
		Terms:      b.probable.themes[i].present * a.probable.jaccard(&b.probable, i),
		Neighbours: nearCounts * b.near.themes[i].present * a.near.jaccard(&b.near, i),
		Profile:    profileCounts * a.probable.cosine(&b.probable),
		Words:      wordsCount * a.words.dot(b.words),
	}, true
}

// General scores how like two Works are in all themes: Terms and Neighbours are sums over the themes, each theme by the probability
// that both have it.
func (m *Model) General(a, b *Profile) Parts {
	p := Parts{Profile: profileCountsInGeneral * a.probable.cosine(&b.probable)}
	for i := range m.spans {
		p.Terms += a.probable.themes[i].present * b.probable.themes[i].present * a.probable.jaccard(&b.probable, i)
		p.Neighbours += nearCountsInGeneral * a.near.themes[i].present * b.near.themes[i].present * a.near.jaccard(&b.near, i)
	}
	return p
}

// Shared is a term that explains a score: the probabilities by which the two Works have it.
type Shared struct {
	Term string
	A, B float64
}

// Explain names the terms which say most for the Terms of a comparison, at most n: those that both are likeliest to have.
func (m *Model) Explain(theme string, a, b *Profile, n int) []Shared {
	i, ok := m.find(theme)
	if !ok {
		return nil
	}
	var out []Shared
	x, y := a.probable.of(i), b.probable.of(i)
	for len(x) > 0 && len(y) > 0 {
		switch c := cmp.Compare(x[0].term, y[0].term); {
		case c < 0:
			x = x[1:]
		case c > 0:
			y = y[1:]
		default:
			out = append(out, Shared{m.terms[x[0].term], float64(x[0].p), float64(y[0].p)})
			x, y = x[1:], y[1:]
		}
	}
	slices.SortStableFunc(out, func(s, t Shared) int { return cmp.Compare(t.A*t.B, s.A*s.B) })
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
