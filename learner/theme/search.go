package theme

import (
	"cmp"
	"math"
	"slices"
)

// Search finds, in a Table, those that may be like a Work that asks, or may find it like themselves. It is used by one goroutine while the Table does
// not change.
//
// A score is at most what postings gather of it, with the lengths of what is not in postings: one pass over the numbers of a theme.
// Those whose bound does are compared.
type Search struct {
	table    *Table
	question *Question
	lesser   []float32 // by place: what bounds Parts.Profile and Parts.Words
	// respect is the theme that probable and near are of: by place, what bounds the Jaccard similarities.
	respect        Respect
	probable, near []float32
	bounds         []float32 // by place, for Best
	met            map[int32]*Meeting
}

// Search begins one for the Question's Work.
func (t *Table) Search(q *Question) *Search {
	n := len(t.rows)
	s := &Search{table: t, question: q, lesser: make([]float32, n), probable: make([]float32, n), near: make([]float32, n), bounds: make([]float32, n), respect: -1, met: map[int32]*Meeting{}}
	for i := range t.rows {
		s.lesser[i] = t.rows[i].lesser + bounded
	}
	t.words.gather(q.asking.words.times(wordsCount), s.lesser)
	t.excess.gather(q.model.excesses(q.asking).times(profileCounts), s.lesser)
	return s
}

// bounded is more than what sums of 32-bit numbers are below those of 64 bits, of scores of 1.5 at most.
const bounded = 1e-5

// comparedFirst is how many for each that is wanted, and at least, Best compares first.
const comparedFirst, comparedAtLeast = 2, 32

// Best calls compare for everyone whose score in a theme, when the Work asks, may be as high as what compare returned last: at first for some likely
// ones, by which the score is known that the others need, then for these. So many are wanted.
func (s *Search) Best(r Respect, wanted int, compare func(id string, m *Meeting) (least float64)) {
	s.turn(r)
	entry, probable, near := &s.table.themes[r], s.asks(&s.question.asking.probable), s.asks(&s.question.asking.near)
	most := max(comparedAtLeast, comparedFirst*wanted)
	var first []int // the likeliest first
	least := float32(math.Inf(-1))
	for i := range s.bounds {
		x, y := &entry.probable[i], &entry.near[i]
		bound := s.lesser[i] + x.present*probable.jaccard(x, s.probable[i]) + nearCounts*y.present*near.jaccard(y, s.near[i])
		s.bounds[i] = bound
		if bound <= least || s.table.rows[i].profile == nil {
			continue
		}
		at, _ := slices.BinarySearchFunc(first, bound, func(j int, bound float32) int { return cmp.Compare(bound, s.bounds[j]) })
		if first = slices.Insert(first[:min(len(first), most-1)], at, i); len(first) == most {
			least = s.bounds[first[most-1]]
		}
	}
	score := math.Inf(-1)
	for _, i := range first {
		score = compare(s.table.rows[i].id, s.meet(int32(i)))
	}
	if len(first) < most {
		return // these were all
	}
	slices.Sort(first)
	for i, bound := range s.bounds {
		if float64(bound) < score || s.table.rows[i].profile == nil {
			continue
		}
		if _, compared := slices.BinarySearch(first, i); !compared {
			score = compare(s.table.rows[i].id, s.meet(int32(i)))
		}
	}
}

// Takers calls compare for everyone into whose list of a theme the Work's score, when the other asks, may be high enough.
func (s *Search) Takers(r Respect, compare func(id string, m *Meeting)) {
	s.turn(r)
	entry, probable, near := &s.table.themes[r], s.asks(&s.question.asking.probable), s.asks(&s.question.asking.near)
	most := probable.present + nearCounts*near.present
	for i, from := range entry.from {
		if s.lesser[i]+most < from {
			continue
		}
		x, y := &entry.probable[i], &entry.near[i]
		if s.lesser[i]+probable.present*probable.jaccard(x, s.probable[i])+nearCounts*near.present*near.jaccard(y, s.near[i]) < from || s.table.rows[i].profile == nil {
			continue
		}
		compare(s.table.rows[i].id, s.meet(int32(i)))
	}
}

// Meet is the Work beside an artifact, nil when it is not in the Table.
func (s *Search) Meet(id string) *Meeting {
	place, ok := s.table.at[id]
	if !ok {
		return nil
	}
	return s.meet(place)
}

// meet is the Work beside the artifact of a place. What they have in common is computed once for all themes.
func (s *Search) meet(place int32) *Meeting {
	m := s.met[place]
	if m == nil {
		m = &Meeting{question: s.question, other: s.table.rows[place].profile}
		s.met[place] = m
	}
	return m
}

// turn has probable and near be of a theme.
func (s *Search) turn(r Respect) {
	if s.respect == r {
		return
	}
	s.respect = r
	clear(s.probable)
	clear(s.near)
	s.table.probable.gather(s.question.asking.probable.given(int(r)), s.probable)
	s.table.near.gather(s.question.asking.near.given(int(r)), s.near)
}

// asks is what a prediction says of a theme for the Work that asks.
type asks struct{ present, count, length float32 }

func (s *Search) asks(f *forecast) asks {
	e, given := f.themes[s.respect], f.given(int(s.respect))
	return asks{float32(e.present), float32(e.count), float32(math.Sqrt(given.dot(given)))}
}

// jaccard is what the similarity to another is at most, when the two are expected to share so much by what is in postings.
func (a *asks) jaccard(other *expected, shared float32) float32 {
	shared += a.length * other.rest
	if shared > other.count {
		shared = other.count
	}
	if shared > a.count {
		shared = a.count
	}
	return shared / (a.count + other.count - shared)
}
