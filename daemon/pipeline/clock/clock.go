// Package clock measures how much the archive has changed, in archives: an insert, replacement or deletion among N artifacts
// advances a Clock by 1/N. What was computed at an earlier time is as stale as the difference. The package does not know
// what is computed, nor when a unit of work begins.
package clock

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"kilim/graphstore"
	"kilim/rerank/topk"
)

const (
	key = "chain/clock"
	// version is 3 since the row says when the newest record was written, 2 since it says what is lost.
	version = 3
	length  = 41
)

// Clock is the row of the store that says how far the archive has come. The zero value is that of a new state.
type Clock struct {
	// Arrivals follows what document frequencies depend on: arrivals and departures.
	Arrivals float64
	// Rank follows what lists depend on: these, and embeddings that move.
	Rank float64
	// Revision numbers the units; a published list carries the unit's. What was published up to the revision Lost counts as
	// not published, see topk.Lists.Lost.
	Revision, Lost uint64
	// Recorded is the newest time stamp of a record that changed the archive, but for those that lie in the future.
	Recorded time.Time
}

// Changed says that an artifact came, was replaced or went, by a record with a time stamp. One later than now counts as now: by a producer's
// wrong clock all that follows would have the date of that one record.
func (c *Clock) Changed(artifacts int, recorded, now time.Time) {
	step := 1 / float64(max(artifacts, 1))
	c.Arrivals += step
	c.Rank += step
	if recorded.After(now) {
		recorded = now
	}
	if recorded = recorded.Truncate(time.Millisecond).UTC(); recorded.After(c.Recorded) {
		c.Recorded = recorded
	}
}

// Succeed goes on where the clock of another state stands: with numbers that none of its messages has, and with dates that none is later than.
func (c *Clock) Succeed(other *Clock) {
	c.Revision, c.Lost = max(c.Revision, other.Revision), max(c.Lost, other.Lost)
	if other.Recorded.After(c.Recorded) {
		c.Recorded = other.Recorded
	}
}

// minMove keeps the clock moving for the smallest move of an embedding.
const minMove = 1e-6

// Moved says that an embedding moved by a distance.
func (c *Clock) Moved(distance float64, artifacts int) {
	c.Rank += min(max(distance, minMove), 1) / float64(max(artifacts, 1))
}

// Time is what lists are dated with.
func (c *Clock) Time() topk.Time {
	return topk.Time{Encode: c.Arrivals, Rank: c.Rank, Recorded: c.Recorded}
}

// Behind is how many changes of an archive of so many artifacts there have been since lists were computed at a rank time: an
// estimate, rounded up, since each has advanced the clock by its share of what the archive was then.
func (c *Clock) Behind(rankedAt float64, artifacts int) int64 {
	return int64(math.Ceil((c.Rank-rankedAt)*float64(artifacts) - rounding))
}

// rounding is more than what sums of shares are off by.
const rounding = 1e-3

// Read reads the row of the state.
func Read(r interface {
	Meta(key string) ([]byte, error)
}) (c Clock, err error) {
	b, err := r.Meta(key)
	if err != nil || len(b) == 0 {
		return c, err
	}
	return c, c.unmarshal(b)
}

// Put writes the row.
func (c *Clock) Put(tx *graphstore.Tx) error { return tx.PutMeta(key, c.marshal()) }

func (c *Clock) marshal() []byte {
	b := make([]byte, 0, length)
	b = append(b, version)
	b = binary.BigEndian.AppendUint64(b, math.Float64bits(c.Arrivals))
	b = binary.BigEndian.AppendUint64(b, math.Float64bits(c.Rank))
	b = binary.BigEndian.AppendUint64(b, c.Revision)
	b = binary.BigEndian.AppendUint64(b, c.Lost)
	return binary.BigEndian.AppendUint64(b, uint64(c.Recorded.UnixMilli()))
}

func (c *Clock) unmarshal(b []byte) error {
	if len(b) != length || b[0] != version {
		return fmt.Errorf("clock: row of %d bytes, version %d: want %d bytes, version %d", len(b), b[0], length, version)
	}
	c.Arrivals = math.Float64frombits(binary.BigEndian.Uint64(b[1:]))
	c.Rank = math.Float64frombits(binary.BigEndian.Uint64(b[9:]))
	c.Revision = binary.BigEndian.Uint64(b[17:])
	c.Lost = binary.BigEndian.Uint64(b[25:])
	c.Recorded = time.UnixMilli(int64(binary.BigEndian.Uint64(b[33:]))).UTC()
	return nil
}

// Republish has all lists of a state published again, by what it writes into the clock's row; an engine that is opened after that
// does so. Of messages with the returned revision none is newer, and it is above that of any message until now.
func Republish(tx *graphstore.Tx, above uint64) (revision uint64, err error) {
	c, err := Read(tx)
	if err != nil {
		return 0, err
	}
	c.Revision = max(c.Revision, above) + 1
	c.Lost = c.Revision
	return c.Revision, c.Put(tx)
}
