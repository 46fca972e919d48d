package pipeline

import (
	"encoding/binary"
	"fmt"
	"math"

	"kilim/graphstore"
	"kilim/rerank/topk"
)

const (
	clockKey = "chain/clock"
	// clockVersion is 2 since the row says what is lost.
	clockVersion = 2
	clockBytes   = 33
)

// clock measures how much the archive has changed, in archives: an insert,
// replacement or deletion among N artifacts advances it by 1/N. What was
// computed at an earlier time is as stale as the difference.
type clock struct {
	// arrivals follows what document frequencies depend on: arrivals and departures.
	arrivals float64
	// rank follows what lists depend on: these, and embeddings that move.
	rank float64
	// revision numbers the units; a published list carries the unit's. What was published up to the revision lost counts as
	// not published, see topk.Lists.Lost.
	revision, lost uint64
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
	b := make([]byte, 0, clockBytes)
	b = append(b, clockVersion)
	b = binary.BigEndian.AppendUint64(b, math.Float64bits(c.arrivals))
	b = binary.BigEndian.AppendUint64(b, math.Float64bits(c.rank))
	b = binary.BigEndian.AppendUint64(b, c.revision)
	return binary.BigEndian.AppendUint64(b, c.lost)
}

func (c *clock) unmarshal(b []byte) error {
	if len(b) == 0 {
		return nil // a new state
	}
	if len(b) != clockBytes || b[0] != clockVersion {
		return fmt.Errorf("pipeline: clock row of %d bytes, version %d: want %d bytes, version %d", len(b), b[0], clockBytes, clockVersion)
	}
	c.arrivals = math.Float64frombits(binary.BigEndian.Uint64(b[1:]))
	c.rank = math.Float64frombits(binary.BigEndian.Uint64(b[9:]))
	c.revision = binary.BigEndian.Uint64(b[17:])
	c.lost = binary.BigEndian.Uint64(b[25:])
	return nil
}

// Republish has all lists of a state published again, by what it writes into the clock's row; an Engine that is opened after that
// does so. Of messages with the returned revision none is newer, and it is above that of any message until now.
func Republish(tx *graphstore.Tx, above uint64) (revision uint64, err error) {
	var c clock
	b, err := tx.Meta(clockKey)
	if err == nil {
		err = c.unmarshal(b)
	}
	if err != nil {
		return 0, err
	}
	c.revision = max(c.revision, above) + 1
	c.lost = c.revision
	return c.revision, tx.PutMeta(clockKey, c.marshal())
}
