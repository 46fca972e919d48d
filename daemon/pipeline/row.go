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

const rowVersion = 1

func (r *row) marshal() []byte {
	b := make([]byte, 0, 1024)
	b = append(b, rowVersion)
	b = binary.BigEndian.AppendUint64(b, math.Float64bits(r.rankedAt))
	b = binary.BigEndian.AppendUint64(b, r.revision)
	return append(b, r.lists.Marshal()...)
}

func unmarshalRow(b []byte) (*row, error) {
	if len(b) < 17 || b[0] != rowVersion {
		return nil, fmt.Errorf("pipeline: list row of %d bytes: want version %d and at least 17 bytes", len(b), rowVersion)
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

// members calls fn once for each id in any of the lists.
func members(l *rerank.Lists, fn func(id string)) {
	seen := make(map[string]struct{}, len(l.Total)+len(l.General))
	for _, list := range [][]rerank.Entry{l.Total, l.General} {
		for i := range list {
			if _, ok := seen[list[i].ID]; !ok {
				seen[list[i].ID] = struct{}{}
				fn(list[i].ID)
			}
		}
	}
}
