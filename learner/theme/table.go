package theme

import (
	"math"
	"unsafe"
)

// Table is a set of artifacts with their Profiles, and what it takes to find those that may be like a Work in a theme without comparing it with all
// others. It is used by one goroutine, or by any number that don't change it.
//
// A Profile's larger parts are in postings, and how long the others are together beside them, so that a Search bounds all scores with the
// Profile by few additions. Document frequencies and terms are a Model's, so that no bound drifts while its Table lives.
type Table struct {
	model *Model
	at    map[string]int32
	rows  []row // by place
	free  []int32
	bytes int

	// The larger parts of what a score is made of.
	probable, near, excess, words postings
	themes                        []entry // by theme
}

// row is an artifact's place; without a Profile, nobody's.
type row struct {
	id      string
	profile *Profile
	// lesser bounds what Parts.Profile and Parts.Words have by the smaller parts.
	lesser float32
}

// entry is what bounds scores in a theme, by place.
type entry struct {
	probable, near []expected
	// from is the score from which on others enter an artifact's list. Where it has none it is infinite.
	from []float32
}

// expected is what one of the two predictions says of a theme: of the terms' probabilities, given that the artifact has the theme, how long the smaller ones
// are together.
type expected struct{ present, count, rest float32 }

// How long what is not in postings is at most: of a unit vector, and of probabilities. Of less there are more postings, of more there
// are more comparisons: at 0.2 and 0.1 some 260 a list of 15 among 11,940 works of the Tate instead of 50, for a third of the postings.
const (
	restOfUnit  = 0.1
	restOfTerms = 0.03
)

// NewTable returns an empty one, of Profiles by a Model.
func NewTable(m *Model) *Table {
	t := &Table{model: m, at: map[string]int32{}, themes: make([]entry, len(m.spans)), words: make(postings, m.space.len())}
	for _, p := range []*postings{&t.probable, &t.near, &t.excess} {
		*p = make(postings, len(m.terms))
	}
	return t
}

// nobody enters a list that there is not.
var nobody = float32(math.Inf(1))

// Len is how many artifacts are in the Table.
func (t *Table) Len() int { return len(t.at) }

// Profile is that of an artifact, nil when it is not in the Table.
func (t *Table) Profile(id string) *Profile {
	if place, ok := t.at[id]; ok {
		return t.rows[place].profile
	}
	return nil
}

// Each calls fn for every artifact.
func (t *Table) Each(fn func(id string, p *Profile)) {
	for i := range t.rows {
		if r := &t.rows[i]; r.profile != nil {
			fn(r.id, r.profile)
		}
	}
}

// Put puts an artifact into the Table, or gives it another Profile. It keeps what Admit said of it.
func (t *Table) Put(id string, p *Profile) {
	place, had := t.at[id]
	switch {
	case had:
		t.leave(place)
	case len(t.free) > 0:
		place, t.free = t.free[len(t.free)-1], t.free[:len(t.free)-1]
	default:
		place = int32(len(t.rows))
		t.rows = append(t.rows, row{})
		for i := range t.themes {
			e := &t.themes[i]
			e.probable, e.near, e.from = append(e.probable, expected{}), append(e.near, expected{}), append(e.from, nobody)
		}
	}
	t.at[id], t.rows[place].id = place, id
	t.take(place, p)
}

// Remove takes an artifact out of the Table, if it is there.
func (t *Table) Remove(id string) {
	place, ok := t.at[id]
	if !ok {
		return
	}
	t.leave(place)
	delete(t.at, id)
	t.rows[place] = row{}
	for i := range t.themes {
		e := &t.themes[i]
		e.probable[place], e.near[place], e.from[place] = expected{}, expected{}, nobody
	}
	t.free = append(t.free, place)
}

// Admit says from which score on others enter an artifact's lists, by the themes' Respects: infinite where it has none.
func (t *Table) Admit(id string, from []float64) {
	place, ok := t.at[id]
	if !ok {
		return
	}
	for r, least := range from {
		t.themes[r].from[place] = float32(least)
	}
}

// Bytes is about how much memory the Table takes with the Profiles.
func (t *Table) Bytes() int { return t.bytes + len(t.rows)*t.placeBytes() }

// placeBytes is what a place takes beside postings and the Profile.
func (t *Table) placeBytes() int {
	inTheme := int(2*unsafe.Sizeof(expected{}) + unsafe.Sizeof(float32(0)))
	return int(unsafe.Sizeof(row{})) + len(t.themes)*inTheme
}

// postingBytes is what one takes, with the room that an appended slice has.
const postingBytes = 5

// take puts a Profile into a place.
func (t *Table) take(place int32, p *Profile) {
	t.rows[place].profile = p
	t.bytes += p.Bytes() + postingBytes*t.index(place, p, postings.add)
}

// leave takes the Profile of a place away.
func (t *Table) leave(place int32) {
	p := t.rows[place].profile
	t.bytes -= p.Bytes() + postingBytes*t.index(place, p, postings.remove)
	t.rows[place].profile = nil
}

// index adds the larger parts of a Profile to the postings, or removes them, notes how long the others are, and returns how many postings these are.
func (t *Table) index(place int32, p *Profile, do func(postings, int32, vector)) (n int) {
	split := func(v vector, limit float64, in postings) (rest float32) {
		larger, rest := v.split(limit)
		do(in, place, larger)
		n += len(larger)
		return rest
	}
	t.rows[place].lesser = wordsCount*split(p.words, restOfUnit, t.words) + profileCounts*split(t.model.excesses(p), restOfUnit, t.excess)
	for i := range t.themes {
		of, limit := &t.themes[i], restOfTerms/max(p.probable.themes[i].present, p.near.themes[i].present)
		one := func(f *forecast, in postings) expected {
			return expected{float32(f.themes[i].present), float32(f.themes[i].count), split(f.given(i), limit, in)}
		}
		of.probable[place], of.near[place] = one(&p.probable, t.probable), one(&p.near, t.near)
	}
	return n
}

// excesses are by how much terms are likelier than of any Work, of length 1.
func (m *Model) excesses(p *Profile) vector {
	var out vector
	for _, c := range p.probable.likely {
		if e := m.excess(c); e > 0 {
			out = append(out, coordinate{c.term, float32(float64(e) / p.excess)})
		}
	}
	return out
}

// given are the probabilities of a theme's likely terms, given that the Work has the theme.
func (f *forecast) given(theme int) vector {
	var out vector
	for _, c := range f.of(theme) {
		out = append(out, coordinate{c.term, float32(float64(c.p) / f.themes[theme].present)})
	}
	return out
}
