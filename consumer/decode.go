package consumer

import (
	"errors"
	"fmt"
	"runtime/debug"

	"kilim/consumer/profile"
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
	item.TraceParent = traceParent(item)
	item.ID = keyID(item.Key, lim)
	if item.Value == nil {
		item.Refusal = profile.CheckID("key", item.ID, lim)
		return
	}
	c, refusal := unwrap(item.Value, item.Headers, lim)
	if refusal != nil {
		item.Refusal = refusal
		return
	}
	if item.TraceParent == "" {
		item.TraceParent = c.traceParent
	}
	if c.json == nil {
		item.delete(c.id, lim)
		return
	}
	a, err := profile.Parse(c.json, item.ID, lim)
	if err != nil {
		if !errors.As(err, &item.Refusal) {
			panic(err) // Parse promises a *Refusal
		}
		return
	}
	item.ID, item.Artifact = a.ID, a
}

// delete refuses what Parse would refuse: a key that is not the artifact's id.
func (item *Item) delete(id string, lim profile.Limits) {
	if item.ID == "" {
		item.ID = id
	}
	if item.Refusal = profile.CheckID("key", item.ID, lim); item.Refusal != nil {
		return
	}
	if id != "" && id != item.ID {
		item.Refusal = profile.Refuse(profile.ReasonIDMismatch, "before.id", id, "the record's key is %s", item.ID)
	}
}

func traceParent(item *Item) string {
	for _, name := range []string{"traceparent", "ce_traceparent"} {
		if v, ok := header(item.Headers, name); ok {
			return v
		}
	}
	return ""
}
