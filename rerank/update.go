package rerank

import "time"

// Update says that an artifact's lists changed.
type Update struct {
	ID string
	// Revision increases with every update of the store; with the id it names the
	// update, whenever and how often it is rendered.
	Revision uint64
	// Epoch is the model's.
	Epoch uint32
	Lists Lists
	// Ordered is the list total with all of its learned order, of which Lists have the entries; nil: they are by the stated score.
	Ordered *Ordered
	// Changes are by the names of lists, against the update published before.
	Changes map[string]Changes
	// Cause are the artifacts whose records caused the change; none when the model's
	// background work did.
	Cause []string
	// Recorded is the timestamp of the newest record that caused it; zero: none did.
	Recorded time.Time
	// TraceParent is that record's W3C trace context, or empty.
	TraceParent string
}
