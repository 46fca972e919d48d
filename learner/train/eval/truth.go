package eval

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
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
// All lines must be of one kind. Other fields are ignored, so a feed of artifacts with themes is a Truth.
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

// Read reads a Truth, plain or gzip. An error names the line and the field.
func Read(r io.Reader) (*Truth, error) {
	t := &Truth{}
	seen := map[string]bool{}
	text, err := profile.Feed(r)
	if err != nil {
		return nil, fmt.Errorf("eval: %w", err)
	}
	lines := bufio.NewScanner(text)
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan(); n++ {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		if err := t.add(line, seen); err != nil {
			return nil, fmt.Errorf("eval: line %d: %w", n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("eval: read the truth: %w", err)
	}
	if len(t.pairs)+len(t.labels) == 0 {
		return nil, fmt.Errorf("eval: the truth is empty")
	}
	return t, nil
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

func (t *Truth) add(line []byte, seen map[string]bool) error {
	var row struct {
		A     *string         `json:"a"`
		B     *string         `json:"b"`
		Grade *float64        `json:"grade"`
		ID    *string         `json:"id"`
		Theme json.RawMessage `json:"theme"`
	}
	if err := json.Unmarshal(line, &row); err != nil {
		return err
	}
	if row.A == nil && row.B == nil {
		return t.addLabel(row.ID, row.Theme, seen)
	}
	if len(t.labels) > 0 {
		return fmt.Errorf("a pair (a, b) among lines of ids: a file has one kind")
	}
	p := pair{}
	switch {
	case row.A == nil || *row.A == "":
		return fmt.Errorf("a: is missing")
	case row.B == nil || *row.B == "":
		return fmt.Errorf("b: is missing")
	case *row.A == *row.B:
		return fmt.Errorf("a and b are both %q", *row.A)
	case row.Grade == nil || !(*row.Grade > 0) || math.IsInf(*row.Grade, 0):
		return fmt.Errorf("grade: want a number above 0")
	}
	p.A, p.B, p.Grade = *row.A, *row.B, *row.Grade
	if len(row.Theme) > 0 {
		if err := json.Unmarshal(row.Theme, &p.Theme); err != nil {
			return fmt.Errorf("theme: want a name: %w", err)
		}
	}
	t.pairs = append(t.pairs, p)
	return nil
}

func (t *Truth) addLabel(id *string, themes json.RawMessage, seen map[string]bool) error {
	if len(t.pairs) > 0 {
		return fmt.Errorf("an id among pairs: a file has one kind")
	}
	if id == nil || *id == "" {
		return fmt.Errorf("id: is missing (or a and b)")
	}
	if seen[*id] {
		return fmt.Errorf("id %q: comes twice", *id)
	}
	seen[*id] = true
	var byName map[string][]string
	if len(themes) > 0 {
		if err := json.Unmarshal(themes, &byName); err != nil {
			return fmt.Errorf("theme: want {name: [terms]}: %w", err)
		}
	}
	t.labels = append(t.labels, labelled(*id, byName))
	return nil
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
