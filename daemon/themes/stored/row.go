package stored

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"kilim/learner/theme"
)

// Row is what the store keeps of an artifact's lists.
type Row struct {
	ID string
	// Work is a checksum of what was read of the artifact, see Profiles.
	Work uint64
	// By are the model and the settings by which all Lists are current. It is empty when they are due.
	By    string
	Lists []List // by theme
}

// List is one list as it was published last.
type List struct {
	Theme string
	// Model names what made it, see Model.Of, and Revision is that of the message.
	Model    string
	Revision uint64
	// Entries are the best of all there are, best first: those that are told, at most Config.Size, and some that come up when one of them goes.
	Entries []Entry
	// Whole: they are all there are, and there is room for more.
	Whole bool
}

// told are the entries that are.
func (l *List) told(size int) []Entry { return l.Entries[:min(len(l.Entries), size)] }

// place is where an artifact is among the entries, -1: it is not.
func (l *List) place(id string) int {
	return slices.IndexFunc(l.Entries, func(e Entry) bool { return e.ID == id })
}

// least is the score that another one needs to belong into the list.
func (l *List) least() float64 {
	switch n := len(l.Entries); {
	case l.Whole:
		return math.Inf(-1)
	case n == 0:
		return math.Inf(1)
	default:
		return l.Entries[n-1].Parts.Score()
	}
}

// Entry is one place of a list.
type Entry struct {
	ID    string
	Parts theme.Parts
}

// List returns that of a theme, nil when there is none.
func (r *Row) List(theme string) *List {
	for i := range r.Lists {
		if r.Lists[i].Theme == theme {
			return &r.Lists[i]
		}
	}
	return nil
}

const (
	rowVersion = 1
	entryBytes = 1 + 4*8
	listBytes  = 5
)

// Marshal returns the binary form.
func (r *Row) Marshal() []byte {
	b := append(make([]byte, 0, 1024), rowVersion)
	b = appendText(b, r.ID)
	b = binary.LittleEndian.AppendUint64(b, r.Work)
	b = appendText(b, r.By)
	b = binary.AppendUvarint(b, uint64(len(r.Lists)))
	for i := range r.Lists {
		l := &r.Lists[i]
		b = appendText(b, l.Theme)
		b = appendText(b, l.Model)
		b = binary.AppendUvarint(b, l.Revision)
		whole := uint64(0)
		if l.Whole {
			whole = 1
		}
		b = binary.AppendUvarint(b, whole)
		b = binary.AppendUvarint(b, uint64(len(l.Entries)))
		for j := range l.Entries {
			e := &l.Entries[j]
			b = appendText(b, e.ID)
			for _, v := range [...]float64{e.Parts.Terms, e.Parts.Neighbours, e.Parts.Profile, e.Parts.Words} {
				b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
			}
		}
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// Unmarshal reads the binary form. After an error r is not changed.
func (r *Row) Unmarshal(b []byte) error {
	d := decoder{rest: b}
	if v := d.take(1); d.err == nil && v[0] != rowVersion {
		return fmt.Errorf("themes: row of lists of version %d: this program reads version %d", v[0], rowVersion)
	}
	row := Row{ID: d.text(), Work: d.fixed(), By: d.text()}
	for range d.count(listBytes) {
		l := List{Theme: d.text(), Model: d.text(), Revision: d.number(), Whole: d.number() == 1}
		if d.err == nil && row.List(l.Theme) != nil {
			d.err = fmt.Errorf("theme %q comes twice", l.Theme)
		}
		for range d.count(entryBytes) {
			l.Entries = append(l.Entries, Entry{d.text(), theme.Parts{Terms: d.part(), Neighbours: d.part(), Profile: d.part(), Words: d.part()}})
		}
		row.Lists = append(row.Lists, l)
	}
	if d.err == nil && len(d.rest) > 0 {
		d.err = fmt.Errorf("%d bytes follow", len(d.rest))
	}
	if d.err != nil {
		return fmt.Errorf("themes: row of lists: %w", d.err)
	}
	*r = row
	return nil
}

// decoder reads what Marshal wrote. The first fault sticks; what is read after it is empty.
type decoder struct {
	rest []byte
	err  error
}

var errShort = errors.New("ends too early")

func (d *decoder) take(n uint64) []byte {
	if d.err != nil || n > uint64(len(d.rest)) {
		if d.err == nil {
			d.err = errShort
		}
		return nil
	}
	out := d.rest[:n]
	d.rest = d.rest[n:]
	return out
}

func (d *decoder) number() uint64 {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 {
		d.take(math.MaxUint64)
		return 0
	}
	d.take(uint64(n))
	return v
}

// count reads how many things follow that take at least size bytes each: a damaged one can't make the caller allocate.
func (d *decoder) count(size uint64) uint64 {
	n := d.number()
	if d.err == nil && n > uint64(len(d.rest))/size {
		d.err = errShort
	}
	if d.err != nil {
		return 0
	}
	return n
}

func (d *decoder) text() string { return string(d.take(d.number())) }

func (d *decoder) fixed() uint64 {
	if b := d.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (d *decoder) part() float64 {
	v := math.Float64frombits(d.fixed())
	if d.err == nil && !(math.Abs(v) <= math.MaxFloat32) {
		d.err = errors.New("a part of a score is not finite")
	}
	return v
}
