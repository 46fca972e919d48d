package standby

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"kilim/internal/atomicfile"
)

// ID names an instance by its number, from 1, and the epoch of its model. The zero value names none. CURRENT calls the
// number the generation.
type ID struct {
	Number int    `json:"generation"`
	Epoch  uint32 `json:"epoch"`
}

// current is the content of CURRENT, which names the instances that are of use.
type current struct {
	Serving ID `json:"serving"`
	// Previous served before. Its lists are the last published ones until those of Serving are published.
	Previous *ID `json:"previous,omitempty"`
	// Next is the standby that is to be built.
	Next *ID `json:"next,omitempty"`
}

func (c current) equal(d current) bool {
	same := func(a, b *ID) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }
	return c.Serving == d.Serving && same(c.Previous, d.Previous) && same(c.Next, d.Next)
}

// names tells whether c names the instance of a number.
func (c current) names(number int) bool {
	return number == c.Serving.Number || c.Previous != nil && number == c.Previous.Number || c.Next != nil && number == c.Next.Number
}

// highest is the highest number that c names.
func (c current) highest() int {
	n := c.Serving.Number
	for _, id := range []*ID{c.Previous, c.Next} {
		if id != nil {
			n = max(n, id.Number)
		}
	}
	return n
}

// layout knows where in the data folder each instance is. before is called ahead of each change of a file, and may fail it.
type layout struct {
	data   string
	before func(step string) error
}

func (l layout) currentFile() string { return filepath.Join(l.data, "CURRENT") }
func (l layout) instances() string   { return filepath.Join(l.data, "generations") }
func (l layout) folder(n int) string { return filepath.Join(l.instances(), fmt.Sprintf("%04d", n)) }

func (l layout) graph(n int) string {
	if n == 1 {
		return filepath.Join(l.data, "graph")
	}
	return filepath.Join(l.folder(n), "graph")
}

func (l layout) snapshot(n int) string {
	if n == 1 {
		return filepath.Join(l.data, "index.snapshot")
	}
	return filepath.Join(l.folder(n), "index.snapshot")
}

// read returns the content of CURRENT. Without the file, instance 1 serves, with the seeded model's epoch.
func (l layout) read() (current, error) {
	c := current{Serving: ID{Number: 1, Epoch: 1}}
	data, err := os.ReadFile(l.currentFile())
	if errors.Is(err, fs.ErrNotExist) {
		return c, l.requireNoInstances()
	}
	if err != nil {
		return c, err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	c = current{}
	if err := dec.Decode(&c); err != nil {
		return c, fmt.Errorf("%s: %w", l.currentFile(), err)
	}
	seen := map[int]bool{}
	for _, id := range []*ID{&c.Serving, c.Previous, c.Next} {
		if id == nil {
			continue
		}
		if id.Number < 1 || id.Epoch < 1 || seen[id.Number] {
			return c, fmt.Errorf("%s: generation %d of epoch %d: want numbers from 1, each once", l.currentFile(), id.Number, id.Epoch)
		}
		seen[id.Number] = true
	}
	if _, err := os.Stat(l.graph(c.Serving.Number)); err != nil {
		return c, fmt.Errorf("%s names generation %d as the one that serves, and its folder can't be read (put it back, or begin with an empty folder): %w",
			l.currentFile(), c.Serving.Number, err)
	}
	return c, nil
}

// requireNoInstances refuses a folder without CURRENT that has later instances: it is a part of a state, and instance 1, made
// empty, would take their place.
func (l layout) requireNoInstances() error {
	there, err := l.numbered()
	if err != nil || len(there) == 0 {
		return err
	}
	return fmt.Errorf("%s is missing, and there are generations %v in %s: which of them serves is not known; put the file back, or move that folder away to begin anew",
		l.currentFile(), there, l.instances())
}

// numbered returns the numbers of the later instances that have a folder.
func (l layout) numbered() (there []int, err error) {
	entries, err := os.ReadDir(l.instances())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		n, err := strconv.Atoi(e.Name())
		if err == nil && n > 1 && l.folder(n) == filepath.Join(l.instances(), e.Name()) {
			there = append(there, n) // a file of another name was not made by layout, and stays
		}
	}
	return there, nil
}

func (l layout) write(c current) error {
	data, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return atomicfile.Write(l.currentFile(), append(data, '\n'), l.before)
}

// write replaces CURRENT, and m.cur with it. It wants the lock. When it is not known whether the new CURRENT would outlive a crash
// (atomicfile.ErrUnsure), it is what the disk says until then, and what the next start reads if there is no crash: so m.cur
// follows what is there, though write returns the error. To ask for another sync would tell nothing, for a kernel reports a write
// that failed once.
func (m *Manager) write(c current) error {
	err := m.layout.write(c)
	if errors.Is(err, atomicfile.ErrUnsure) {
		there, readErr := m.layout.read()
		if readErr == nil {
			m.cur = there
		}
		return errors.Join(err, readErr)
	}
	if err == nil {
		m.cur = c
	}
	return err
}

// remove removes what there is of an instance; there may be nothing.
func (l layout) remove(n int) error {
	if l.before != nil {
		if err := l.before("remove"); err != nil {
			return err
		}
	}
	if n > 1 {
		return os.RemoveAll(l.folder(n))
	}
	return errors.Join(os.RemoveAll(l.graph(n)), os.RemoveAll(l.snapshot(n)))
}

// sweep removes the instances that c does not name, and returns their numbers.
func (l layout) sweep(c current) (removed []int, err error) {
	there, err := l.numbered()
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(l.graph(1)); err == nil {
		there = append([]int{1}, there...)
	}
	for _, n := range there {
		if c.names(n) {
			continue
		}
		if err := l.remove(n); err != nil {
			return removed, err
		}
		removed = append(removed, n)
	}
	return removed, nil
}
