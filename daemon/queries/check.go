package queries

import (
	"fmt"
	"slices"

	"kilim/rerank"
)

// Checker verifies rows, of a state that nobody writes. Each fault is told in a sentence.
type Checker struct {
	// Exists tells whether an artifact is stored.
	Exists func(id string) (bool, error)
	// Revision is the highest that a message can have.
	Revision uint64
	Fault    func(string)
	// Waiting counts the rows that name what is gone: whoever keeps them had no time for that yet.
	Waiting int
}

// Row checks one.
func (c *Checker) Row(name string, b []byte) error {
	r, err := parseRow(name, b)
	if err == nil {
		err = CheckName(name)
	}
	if err != nil {
		c.Fault(err.Error())
		return nil
	}
	faultf := func(format string, args ...any) {
		c.Fault(fmt.Sprintf("standing query %q ", name) + fmt.Sprintf(format, args...))
	}
	if r.Revision == 0 || r.Revision > c.Revision {
		faultf("is of revision %d, the state is at %d", r.Revision, c.Revision)
	}
	gone := false
	for _, l := range r.Lists {
		seen := map[string]bool{}
		for _, e := range l.Entries {
			if seen[e.ID] {
				faultf("has %q twice in its list %s", e.ID, l.Name)
			}
			seen[e.ID] = true
			there, err := c.Exists(e.ID)
			if err != nil {
				return err
			}
			gone = gone || !there
		}
		learned := r.Ordered != nil && l.Name == rerank.ListTotal // whose order is that of exact scores
		if !learned && !slices.IsSortedFunc(l.Entries, func(a, b rerank.Entry) int {
			if rerank.Before(&a, &b) {
				return -1
			}
			return 1
		}) {
			faultf("has a list %s that is not in the order of its scores", l.Name)
		}
		if learned && len(r.Ordered.Entries) != len(l.Entries) {
			faultf("has %d entries in its list total, and %d in the order that was learned", len(l.Entries), len(r.Ordered.Entries))
		}
	}
	if gone {
		c.Waiting++
	}
	return nil
}
