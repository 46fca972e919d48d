package mapping

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"kilim/daemon/feed/importer/tree"
)

const (
	// reportPaths bounds what a report holds of records that have a field of another name each.
	reportPaths  = 300
	exampleRunes = 60
	brokenKept   = 20
)

// Report counts over the records of an input.
type Report struct {
	Records int // artifacts made
	Broken  int // records that none was made of
	// First are the first of the broken ones.
	First  []error
	Mapped map[string]int // artifacts with this field
	rest   map[string]*Left
	More   int // values of paths beyond those that are counted
}

// Left is a part of records that no field was taken from.
type Left struct {
	Path    string
	Count   int
	Example string
}

// NewReport returns one that has counted nothing.
func NewReport() *Report {
	return &Report{Mapped: map[string]int{}, rest: map[string]*Left{}}
}

// Break counts a record that nothing could be made of.
func (r *Report) Break(err error) {
	r.Broken++
	if len(r.First) < brokenKept {
		r.First = append(r.First, err)
	}
}

func (r *Report) mapped(field string) { r.Mapped[field]++ }

func (r *Report) unmapped(record *tree.Node) {
	record.Unused(func(path, text string) {
		l := r.rest[path]
		if l == nil {
			if len(r.rest) == reportPaths {
				r.More++
				return
			}
			l = &Left{Path: path, Example: shortened(text)}
			r.rest[path] = l
		}
		l.Count++
	})
}

// Unmapped are the parts that no field was taken from, those of the most values first.
func (r *Report) Unmapped() []Left {
	var all []Left
	for _, path := range slices.Sorted(maps.Keys(r.rest)) {
		all = append(all, *r.rest[path])
	}
	slices.SortStableFunc(all, func(a, b Left) int { return cmp.Compare(b.Count, a.Count) })
	return all
}

func shortened(text string) string {
	runes := []rune(strings.Join(strings.Fields(text[:min(len(text), 8*exampleRunes)]), " "))
	if len(runes) > exampleRunes {
		return string(runes[:exampleRunes]) + "…"
	}
	return string(runes)
}
