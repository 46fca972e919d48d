package rerank

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Ordered is a list total in an order that was learned: the first of the best by the stated score.
type Ordered struct {
	// Ranker names the order. It is never 0.
	Ranker  uint64
	Entries []OrderedEntry
}

// OrderedEntry is one place of an Ordered. Score is the sum of Parts, exactly, in whatever order they are added.
type OrderedEntry struct {
	ID    string
	Score float64
	// Parts are nil where only what was told is kept.
	Parts []OrderedPart
}

// OrderedPart is what one feature adds to a score.
type OrderedPart struct {
	Name  string
	Value float64
}

// Over returns lists with the Ordered in the place of the stated list total. Its entries have the parts of the stated score, and their own score to
// the nearest float32: what is exact is in the Ordered.
func (o *Ordered) Over(lists Lists) Lists {
	out := append(Lists(nil), lists...)
	for i := range out {
		if out[i].Name != ListTotal {
			continue
		}
		stated := make(map[string]Parts, len(out[i].Entries))
		for _, e := range out[i].Entries {
			stated[e.ID] = e.Parts
		}
		var entries []Entry
		for _, e := range o.Entries {
			entries = append(entries, Entry{ID: e.ID, Score: float32(e.Score), Parts: stated[e.ID]})
		}
		out[i].Entries = entries
	}
	return out
}

// Told is the Ordered without its parts.
func (o *Ordered) Told() *Ordered {
	told := &Ordered{Ranker: o.Ranker}
	for _, e := range o.Entries {
		told.Entries = append(told.Entries, OrderedEntry{ID: e.ID, Score: e.Score})
	}
	return told
}

// Material tells whether another Ordered in the place of this one is worth publishing: of another ranker, other ids or another order, or a score that
// moved by more than tolerance.
func (o *Ordered) Material(now *Ordered, tolerance float32) bool {
	if o.Ranker != now.Ranker || len(o.Entries) != len(now.Entries) {
		return true
	}
	for i, e := range o.Entries {
		if e.ID != now.Entries[i].ID || math.Abs(e.Score-now.Entries[i].Score) > float64(tolerance) {
			return true
		}
	}
	return false
}

const (
	orderedVersion = 1
	// orderedBytes is the least an entry takes: an empty id, a score and no parts; partBytes the least a part takes.
	orderedBytes = 1 + 8 + 1
	partBytes    = 1 + 8
)

// Marshal returns the binary form.
func (o *Ordered) Marshal() []byte { return appendOrdered([]byte{orderedVersion}, o) }

// Unmarshal reads the binary form; a number that is not finite is an error. After an error o is not changed.
func (o *Ordered) Unmarshal(b []byte) error {
	d := decoder{rest: b}
	d.version(orderedVersion)
	v := d.ordered()
	if err := d.finish("learned order"); err != nil {
		return err
	}
	*o = *v
	return nil
}

func appendOrdered(b []byte, o *Ordered) []byte {
	b = binary.LittleEndian.AppendUint64(b, o.Ranker)
	b = binary.AppendUvarint(b, uint64(len(o.Entries)))
	for i := range o.Entries {
		e := &o.Entries[i]
		b = appendFloat64(appendString(b, e.ID), e.Score)
		b = binary.AppendUvarint(b, uint64(len(e.Parts)))
		for _, p := range e.Parts {
			b = appendFloat64(appendString(b, p.Name), p.Value)
		}
	}
	return b
}

func (d *decoder) ordered() *Ordered {
	o := &Ordered{Ranker: d.fixed64("ranker")}
	if o.Ranker == 0 {
		d.fail("ranker", errors.New("is 0, which names none"))
	}
	if n := d.count("learned order", orderedBytes); n > 0 {
		o.Entries = make([]OrderedEntry, n)
	}
	for i := range o.Entries {
		e := &o.Entries[i]
		e.ID, e.Score = d.string("learned order"), d.finite("score")
		if n := d.count("parts", partBytes); n > 0 {
			e.Parts = make([]OrderedPart, n)
		}
		for j := range e.Parts {
			e.Parts[j] = OrderedPart{d.string("part"), d.finite("part")}
		}
	}
	return o
}

func (d *decoder) finite(field string) float64 {
	v := d.float64(field)
	if math.IsNaN(v) || math.IsInf(v, 0) {
		d.fail(field, fmt.Errorf("is %v", v))
		return 0
	}
	return v
}
