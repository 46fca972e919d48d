package cultures

import (
	"cmp"
	"fmt"
	"slices"

	"kilim/daemon/pipeline/atlas"
)

// Checker verifies rows, of a state that nobody writes. Each fault is told in a sentence.
type Checker struct {
	// Read compares groups as they are compared anew, in a theme if the question names one.
	Read func(atlas.Question) (*atlas.Answer, error)
	// Themes are those that can be asked about.
	Themes []string
	// Revision is the highest that a message can have.
	Revision uint64
	Fault    func(string)

	rows map[string]*row
}

// Row checks one.
func (c *Checker) Row(key string, b []byte) error {
	if c.rows == nil {
		c.rows = map[string]*row{}
	}
	r, err := parse(key, b)
	if err != nil {
		c.Fault(err.Error())
		return nil
	}
	c.rows[key] = r
	faultf := func(format string, args ...any) { c.Fault(fmt.Sprintf("cell %q ", key) + fmt.Sprintf(format, args...)) }
	cell := &r.Cell
	if cell.Revision == 0 || cell.Revision > c.Revision {
		faultf("is of revision %d, the state is at %d", cell.Revision, c.Revision)
	}
	if !(-1-Step <= cell.Low && cell.Low <= cell.Mean && cell.Mean <= cell.High && cell.High <= 1+Step) {
		faultf("has a mean cosine of %v from %v to %v", cell.Mean, cell.Low, cell.High)
	}
	if !(r.Low <= cell.Mean && cell.Mean <= r.High) {
		faultf("has a mean cosine of %v, and since %v one from %v to %v", cell.Mean, cell.Since, r.Low, r.High)
	}
	if !slices.IsSortedFunc(cell.Nearest, func(p, q atlas.Pair) int { return cmp.Compare(q.Cosine, p.Cosine) }) {
		faultf("has pairs that are not in the order of their cosines")
	}
	return nil
}

// Waiting compares the rows, when all were checked, with cells that are made anew, and counts those that are to be told, or taken back: whoever keeps them had no time
// for that yet.
func (c *Checker) Waiting() (waiting int, err error) {
	there := map[string]struct{}{}
	for _, theme := range append([]string{""}, c.Themes...) {
		for _, field := range atlas.Kinds() {
			answer, err := c.Read(atlas.Question{Kind: field, Theme: theme, Most: Groups})
			if err != nil {
				return 0, fmt.Errorf("cultures: compare each %s, theme %q: %w", field, theme, err)
			}
			for _, cell := range cellsOf(answer) {
				key := cell.key()
				there[key] = struct{}{}
				if r := c.rows[key]; r == nil || cell.differs(&r.Cell) {
					waiting++
				}
			}
		}
	}
	for key := range c.rows {
		if _, ok := there[key]; !ok {
			waiting++
		}
	}
	return waiting, nil
}
