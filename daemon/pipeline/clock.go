package pipeline

import (
	"encoding/binary"
	"fmt"
	"math"

	"kilim/rerank/topk"
)

const clockKey = "chain/clock"

// clock measures how much the archive has changed, in archives: an insert,
// replacement or deletion among N artifacts advances it by 1/N. What was
// computed at an earlier time is as stale as the difference.
type clock struct {
	// arrivals follows what document frequencies depend on: arrivals and departures.
	arrivals float64
	// rank follows what lists depend on: these, and embeddings that move.
	rank float64
	// revision numbers the units; a published list carries the unit's.
	revision uint64
}

func (c *clock) changed(artifacts int) {
	step := 1 / float64(max(artifacts, 1))
	c.arrivals += step
	c.rank += step
}

// minMove keeps the clock moving for the smallest move of an embedding.
const minMove = 1e-6

func (c *clock) moved(distance float64, artifacts int) {
	c.rank += min(max(distance, minMove), 1) / float64(max(artifacts, 1))
}

// time is what lists are dated with.
func (c *clock) time() topk.Time { return topk.Time{Encode: c.arrivals, Rank: c.rank} }

func (c *clock) marshal() []byte {
	b := make([]byte, 0, 25)
	b = append(b, 1)
	b = binary.BigEndian.AppendUint64(b, math.Float64bits(c.arrivals))
	b = binary.BigEndian.AppendUint64(b, math.Float64bits(c.rank))
	return binary.BigEndian.AppendUint64(b, c.revision)
}

func (c *clock) unmarshal(b []byte) error {
	if len(b) == 0 {
		return nil // a new state
	}
	if len(b) != 25 || b[0] != 1 {
		return fmt.Errorf("pipeline: clock row of %d bytes, version %d: want 25 bytes, version 1", len(b), b[0])
	}
	c.arrivals = math.Float64frombits(binary.BigEndian.Uint64(b[1:]))
	c.rank = math.Float64frombits(binary.BigEndian.Uint64(b[9:]))
	c.revision = binary.BigEndian.Uint64(b[17:])
	return nil
}
