package eval

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"kilim/consumer/profile"
)

// Truth is what people say is alike: graded pairs of artifacts, or artifacts with terms in themes. It is read from JSON
// Lines, each line one of
//
//	{"a": id, "b": id, "grade": above 0, "theme": name or absent}     the candidates are the whole archive
//	{"id": id, "theme": {name: [terms]}}                              the candidates are the ids of the file
//
// All lines must be of one kind. Other fields are ignored, so a feed of artifacts with themes is a Truth. A pair that has come
// already, either way round and with the same grade and theme, is dropped.
type Truth struct {
	pairs  []pair
	labels []label
}

type pair struct {
	A, B, Theme string
	Grade       float64
}

type label struct {
	id    string
	terms map[string]map[string]bool // by theme
}

// maxQueries bounds the queries of a theme.
const maxQueries = 500

// maxLine bounds a line: an artifact of a feed, with its media.
const maxLine = 16 << 20

// bounds of a truth. It comes from anyone who reaches the daemon, and a kilobyte of gzip may be a gigabyte of pairs.
type bounds struct {
	bytes  int64 // of all lines, unpacked; of a feed little is kept
	pairs  int
	labels int // ids
	terms  int // of all ids together
	kept   int // bytes of ids, names of themes and terms
}

// usual are the bounds of Read. What it keeps of the largest truth takes some 500 MB.
var usual = bounds{bytes: 1 << 30, pairs: 500_000, labels: 500_000, terms: 2_000_000, kept: 64 << 20}

// ErrTooLarge is wrapped by Read's error about a truth that is beyond a bound.
var ErrTooLarge = errors.New("the truth is too large")

// Read reads a Truth, plain or gzip. An error names the line and the field.
func Read(r io.Reader) (*Truth, error) { return read(r, usual) }

