package rerank

import (
	"encoding/json"
	"time"
)

// Names of the lists, as keys of Update.Changes.
const (
	ListTotal   = "total"
	ListGeneral = "general"
)

// Update says that an artifact's lists changed.
type Update struct {
	ID string
	// Revision increases with every update of the store; with the id it names the
	// update, whenever and how often it is rendered.
	Revision uint64
	// Epoch is the model's.
	Epoch uint32
	Lists Lists
	// Changes are by list, against the update published before.
	Changes map[string]Changes
	// Cause are the artifacts whose records caused the change; none when the model's
	// background work did.
	Cause []string
	// Recorded is the timestamp of the newest record that caused it; zero: none did.
	Recorded time.Time
	// TraceParent is that record's W3C trace context, or empty.
	TraceParent string
}

// MarshalJSON gives the value of the topic kilim.similar. What is empty is [], not null.
func (u *Update) MarshalJSON() ([]byte, error) {
	v := struct {
		ID       string             `json:"id"`
		Revision uint64             `json:"revision"`
		Epoch    uint32             `json:"epoch"`
		Lists    Lists              `json:"lists"`
		Changes  map[string]Changes `json:"changes"`
		Cause    []string           `json:"cause"`
	}{
		ID: u.ID, Revision: u.Revision, Epoch: u.Epoch,
		Lists:   Lists{Total: present(u.Lists.Total), General: present(u.Lists.General)},
		Changes: make(map[string]Changes, len(u.Changes)),
		Cause:   present(u.Cause),
	}
	for name, c := range u.Changes {
		v.Changes[name] = Changes{Entered: present(c.Entered), Left: present(c.Left), Moved: present(c.Moved)}
	}
	return json.Marshal(v)
}

func present[T any](v []T) []T {
	if v == nil {
		return []T{}
	}
	return v
}
