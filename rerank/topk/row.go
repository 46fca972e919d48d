package topk

import (
	"encoding/binary"
	"fmt"
	"math"

	"kilim/rerank"
)

// Row is what the store keeps of an artifact's lists: as they were last published.
type Row struct {
	// RankedAt is the rank time at which the lists were last computed in full, or stale.Never.
	RankedAt float64
	// Revision is that of the update that published them, see also Lists.Lost; 0: none yet, since they were made in a state that
	// does not publish.
	Revision uint64
	Lists    rerank.Lists
}

// rowVersion is 2 since lists have names.
const rowVersion = 2

// Marshal returns the binary form.
func (r *Row) Marshal() []byte {
	b := make([]byte, 0, 1024)
	b = append(b, rowVersion)
	b = binary.BigEndian.AppendUint64(b, math.Float64bits(r.RankedAt))
	b = binary.BigEndian.AppendUint64(b, r.Revision)
	return append(b, r.Lists.Marshal()...)
}

// Unmarshal reads the binary form. After an error r is not changed.
func (r *Row) Unmarshal(b []byte) error {
	if len(b) < 17 {
		return fmt.Errorf("topk: list row of %d bytes: want at least 17", len(b))
	}
	if b[0] != rowVersion {
		return fmt.Errorf("topk: list row of version %d: this program reads version %d", b[0], rowVersion)
	}
	v := Row{RankedAt: math.Float64frombits(binary.BigEndian.Uint64(b[1:])), Revision: binary.BigEndian.Uint64(b[9:])}
	if err := v.Lists.Unmarshal(b[17:]); err != nil {
		return fmt.Errorf("topk: list row: %w", err)
	}
	*r = v
	return nil
}

// Stored reads an artifact's lists as they were last published, nil when the node has none.
func Stored(g Reader, node uint64) (*Row, error) {
	b, err := g.Lists(node)
	if err != nil || b == nil {
		return nil, err
	}
	r := new(Row)
	if err := r.Unmarshal(b); err != nil {
		return nil, err
	}
	return r, nil
}
