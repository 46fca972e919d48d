package queries

import (
	"encoding/json"
	"fmt"
	"time"

	"kilim/rerank"
)

// row is what was told of a query.
type row struct {
	Name string
	// Digest is that of the record that was asked about.
	Digest   string
	Epoch    uint32
	Revision uint64
	At       time.Time
	Lists    rerank.Lists
	Ordered  *rerank.Ordered
	Changes  map[string]rerank.Changes
	Cause    []string
	// recorded is when the newest of Cause was written. It is told, and not stored.
	recorded time.Time
}

// stored is the form of a row.
type stored struct {
	Name     string                    `json:"name"`
	Digest   string                    `json:"digest"`
	Epoch    uint32                    `json:"epoch"`
	Revision uint64                    `json:"revision"`
	At       time.Time                 `json:"at"`
	Lists    []byte                    `json:"lists"`
	Ordered  []byte                    `json:"ordered,omitempty"`
	Changes  map[string]rerank.Changes `json:"changes"`
	Cause    []string                  `json:"cause"`
}

func (r *row) marshal() ([]byte, error) {
	s := stored{r.Name, r.Digest, r.Epoch, r.Revision, r.At, r.Lists.Marshal(), nil, r.Changes, r.Cause}
	if r.Ordered != nil {
		s.Ordered = r.Ordered.Marshal()
	}
	b, err := json.Marshal(&s)
	if err != nil {
		return nil, fmt.Errorf("queries: row of %q: %w", r.Name, err)
	}
	return b, nil
}

func parseRow(name string, b []byte) (*row, error) {
	var s stored
	err := json.Unmarshal(b, &s)
	r := &row{Name: s.Name, Digest: s.Digest, Epoch: s.Epoch, Revision: s.Revision, At: s.At, Changes: s.Changes, Cause: s.Cause}
	if err == nil {
		err = r.Lists.Unmarshal(s.Lists)
	}
	if err == nil && s.Ordered != nil {
		r.Ordered = new(rerank.Ordered)
		err = r.Ordered.Unmarshal(s.Ordered)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("queries: row of %q: %w", name, err)
	case r.Name != name:
		return nil, fmt.Errorf("queries: row of %q is of %q", name, r.Name)
	}
	return r, nil
}

// differs tells whether a row says something that is worth telling after another one.
func (r *row) differs(told *row, tolerance float32) bool {
	if r.Digest != told.Digest || r.Epoch != told.Epoch || (r.Ordered == nil) != (told.Ordered == nil) {
		return true
	}
	return rerank.Material(told.Lists, r.Lists, tolerance) || r.Ordered != nil && told.Ordered.Material(r.Ordered, tolerance)
}