func read(r io.Reader, most bounds) (*Truth, error) {
	text, err := profile.Feed(r)
	if err != nil {
		return nil, fmt.Errorf("eval: %w", err)
	}
	counted := &io.LimitedReader{R: text, N: most.bytes + 1}
	lines := bufio.NewScanner(counted)
	lines.Buffer(nil, maxLine)
	t := newReader(most)
	for n := 1; lines.Scan() && counted.N > 0; n++ {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		if err := t.add(line); err != nil {
			return nil, fmt.Errorf("eval: line %d: %w", n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("eval: read the truth: %w", err)
	}
	if counted.N == 0 {
		return nil, fmt.Errorf("eval: %w: unpacked it is more than %d bytes", ErrTooLarge, most.bytes)
	}
	if len(t.pairs)+len(t.labels) == 0 {
		return nil, fmt.Errorf("eval: the truth is empty")
	}
	return &t.Truth, nil
}

// Labels returns the Truth of theme labels: themes[i] has the terms of ids[i] by theme.
func Labels(ids []string, themes []map[string][]string) *Truth {
	t := &Truth{}
	for i, id := range ids {
		t.labels = append(t.labels, labelled(id, themes[i]))
	}
	return t
}

func labelled(id string, themes map[string][]string) label {
	l := label{id: id, terms: map[string]map[string]bool{}}
	for name, terms := range themes {
		if len(terms) == 0 {
			continue
		}
		l.terms[name] = map[string]bool{}
		for _, term := range terms {
			l.terms[name][term] = true
		}
	}
	return l
}

// Themes returns the names of the themes, sorted.
func (t *Truth) Themes() []string {
	set := map[string]bool{}
	for _, p := range t.pairs {
		if p.Theme != "" {
			set[p.Theme] = true
		}
	}
	for _, l := range t.labels {
		for name := range l.terms {
			set[name] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// Candidates returns the ids that are ranked; nil: the whole archive.
func (t *Truth) Candidates() []string {
	var out []string
	for _, l := range t.labels {
		out = append(out, l.id)
	}
	return out
}

// ErrNoQueries is returned where a Truth has no query for a list, or none that an archive has.
var ErrNoQueries = errors.New("eval: no query")

// Queries returns the queries for a list: "general", "total" or "theme:NAME". Of labels there are at most maxQueries,
// chosen by the seed.
//
// A pair counts in both directions; for general and total its grade is the mean over its lines. Of labels, the grade of
// a candidate is the Jaccard coefficient of its terms and the query's in the theme; for general and total the mean of
// that over the themes of the query.
func (t *Truth) Queries(list string, seed uint64) ([]Query, error) {
	theme, themed := strings.CutPrefix(list, "theme:")
	switch {
	case !themed && list != "general" && list != "total":
		return nil, fmt.Errorf("%w: list %q: want general, total or theme:NAME", ErrNoQueries, list)
	case themed && !slices.Contains(t.Themes(), theme):
		return nil, fmt.Errorf("%w: the truth has no theme %q; it has %q", ErrNoQueries, theme, t.Themes())
	}
	if !themed {
		theme = ""
	}
	var all []Query
	if len(t.pairs) > 0 {
		all = t.pairQueries(theme)
	} else {
		all = t.labelQueries(theme, rand.New(rand.NewPCG(seed, 0x9e7)))
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%w: the truth says nothing of list %q", ErrNoQueries, list)
	}
	return all, nil
}

func (t *Truth) pairQueries(theme string) []Query {
	type sum struct {
		grade float64
		n     int
	}
	by := map[string]map[string]sum{}
	for _, p := range t.pairs {
		if theme != "" && p.Theme != theme {
			continue
		}
		for _, way := range [][2]string{{p.A, p.B}, {p.B, p.A}} {
			if by[way[0]] == nil {
				by[way[0]] = map[string]sum{}
			}
			s := by[way[0]][way[1]]
			by[way[0]][way[1]] = sum{s.grade + p.Grade, s.n + 1}
		}
	}
	var out []Query
	for id, others := range by {
		q := Query{ID: id, Relevant: map[string]float64{}}
		for other, s := range others {
			q.Relevant[other] = s.grade / float64(s.n)
		}
		out = append(out, q)
	}
	slices.SortFunc(out, func(a, b Query) int { return strings.Compare(a.ID, b.ID) })
	return out
}

func (t *Truth) labelQueries(theme string, rng *rand.Rand) []Query {
	var asked []int
	for i, l := range t.labels {
		if theme == "" && len(l.terms) > 0 || l.terms[theme] != nil {
			asked = append(asked, i)
		}
	}
	rng.Shuffle(len(asked), func(i, j int) { asked[i], asked[j] = asked[j], asked[i] })
	asked = asked[:min(maxQueries, len(asked))]
	slices.Sort(asked)
	var out []Query
	for _, i := range asked {
		q := Query{ID: t.labels[i].id, Relevant: map[string]float64{}}
		for j, other := range t.labels {
			if j == i {
				continue
			}
			if g := similarity(t.labels[i], other, theme); g > 0 {
				q.Relevant[other.id] = g
			}
		}
		if len(q.Relevant) > 0 {
			out = append(out, q)
		}
	}
	return out
}

// similarity returns the Jaccard coefficient of two labels in a theme, or the mean of these over the themes of a.
func similarity(a, b label, theme string) float64 {
	if theme != "" {
		return jaccard(a.terms[theme], b.terms[theme])
	}
	sum := 0.0
	for _, name := range slices.Sorted(maps.Keys(a.terms)) { // sorted, so that the sum always has the same bits
		sum += jaccard(a.terms[name], b.terms[name])
	}
	return sum / float64(len(a.terms))
}

func jaccard(a, b map[string]bool) float64 {
	both := 0
	for term := range a {
		if b[term] {
			both++
		}
	}
	if both == 0 {
		return 0
	}
	return float64(both) / float64(len(a)+len(b)-both)
}
