package stored

import "fmt"

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
