package theme

import (
	"maps"
	"slices"
	"strings"
)

// enough is how many Works must have a term for it to be predicted from what they consist of.
const enough = 2

// span is where a theme's terms stand among all.
type span struct {
	theme    string
	from, to int32
}

// vocabulary are the terms of the themes of which some term can be predicted, a theme's together, themes and terms by their names.
type vocabulary struct {
	spans []span
	terms []string
	works [][]int32 // that have a term, rising
}

// newVocabulary counts what labels the Works of a Basis have. Labels of others don't count.
func (b *Basis) newVocabulary(labels map[string]Labels) vocabulary {
	having := map[string]map[string][]int32{}
	for id, own := range labels {
		i, ok := b.place[id]
		if !ok {
			continue
		}
		for theme, terms := range own {
			if having[theme] == nil {
				having[theme] = map[string][]int32{}
			}
			for _, term := range terms {
				if had := having[theme][term]; len(had) == 0 || had[len(had)-1] != i { // a term said twice counts once
					having[theme][term] = append(had, i)
				}
			}
		}
	}
	var v vocabulary
	for _, theme := range slices.Sorted(maps.Keys(having)) {
		s, some := span{theme: theme, from: int32(len(v.terms))}, false
		for _, term := range slices.Sorted(maps.Keys(having[theme])) {
			works := having[theme][term]
			slices.Sort(works)
			some = some || len(works) >= enough
			v.terms, v.works = append(v.terms, term), append(v.works, works)
		}
		if s.to = int32(len(v.terms)); !some {
			v.terms, v.works = v.terms[:s.from], v.works[:s.from]
			continue
		}
		v.spans = append(v.spans, s)
	}
	return v
}

// find is a theme's place among the spans.
func (v *vocabulary) find(theme string) (int, bool) {
	return slices.BinarySearchFunc(v.spans, theme, func(s span, t string) int { return strings.Compare(s.theme, t) })
}

// number is a term's, by theme.
func (v *vocabulary) number(theme, term string) (int, bool) {
	i, ok := v.find(theme)
	if !ok {
		return 0, false
	}
	s := v.spans[i]
	n, ok := slices.BinarySearch(v.terms[s.from:s.to], term)
	return int(s.from) + n, ok
}

// byWork are the terms of each of n Works, rising.
func (v *vocabulary) byWork(n int) [][]int32 {
	out := make([][]int32, n)
	for t, works := range v.works {
		for _, i := range works {
			out[i] = append(out[i], int32(t))
		}
	}
	return out
}
