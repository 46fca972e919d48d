package rerank

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"
)

// Pending is what is kept beside an artifact's Lists while their change waits to be published: enough for an Update that tells
// readers what changed since the one before.
type Pending struct {
	// Before are the lists as last published.
	Before Lists
	// Causes are the records that may have caused the change, each artifact once: see Gather.
	Causes []Cause
}

// Cause is the record that brought or took an artifact.
type Cause struct {
	ID          string
	Recorded    time.Time
	TraceParent string
}

// MostCauses is how many causes are gathered for one update. A list that a hundred records change within a linger is one that
// everybody gets into: what the hundred and first says of it nobody reads, and the row is written with each.
const MostCauses = 100

// Gather adds a cause in place of an earlier one of the same artifact. Of more than MostCauses those recorded last stay.
func (p *Pending) Gather(c Cause) {
	p.Causes = append(slices.DeleteFunc(p.Causes, func(was Cause) bool { return was.ID == c.ID }), c)
	if len(p.Causes) <= MostCauses {
		return
	}
	oldest := 0
	for i := range p.Causes {
		if p.Causes[i].Recorded.Before(p.Causes[oldest].Recorded) {
			oldest = i
		}
	}
	p.Causes = slices.Delete(p.Causes, oldest, oldest+1)
}

// Clone returns a Pending that can be gathered into; the lists are shared.
func (p *Pending) Clone() *Pending {
	return &Pending{Before: p.Before, Causes: slices.Clone(p.Causes)}
}

const (
	pendingVersion = 1
	// causeBytes is the least a cause takes: an empty id, a time, an empty trace.
	causeBytes = 3
)

// Marshal returns the binary form, beside that of now, the lists of now. An entry that stands there as before is written as its
// place: most do, and a row is written at each change.
func (p *Pending) Marshal(now Lists) []byte {
	b := append(make([]byte, 0, 256), pendingVersion)
	b = binary.AppendUvarint(b, uint64(len(p.Before)))
	for _, list := range p.Before {
		there := now.Get(list.Name)
		b = appendString(b, list.Name)
		b = binary.AppendUvarint(b, uint64(len(list.Entries)))
		next := 0 // most follow the one before them there, too
		for i := range list.Entries {
			at := next
			if at >= len(there) || there[at] != list.Entries[i] {
				at = slices.Index(there, list.Entries[i])
			}
			next = at + 1
			b = binary.AppendUvarint(b, uint64(at+1))
			if at < 0 {
				b = appendEntry(b, &list.Entries[i])
			}
		}
	}
	b = binary.AppendUvarint(b, uint64(len(p.Causes)))
	for _, c := range p.Causes {
		b = appendString(b, c.ID)
		b = appendTime(b, c.Recorded)
		b = appendString(b, c.TraceParent)
	}
	return b
}

// Unmarshal reads the binary form that was written beside the lists of now. After an error p is not changed.
func (p *Pending) Unmarshal(b []byte, now Lists) error {
	d := decoder{rest: b}
	d.version(pendingVersion)
	v := Pending{Before: d.pendingLists(now)}
	if n := d.count("causes", causeBytes); n > 0 {
		v.Causes = make([]Cause, n)
		for i := range v.Causes {
			v.Causes[i] = Cause{d.string("cause"), d.time("recorded"), d.string("traceparent")}
		}
	}
	if err := d.finish("pending update"); err != nil {
		return err
	}
	*p = v
	return nil
}

func (d *decoder) pendingLists(now Lists) Lists {
	n := d.count("lists", listBytes)
	if n == 0 {
		return nil
	}
	out := make(Lists, 0, n)
	for range n {
		name := d.string("list")
		there := now.Get(name)
		list := List{Name: name}
		if entries := d.count(name, 1); entries > 0 {
			list.Entries = make([]Entry, entries)
		}
		for i := range list.Entries {
			switch at := d.below("place", uint64(len(there))); {
			case d.err != nil:
				return nil
			case at > 0:
				list.Entries[i] = there[at-1]
			default:
				list.Entries[i] = d.entry(name)
			}
		}
		if d.err == nil && out.has(name) {
			d.fail("list", fmt.Errorf("%q comes twice", name))
		}
		if d.err != nil {
			return nil
		}
		out = append(out, list)
	}
	return out
}
