package cultures

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"kilim/daemon/pipeline/atlas"
)

const (
	// Groups is how many groups of a kind have cells: the largest.
	Groups = 20
	// Step is how far a cosine may be from what was told.
	Step = 0.01
	// share is the same of the number of pairs, as a share of what was told.
	share = 0.1
)

// Cell is how near two groups are; of a group and itself, how near its artifacts are to one another. See atlas.Cell.
type Cell struct {
	Field string `json:"field"`
	// Theme is what they are near in; empty: all that the embeddings say.
	Theme string `json:"theme,omitempty"`
	A     Group  `json:"a"` // the one whose key comes first
	B     Group  `json:"b"`

	Mean     float64      `json:"mean"`
	Low      float64      `json:"low"`
	High     float64      `json:"high"`
	Contrast float64      `json:"contrast"`
	Pairs    int          `json:"pairs"`
	Nearest  []atlas.Pair `json:"nearest"`
	Since    time.Time    `json:"since"`

	Revision uint64 `json:"revision"`
	// Epoch is that of the model of embeddings, and Model the model of the theme; a cell has one of them.
	Epoch uint32 `json:"epoch,omitempty"`
	Model string `json:"model,omitempty"`
}

// Group is one of the two.
type Group struct {
	Key       string `json:"key"`
	Label     string `json:"label"`
	Artifacts int    `json:"artifacts"`
}

// row is what the store keeps: the cell as it was told, and the interval that its mean has been in since Cell.Since.
type row struct {
	Cell Cell    `json:"cell"`
	Low  float64 `json:"since_low"`
	High float64 `json:"since_high"`
}

// Key names a cell: field, keys of the groups, and theme, if it is of one, with | between them. What is | or % in a part is %7C or %25 there.
func Key(field, theme, a, b string) string {
	escape := strings.NewReplacer("%", "%25", "|", "%7C")
	parts := []string{field, escape.Replace(min(a, b)), escape.Replace(max(a, b))}
	if theme != "" {
		parts = append(parts, escape.Replace(theme))
	}
	return strings.Join(parts, "|")
}

func (c *Cell) key() string { return Key(c.Field, c.Theme, c.A.Key, c.B.Key) }

// cellsOf are the cells of an answer.
func cellsOf(a *atlas.Answer) []Cell {
	groups := map[string]Group{}
	for _, g := range a.Groups {
		groups[g.Key] = Group(g)
	}
	out := make([]Cell, 0, len(a.Cells))
	for _, c := range a.Cells {
		cell := Cell{Field: a.Kind, Theme: a.Theme, A: groups[c.A], B: groups[c.B], Mean: c.Mean, Low: c.Low, High: c.High, Contrast: c.Contrast,
			Pairs: c.Pairs, Nearest: slices.Clone(c.Nearest), Model: a.Model}
		if a.Theme == "" {
			cell.Epoch = a.Epoch
		}
		if c.B < c.A {
			cell.A, cell.B = cell.B, cell.A
			for i, p := range cell.Nearest {
				cell.Nearest[i] = atlas.Pair{A: p.B, B: p.A, Cosine: p.Cosine}
			}
		}
		out = append(out, cell)
	}
	return out
}

// differs tells whether a cell says something else than was told.
func (c *Cell) differs(told *Cell) bool {
	far := func(a, b float64) bool { return math.Abs(a-b) > Step }
	pairs := func(p, q atlas.Pair) bool { return p.A == q.A && p.B == q.B && !far(p.Cosine, q.Cosine) }
	return c.Epoch != told.Epoch || c.Model != told.Model || c.A.Label != told.A.Label || c.B.Label != told.B.Label ||
		far(c.Mean, told.Mean) || far(c.Low, told.Low) || far(c.High, told.High) || far(c.Contrast, told.Contrast) ||
		math.Abs(float64(c.Pairs-told.Pairs)) > share*float64(told.Pairs) || !slices.EqualFunc(c.Nearest, told.Nearest, pairs)
}

// after is the row of a cell that takes the place of another one, nil: of none.
func (c *Cell) after(was *row, now time.Time) *row {
	if was != nil && was.Low <= c.Mean && c.Mean <= was.High {
		r := &row{*c, was.Low, was.High}
		r.Cell.Since = was.Cell.Since
		return r
	}
	r := &row{*c, c.Low, c.High}
	r.Cell.Since = now.UTC().Truncate(time.Millisecond)
	return r
}

func (r *row) marshal() ([]byte, error) {
	b, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("cultures: cell %q: %w", r.Cell.key(), err)
	}
	return b, nil
}

func parse(key string, b []byte) (*row, error) {
	r := new(row)
	if err := json.Unmarshal(b, r); err != nil {
		return nil, fmt.Errorf("cultures: row of cell %q: %w", key, err)
	}
	if is := r.Cell.key(); is != key {
		return nil, fmt.Errorf("cultures: row of cell %q is of %q", key, is)
	}
	return r, nil
}
