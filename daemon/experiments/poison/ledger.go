package main

import (
	"bytes"
	"encoding/json"
	"hash/fnv"
	"slices"

	"kilim/daemon/experiments/poison/hostile"
)

// place is where a record is in the topic.
type place struct {
	partition int
	offset    int64
}

// entry is what is kept of a record that was sent.
type entry struct {
	id, reason string
	told       string // the record in a line
	good       bool
	loose      bool
	fate       hostile.Fate
	deletes    bool
	artifact   uint64 // hash of what is to be served
	value      uint64 // hash of what was sent
	dead       string // the reason of its dead letter, "" while there is none
}

// ledger knows of each record what has become of it.
type ledger struct {
	records map[place]*entry
	// byID are the records of an artifact in their order.
	byID map[string][]*entry
}

func newLedger() *ledger { return &ledger{map[place]*entry{}, map[string][]*entry{}} }

func (l *ledger) sent(r *hostile.Record, at place) {
	e := &entry{
		id: r.ID, reason: r.Reason, told: r.String(), good: r.Family == "good", loose: r.Loose, fate: r.Fate,
		deletes: r.Artifact == nil, value: hash(r.Value),
	}
	if r.Artifact != nil {
		e.artifact = canonical(r.Artifact)
	}
	l.records[at] = e
	if r.ID != "" {
		l.byID[r.ID] = append(l.byID[r.ID], e)
	}
}

// last is the record of an artifact that counts: the last one that was not refused.
func (l *ledger) last(id string) *entry {
	for _, e := range slices.Backward(l.byID[id]) {
		if e.dead == "" {
			return e
		}
	}
	return nil
}

func hash(b []byte) uint64 {
	h := fnv.New64a()
	h.Write(b)
	return h.Sum64()
}

// canonical is the hash of JSON, whatever its white space, escapes and order are; 0 for what is none.
func canonical(b []byte) uint64 {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return 0
	}
	plain, err := json.Marshal(v)
	if err != nil {
		return 0 // a number of JSON that Go does not write
	}
	return hash(plain)
}
