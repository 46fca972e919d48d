package theme

import (
	"cmp"
	"math"
	"slices"
	"unsafe"
)

// forecast is what is expected of a Work's terms: the likeliest of them, and for each theme what they sum to.
type forecast struct {
	likely []chance      // by rising term
	themes []expectation // by a theme's place among the spans
	length float64       // the root of the sum of the squares of all terms' probabilities, but of themes that stand apart
}

// chance is the probability of a term.
type chance struct {
	term int32
	p    float32
}

// expectation is what is expected of a Work's terms of one theme, all of them, not the likeliest alone.
type expectation struct {
	from, to int32   // where the theme's terms are among the likely ones
	present  float64 // the probability that it has any
	any      float64 // the same, the terms taken as independent
	count    float64 // how many, given that it has any: at least 1
}

// unlikely and certain bound a probability: regression is not bound to [0, 1], and what is impossible or certain would
// leave nothing for other evidence to say.
const (
	unlikely = 1e-5
	certain  = 0.999
)

// most is how many terms a forecast keeps, of all themes that don't stand apart, and mostApart of one that does. What is dropped stays in the expectations.
const (
	most      = 256
	mostApart = 64
)

// forecast makes one of the probabilities of all terms, which it bounds in their place, and of those of the themes. Without these, nil, terms are taken as independent.
func (m *Model) forecast(p, themes []float32) forecast {
	f := forecast{themes: make([]expectation, len(m.spans))}
	squared := 0.0
	var apart []chance
	for i, s := range m.spans {
		count := 0.0
		var own []chance
		for t := s.from; t < s.to; t++ {
			p[t] = probability(p[t])
			v := float64(p[t])
			count += v
			if !m.isApart(i) {
				squared += v * v
			}
			if p[t] > unlikely {
				own = append(own, chance{t, p[t]})
			}
		}
		if m.isApart(i) {
			apart = append(apart, likeliest(own, mostApart)...)
		} else {
			f.likely = append(f.likely, own...)
		}
		terms := p[s.from:s.to]
		present := product(terms)
		f.themes[i].any = present
		if themes != nil {
			present = float64(max(probability(themes[i]), slices.Max(terms))) // no less likely than the likeliest of its terms
		}
		f.themes[i].present, f.themes[i].count = present, max(1, count/present)
	}
	f.length = math.Sqrt(squared)
	f.likely = likeliest(f.likely, most)
	if len(apart) > 0 {
		f.likely = append(f.likely, apart...)
		slices.SortFunc(f.likely, func(a, b chance) int { return cmp.Compare(a.term, b.term) })
	}
	at := 0
	for i, s := range m.spans {
		f.themes[i].from = int32(at)
		for at < len(f.likely) && f.likely[at].term < s.to {
			at++
		}
		f.themes[i].to = int32(at)
	}
	return f
}

// likeliest are the most likely terms, so many, still by rising term; of equal ones the first.
func likeliest(terms []chance, most int) []chance {
	if len(terms) <= most {
		return terms
	}
	values := make([]float32, len(terms))
	for i, c := range terms {
		values[i] = c.p
	}
	slices.Sort(values)
	least, ties := values[len(values)-most], 0 // of those that are kept
	for i := len(values) - most; i < len(values) && values[i] == least; i++ {
		ties++
	}
	out := make([]chance, 0, most)
	for _, c := range terms {
		if c.p == least {
			ties--
		}
		if c.p > least || c.p == least && ties >= 0 {
			out = append(out, c)
		}
	}
	return out
}

// bytes is how much memory a forecast takes beside itself.
func (f *forecast) bytes() int {
	return cap(f.likely)*int(unsafe.Sizeof(chance{})) + cap(f.themes)*int(unsafe.Sizeof(expectation{}))
}

// of are the likely terms of a theme.
func (f *forecast) of(theme int) []chance { return f.likely[f.themes[theme].from:f.themes[theme].to] }

// spread are the likely terms' probabilities by the terms' numbers, 0 for the others.
func (f *forecast) spread(terms int) []float32 {
	out := make([]float32, terms)
	for _, c := range f.likely {
		out[c.term] = c.p
	}
	return out
}

// both is how many terms two Works are expected to share, one's spread out and some of the other's.
func both(spread []float32, terms []chance) float64 {
	sum := 0.0
	for _, c := range terms {
		sum += float64(spread[c.term]) * float64(c.p)
	}
	return sum
}

// jaccard is the expected size of the intersection of two Works' terms of a theme over that of their union, given that both have the theme.
// They are expected to share so many terms, whether they have the theme or not. Terms and Works are taken as independent.
func jaccard(a, b expectation, shared float64) float64 {
	shared /= a.present * b.present
	return shared / (a.count + b.count - shared)
}
