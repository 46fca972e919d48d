package stored

import (
	"fmt"

	"kilim/rerank"
)

// Checker verifies rows, of a state that nobody writes. Each fault is told in a sentence.
type Checker struct {
	// Exists tells whether an artifact is stored.
	Exists func(id string) (bool, error)
	// Revision is the highest that a message can have.
	Revision uint64
	Fault    func(string)
	// Waiting counts the rows that are of an artifact that was deleted, or list one: whoever keeps the lists had no time for that yet.
	Waiting int
}

// Row checks one.
func (c *Checker) Row(b []byte) error {
	var r Row
	if err := r.Unmarshal(b); err != nil {
		c.Fault(err.Error())
		return nil
	}
	waits := false
	exists := func(id string) error {
		ok, err := c.Exists(id)
		waits = waits || !ok
		return err
	}
	if err := exists(r.ID); err != nil {
		return err
	}
	for _, l := range r.Lists {
		faultf := func(format string, args ...any) {
			c.Fault(fmt.Sprintf("artifact %q: its list of theme %q ", r.ID, l.Theme) + fmt.Sprintf(format, args...))
		}
		if l.Revision > c.Revision || l.Revision == 0 {
			faultf("is of revision %d, the state is at %d", l.Revision, c.Revision)
		}
		for i := range l.Entries {
			e := &l.Entries[i]
			if e.ID == r.ID {
				faultf("names the artifact itself")
			}
			if i > 0 && !before(&l.Entries[i-1], e) {
				faultf("is out of order at place %d", i+1)
			}
			if err := exists(e.ID); err != nil {
				return err
			}
		}
	}
	if waits {
		c.Waiting++
	}
	return nil
}

// Past checks how a list of a theme came to be, by the row of the artifact, nil: it has none. A history that leads back from another list than the one that
// is there is no fault: a program that knows no histories has written the list since.
func (c *Checker) Past(row []byte, theme string, b []byte) {
	var r Row
	if row != nil {
		if err := r.Unmarshal(row); err != nil {
			return // Row tells it
		}
	}
	if len(b) > mostPast {
		c.Fault(fmt.Sprintf("artifact %q: the history of its list of theme %q has %d bytes, at most %d are kept", r.ID, theme, len(b), mostPast))
	}
	if r.List(theme) == nil {
		c.Fault(fmt.Sprintf("artifact %q: there is a history of a list of theme %q, and no such list", r.ID, theme))
		return
	}
	if _, err := r.Past(theme, b); err != nil {
		c.Fault(fmt.Sprintf("artifact %q: its list of theme %q: %v", r.ID, theme, err))
	}
}

// mostPast bounds what is kept of how a list came to be: how many entries were told, a checksum, and a history.
const mostPast = 10 + 8 + rerank.MostHistory
