package pipeline

import (
	"encoding/binary"
	"fmt"
	"math"

	"kilim/rerank"
)

// row is what the store keeps of an artifact's lists: as they were last published.
type row struct {
	// rankedAt is the clock's rank time at which the lists were last computed in full.
	rankedAt float64
	// revision is that of the update that published them; 0: none yet, since they were made in a standby.
	revision uint64
	lists    rerank.Lists
}

// rowVersion is 2 since lists have names.
const rowVersion = 2

func (r *row) marshal() []byte {
	b := make([]byte, 0, 1024)
	b = append(b, rowVersion)
	b = binary.BigEndian.AppendUint64(b, math.Float64bits(r.rankedAt))
	b = binary.BigEndian.AppendUint64(b, r.revision)
	return append(b, r.lists.Marshal()...)
}

func unmarshalRow(b []byte) (*row, error) {
	if len(b) < 17 {
		return nil, fmt.Errorf("pipeline: list row of %d bytes: want at least 17", len(b))
	}
	if b[0] != rowVersion {
		return nil, fmt.Errorf("pipeline: list row of version %d: this program reads version %d", b[0], rowVersion)
	}
	r := &row{
		rankedAt: math.Float64frombits(binary.BigEndian.Uint64(b[1:])),
		revision: binary.BigEndian.Uint64(b[9:]),
	}
	if err := r.lists.Unmarshal(b[17:]); err != nil {
		return nil, fmt.Errorf("pipeline: list row: %w", err)
	}
	return r, nil
}
