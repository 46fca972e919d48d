package projection

import (
	"encoding/binary"
	"math"
	"slices"
	"sync"
	"time"

	"kilim/annindex/layout"
)

// table is what is drawn: a point for each slot.
type table struct {
	lock sync.RWMutex
	// edition numbers the slots: it changes with them, and is greater than any before, also across starts.
	edition int64
	frame   frame
	slots   []slot
	at      map[uint64]int32 // the slots of those that are there
	// log are the slots that have changed since the edition began: its length is the version of the map.
	log []int32
	// laid: the first slots were laid out; settled: the others of the first were placed with the layout, and those behind are of newcomers.
	laid, settled int
	// laidThere and settledThere are how many of them are not gone.
	laidThere, settledThere int
}

type slot struct {
	id    uint64
	point layout.Point
	gone  bool
}

func newTable() *table {
	return &table{edition: time.Now().UnixMilli(), frame: frameOf(nil), at: map[uint64]int32{}}
}

// frame is the square of the plane that is sent.
type frame struct{ X, Y, Side float32 }

// margin leaves room around the points of a layout for newcomers, whose places are clamped to the frame.
const margin = 0.04

func frameOf(points []layout.Point) frame {
	if len(points) == 0 {
		return frame{-1, -1, 2}
	}
	low, high := points[0], points[0]
	for _, p := range points {
		low = layout.Point{X: min(low.X, p.X), Y: min(low.Y, p.Y)}
		high = layout.Point{X: max(high.X, p.X), Y: max(high.Y, p.Y)}
	}
	inner := max(high.X-low.X, high.Y-low.Y)
	if inner <= 0 {
		inner = 1
	}
	side := inner * (1 + 2*margin)
	return frame{(low.X+high.X)/2 - side/2, (low.Y+high.Y)/2 - side/2, side}
}

// most is the greatest coordinate that is sent; gone stands in both places of a point that is not there.
const (
	most = math.MaxUint16 - 1
	gone = math.MaxUint16
)

// quantized is where a point is in the frame: the error is half of its 65,534th part.
func (f frame) quantized(p layout.Point) (x, y uint16) {
	return step((p.X - f.X) / f.Side), step((p.Y - f.Y) / f.Side)
}

func step(ratio float32) uint16 { return uint16(math.Round(float64(max(0, min(1, ratio))) * most)) }

// begin replaces all slots.
func (t *table) begin(ids []uint64, points []layout.Point, laid, settled int, f frame) {
	t.lock.Lock()
	defer t.lock.Unlock()
	t.frame, t.laid, t.settled, t.laidThere, t.settledThere = f, laid, settled, laid, settled
	t.slots = make([]slot, len(ids))
	t.at = make(map[uint64]int32, len(ids))
	for i, id := range ids {
		t.slots[i] = slot{id: id, point: points[i]}
		t.at[id] = int32(i)
	}
	t.number()
}

// number begins another edition. It is called with the lock held.
func (t *table) number() {
	t.edition, t.log = max(t.edition+1, time.Now().UnixMilli()), nil
}

// compact leaves out the slots of those that are gone. It is called with the lock held.
func (t *table) compact() {
	t.laid, t.settled = t.laidThere, t.settledThere
	t.slots = slices.DeleteFunc(t.slots, func(s slot) bool { return s.gone })
	for i, s := range t.slots {
		t.at[s.id] = int32(i)
	}
	t.number()
}

// note keeps the log no longer than the table: who has to hear more takes all anew. It is called with the lock held.
func (t *table) note(slot int32) {
	if t.log = append(t.log, slot); len(t.log) > len(t.slots) {
		t.compact()
	}
}

// put adds a newcomer. It moves none that is there.
func (t *table) put(id uint64, p layout.Point) {
	t.lock.Lock()
	defer t.lock.Unlock()
	if _, there := t.at[id]; there {
		return
	}
	n := int32(len(t.slots))
	t.slots = append(t.slots, slot{id: id, point: p})
	t.at[id] = n
	t.note(n)
}

func (t *table) remove(id uint64) {
	t.lock.Lock()
	defer t.lock.Unlock()
	n, there := t.at[id]
	if !there {
		return
	}
	delete(t.at, id)
	t.slots[n].gone = true
	if int(n) < t.laid {
		t.laidThere--
	}
	if int(n) < t.settled {
		t.settledThere--
	}
	t.note(n)
}

func (t *table) has(id uint64) bool {
	t.lock.RLock()
	defer t.lock.RUnlock()
	_, there := t.at[id]
	return there
}

func (t *table) len() int {
	t.lock.RLock()
	defer t.lock.RUnlock()
	return len(t.at)
}

// places are those of all that are there, by id.
func (t *table) places() map[uint64]layout.Point {
	t.lock.RLock()
	defer t.lock.RUnlock()
	out := make(map[uint64]layout.Point, len(t.at))
	for id, n := range t.at {
		out[id] = t.slots[n].point
	}
	return out
}

// disagree are the ids that are in the table and not among ids, which ascend, or the other way round.
func (t *table) disagree(ids []uint64) (out []uint64) {
	t.lock.RLock()
	defer t.lock.RUnlock()
	for _, id := range ids {
		if _, there := t.at[id]; !there {
			out = append(out, id)
		}
	}
	for id := range t.at {
		if _, there := slices.BinarySearch(ids, id); !there {
			out = append(out, id)
		}
	}
	return out
}

// headBytes are before the points: the edition, the version and the number of slots.
const headBytes = 16

// points is the map as it is sent: the head, and two little-endian uint16 a slot.
func (t *table) points() []byte {
	t.lock.RLock()
	defer t.lock.RUnlock()
	out := make([]byte, 0, headBytes+4*len(t.slots))
	out = binary.LittleEndian.AppendUint64(out, uint64(t.edition))
	out = binary.LittleEndian.AppendUint32(out, uint32(len(t.log)))
	out = binary.LittleEndian.AppendUint32(out, uint32(len(t.slots)))
	for _, s := range t.slots {
		x, y := t.sent(s)
		out = binary.LittleEndian.AppendUint16(out, x)
		out = binary.LittleEndian.AppendUint16(out, y)
	}
	return out
}

func (t *table) sent(s slot) (x, y uint16) {
	if s.gone {
		return gone, gone
	}
	return t.frame.quantized(s.point)
}
