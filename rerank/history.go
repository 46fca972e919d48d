package rerank

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// History is how an artifact's lists came to be what they were last published as: their last changes, in binary form. It stands in the
// row that has the lists, so that it costs no row and no write of its own, and so each write of the row pays for it: hence its bounds.
//
// A change is kept as what leads back from the lists after it to those before. So who entered and who moved needs no id, a change
// takes what it changed and not the length of the lists, and the oldest is forgotten by cutting bytes off. The obvious ring of whole
// lists holds a single state of two lists of ten ids in the same 512 bytes.
//
// The form: a version byte; 1 when the lists before the first change were the artifact's first, else 0; since when it had them, in
// milliseconds; then the changes, the oldest first, each with its length before it. It is read beside the lists, see Read.
type History []byte

const (
	historyVersion = 1
	// MostChanges and MostHistory bound the changes and the bytes of a History.
	MostChanges = 16
	MostHistory = 512
)

// Step is one change of an artifact's published lists.
type Step struct {
	ID            string
	Before, After Lists
	// At is when; what is earlier than the change before counts as at the same time.
	At time.Time
	// Cause are the artifacts whose records caused it.
	Cause []string
}

// Append returns the history with one more change, and with as few of the oldest forgotten as its bounds ask for. An empty one begins with the lists
// after the step: as the artifact's first when there were none before. What left ids and their order alone is no change.
func (h History) Append(s *Step) (History, error) {
	if len(h) == 0 {
		return begin(s.Before == nil, millis(s.At), nil), nil
	}
	record, changed := encodeStep(s)
	if !changed {
		return h, nil
	}
	began, since, records, err := h.records()
	if err != nil {
		return nil, err
	}
	last := since
	for _, r := range records {
		last += int64(r.wait)
	}
	wait := uint64(max(millis(s.At)-last, 0))
	records = append(records, historyRecord{wait: wait, edits: record})
	size := func() int { return len(begin(began, since, records)) }
	for len(records) > MostChanges || len(records) > 0 && size() > MostHistory {
		since += int64(records[0].wait)
		began, records = false, records[1:]
	}
	return begin(began, since, records), nil
}

// historyRecord is a change: how long after the one before, in milliseconds, and the rest of its form.
type historyRecord struct {
	wait  uint64
	edits []byte
}

func begin(began bool, since int64, records []historyRecord) History {
	b := []byte{historyVersion, 0}
	if began {
		b[1] = 1
	}
	b = binary.AppendVarint(b, since)
	for _, r := range records {
		wait := binary.AppendUvarint(nil, r.wait)
		b = binary.AppendUvarint(b, uint64(len(wait)+len(r.edits)))
		b = append(append(b, wait...), r.edits...)
	}
	return b
}

// records takes a history apart.
func (h History) records() (began bool, since int64, out []historyRecord, err error) {
	d := decoder{rest: h}
	d.version(historyVersion)
	began = d.below("began", 1) == 1
	since = d.varint("since")
	for len(d.rest) > 0 {
		record := decoder{rest: []byte(d.string("change"))}
		r := historyRecord{wait: record.uvarint("time")}
		r.edits = record.rest
		if record.err != nil {
			d.fail("change", record.err)
		}
		out = append(out, r)
	}
	if d.err == nil && (len(out) > MostChanges || len(h) > MostHistory) {
		d.fail("changes", fmt.Errorf("are %d in %d bytes, at most %d in %d are kept", len(out), len(h), MostChanges, MostHistory))
	}
	return began, since, out, d.finish("history")
}

// millis has the resolution of Kafka's timestamps. No time at all is the earliest there.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// State is what an artifact's lists were from a time on, by ids alone.
type State struct {
	At time.Time
	// Cause are the artifacts whose records made the lists these; none when only what is around them did, and of the oldest state known.
	Cause []string
	Lists []Ranking
}

// Ranking is a list by its ids, best first.
type Ranking struct {
	Name string
	IDs  []string
	// Scores are those of IDs as they were published last in a State, nil: they were not kept. Those of a State that another came after are rounded.
	Scores []float32
}

// IDs are those of the named list.
func (s *State) IDs(list string) []string {
	for i := range s.Lists {
		if s.Lists[i].Name == list {
			return s.Lists[i].IDs
		}
	}
	return nil
}

// Past is what is known of an artifact's published lists.
type Past struct {
	// Began: the first of the States are the artifact's first lists, and before it had none. Otherwise older ones are forgotten.
	Began bool
	// States are the oldest first; the last is what was published last.
	States []State
}

// AsOf is the last state that was published until a time; false when it is forgotten, or there was none.
func (p *Past) AsOf(at time.Time) (place int, ok bool) {
	for i := len(p.States) - 1; i >= 0; i-- {
		if !p.States[i].At.After(at) {
			return i, true
		}
	}
	return 0, false
}

// Read returns what an artifact's history tells, beside its lists as they were published last.
func (h History) Read(id string, published Lists) (*Past, error) {
	if len(h) == 0 {
		return nil, errors.New("rerank: history: there is none")
	}
	began, since, records, err := h.records()
	if err != nil {
		return nil, err
	}
	past := &Past{Began: began, States: make([]State, len(records)+1)}
	at := since
	past.States[0].At = time.UnixMilli(at).UTC()
	for i, r := range records {
		at += int64(r.wait)
		past.States[i+1].At = time.UnixMilli(at).UTC()
	}
	lists := make([]Ranking, len(published))
	for i := range published {
		lists[i].Name = published[i].Name
		for j := range published[i].Entries {
			lists[i].IDs = append(lists[i].IDs, published[i].Entries[j].ID)
			if scored(lists[i].Name) {
				lists[i].Scores = append(lists[i].Scores, published[i].Entries[j].Score)
			}
		}
	}
	for i := len(records); i > 0; i-- {
		state := &past.States[i]
		state.Lists = lists
		if state.Cause, lists, err = decodeStep(id, records[i-1].edits, lists); err != nil {
			return nil, fmt.Errorf("rerank: history: change %d of %d: %w", i, len(records), err)
		}
	}
	past.States[0].Lists = lists
	return past, nil
}
