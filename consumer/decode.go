package consumer

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"

	"kilim/consumer/profile"
	"kilim/consumer/recordset"
)

// Decode makes an Item of a record. It never panics: a record that makes the
// code panic is refused, the panic's stack in the detail. It is a pure
// function, safe for concurrent use.
func Decode(rec Record, lim profile.Limits) Item {
	return guard(rec, func(item *Item) { item.decode(lim) })
}

func guard(rec Record, decode func(*Item)) (item Item) {
	item.Record = rec
	defer func() {
		if p := recover(); p != nil {
			item.Artifact = nil
			item.Refusal = &profile.Refusal{
				Reason: profile.ReasonPanic, Field: "record",
				Detail: fmt.Sprintf("%v\n%s", p, debug.Stack()),
			}
		}
	}()
	decode(&item)
	return item
}

func (item *Item) decode(lim profile.Limits) {
	if item.Unreadable != nil {
		item.Refusal = profile.Refuse(profile.ReasonBadEnvelope, "record", "", "its batch can't be unpacked: %v", item.Unreadable)
		return
	}
	if item.Dropped > 0 {
		item.Refusal = profile.Refuse(profile.ReasonTooLarge, "record", strconv.Itoa(item.Dropped),
			"%d bytes in a key, a value or headers, of which %d are taken: they are not kept", item.Dropped, recordset.PartBytes)
		return
	}
	item.ID = keyID(item.Key, lim)
	if item.Value == nil {
		item.TraceParent = traceParent(item, "")
		item.Refusal = profile.CheckID("key", item.ID, lim)
		return
	}
	c, refusal := unwrap(item.Value, item.Headers, lim)
	item.TraceParent = traceParent(item, c.traceParent)
	if refusal != nil {
		item.Refusal = refusal
		return
	}
	if c.json == nil || c.id != "" {
		if item.identify(c.id, lim); c.json == nil || item.Refusal != nil {
			return
		}
	}
	a, err := profile.Parse(c.json, item.ID, lim)
	if err != nil {
		if !errors.As(err, &refusal) {
			panic(err) // Parse promises a *Refusal
		}
		item.Refusal = explain(refusal, c.json, lim)
		return
	}
	item.ID, item.Artifact = a.ID, a
}

// identify takes the id of an envelope where the record has no key, and refuses what Parse would refuse: a key that is
// not the artifact's id.
func (item *Item) identify(id string, lim profile.Limits) {
	if item.ID == "" {
		item.ID = id
	}
	if item.Refusal = profile.CheckID("key", item.ID, lim); item.Refusal != nil {
		return
	}
	if id != "" && id != item.ID {
		item.Refusal = profile.Refuse(profile.ReasonIDMismatch, "id", id, "the record's key is %s", item.ID)
	}
}
