package theme

import "math"

// Coordinate is one of the numbers, not 0, of where a Work lies in a theme.
type Coordinate struct {
	Place int
	Value float32
}

// TermsOf are the names of a theme's terms, none when the Model does not know it.
func (m *Model) TermsOf(theme string) []string {
	i, ok := m.find(theme)
	if !ok {
		return nil
	}
	s := m.spans[i]
	return append([]string(nil), m.terms[s.from:s.to]...)
}

// Coordinates are where a Work lies in a theme, by rising Place: for each of its likely terms, by the term's number among TermsOf, the
// probability over the root of how many terms are expected, and the same, behind all of these, by the terms of the nearest Works.
//
// The inner product of those of two Works is Terms + Neighbours of their comparison, but for two things: its denominator is the geometric
// mean of what the two are expected to have, where the Jaccard similarity has the union, and that the Work that asks has the theme is not
// taken as given. All are divided by one number, so that their length is at most 1.
func (m *Model) Coordinates(theme string, p *Profile) []Coordinate {
	i, ok := m.find(theme)
	if !ok {
		return nil
	}
	s := m.spans[i]
	var out []Coordinate
	add := func(f *forecast, behind int, counts float64) {
		scale := float32(math.Sqrt(counts / (1 + nearCounts) / f.themes[i].count))
		for _, c := range f.of(i) {
			out = append(out, Coordinate{behind + int(c.term-s.from), c.p * scale})
		}
	}
	add(&p.probable, 0, 1)
	add(&p.near, int(s.to-s.from), nearCounts)
	return out
}
