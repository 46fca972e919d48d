package projection

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"kilim/graphstore"
)

// ErrNotFound is wrapped by what is said of a slot where nothing is.
var ErrNotFound = errors.New("not found")

// Status is where a map stands.
type Status struct {
	// Edition numbers the slots, Version counts what has changed of them since: together they say which map it is.
	Edition int64 `json:"edition"`
	Version int   `json:"version"`
	// Artifacts are those of the archive, Points those on the map: Laid of them were laid out, Newcomers, whose slots are those from Settled on, were
	// placed since. At most MostLaid are laid out and MostPoints shown.
	Artifacts  int `json:"artifacts"`
	Points     int `json:"points"`
	Laid       int `json:"laid"`
	Newcomers  int `json:"newcomers"`
	Settled    int `json:"settled"`
	MostLaid   int `json:"most_laid"`
	MostPoints int `json:"most_points"`
	// Made is when it was laid out, missing while it never was.
	Made  *time.Time `json:"made,omitempty"`
	Trust *Trust     `json:"trust,omitempty"`
	// Phase is idle, reading, "laying out" or "placing all", and Ratio how much of it is done, from 0 to 1.
	Phase string  `json:"phase"`
	Ratio float64 `json:"ratio"`
}

// Status tells where the map stands.
func (k *Keeper) Status() Status {
	v, _ := k.archive.Vectors()
	s := Status{Artifacts: v.Len(), MostLaid: k.cfg.laid(v.Dim()), MostPoints: k.cfg.drawn()}
	k.progress.Lock()
	s.Phase, s.Ratio, s.Trust = k.progress.phase, k.progress.ratio, k.progress.made.Trust
	if at := k.progress.made.At; !at.IsZero() {
		s.Made = &at
	}
	k.progress.Unlock()
	t := k.table
	t.lock.RLock()
	defer t.lock.RUnlock()
	s.Edition, s.Version = t.edition, len(t.log)
	s.Points, s.Laid, s.Newcomers, s.Settled = len(t.at), t.laidThere, len(t.at)-t.settledThere, t.settled
	return s
}

func (k *Keeper) enter(phase string) {
	k.progress.Lock()
	defer k.progress.Unlock()
	k.progress.phase, k.progress.ratio = phase, 0
}

func (k *Keeper) advance(ratio float64) {
	k.progress.Lock()
	defer k.progress.Unlock()
	k.progress.ratio = ratio
}

func (k *Keeper) show(m made) {
	k.made = m
	k.progress.Lock()
	defer k.progress.Unlock()
	k.progress.made = m
}

// Points is the map: its edition as a little-endian uint64, its version and the number of slots as uint32, and for each slot x and y from 0 to
// 65,534 as uint16, of which both are 65,535 where the artifact is gone.
func (k *Keeper) Points() []byte { return k.table.points() }

// noSlot stands for the slot of an artifact that another map has not.
const noSlot = math.MaxUint32

// Slots tell where the artifacts of a map are in another one: the editions of both as little-endian uint64, and for each slot that of its artifact in the other as
// uint32, whose greatest value stands for none.
func (k *Keeper) Slots(in *Keeper) []byte {
	k.table.lock.RLock()
	own, slots := k.table.edition, slices.Clone(k.table.slots)
	k.table.lock.RUnlock()
	in.table.lock.RLock()
	defer in.table.lock.RUnlock()
	out := make([]byte, 0, headBytes+4*len(slots))
	out = binary.LittleEndian.AppendUint64(out, uint64(own))
	out = binary.LittleEndian.AppendUint64(out, uint64(in.table.edition))
	for _, s := range slots {
		at := uint32(noSlot)
		if n, there := in.table.at[s.id]; there && !s.gone {
			at = uint32(n)
		}
		out = binary.LittleEndian.AppendUint32(out, at)
	}
	return out
}

// Place is where a slot is, from 0 to 1 from the left and from the top, or that nothing is in it.
type Place struct {
	X, Y float64
	Gone bool
}

// ReadPoints reads what Keeper.Points has written.
func ReadPoints(body []byte) (edition int64, places []Place, err error) {
	if len(body) < headBytes || len(body) != headBytes+4*int(binary.LittleEndian.Uint32(body[12:])) {
		return 0, nil, fmt.Errorf("projection: %d bytes are no map", len(body))
	}
	edition = int64(binary.LittleEndian.Uint64(body))
	for body = body[headBytes:]; len(body) > 0; body = body[4:] {
		x, y := binary.LittleEndian.Uint16(body), binary.LittleEndian.Uint16(body[2:])
		places = append(places, Place{X: float64(x) / most, Y: float64(y) / most, Gone: x == gone && y == gone})
	}
	return edition, places, nil
}

// Change is what became of a slot: its place, or nothing.
type Change struct {
	Slot int    `json:"slot"`
	X    uint16 `json:"x"`
	Y    uint16 `json:"y"`
	Gone bool   `json:"gone,omitempty"`
}

// mostChanges are told one by one, in some 40 bytes each.
const mostChanges = 5000

// Since is what has changed after a version of an edition. It is not known, and all is to be asked for anew, when another edition is shown or too
// much has changed.
func (k *Keeper) Since(edition int64, version int) (changes []Change, known bool) {
	t := k.table
	t.lock.RLock()
	defer t.lock.RUnlock()
	if edition != t.edition || version < 0 || version > len(t.log) || len(t.log)-version > mostChanges {
		return nil, false
	}
	slots := slices.Clone(t.log[version:])
	slices.Sort(slots)
	changes = []Change{}
	for _, n := range slices.Compact(slots) {
		c := Change{Slot: int(n), Gone: t.slots[n].gone}
		c.X, c.Y = t.sent(t.slots[n])
		changes = append(changes, c)
	}
	return changes, true
}

// Value is what points are coloured by, and how many have it.
type Value struct {
	Label string `json:"label"`
	Count int    `json:"count"`
}

// mostValues have a code of their own.
const mostValues = 254

// Codes are a byte a slot: 0 where the artifact has no label, i where it has that of values[i-1], and 255 where it has one that is
// rarer than those. of are the labels of nodes, by their places in names, which are all different.
func (k *Keeper) Codes(nodes []graphstore.NodeID, of []uint32, names []string) (edition int64, values []Value, codes []byte) {
	const nowhere = -1
	slots, counts := make([]int32, len(nodes)), make([]int, len(names))
	t := k.table
	t.lock.RLock()
	for i, node := range nodes {
		n, there := t.at[uint64(node)]
		if !there {
			n = nowhere
		} else {
			counts[of[i]]++
		}
		slots[i] = n
	}
	edition, codes = t.edition, make([]byte, len(t.slots))
	t.lock.RUnlock() // newcomers wait for it
	var ranked []int
	for at, n := range counts {
		if n > 0 {
			ranked = append(ranked, at)
		}
	}
	slices.SortFunc(ranked, func(a, b int) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(names[a], names[b])) })
	code := make([]byte, len(names))
	values = []Value{}
	for i, at := range ranked {
		code[at] = mostValues + 1
		if i < mostValues {
			code[at] = byte(i + 1)
			values = append(values, Value{names[at], counts[at]})
		}
	}
	for i, n := range slots {
		if n != nowhere {
			codes[n] = code[of[i]]
		}
	}
	return edition, values, codes
}

// Find is the slot of an artifact.
func (k *Keeper) Find(id string) (slot int, found bool) {
	t := k.table
	t.lock.RLock()
	defer t.lock.RUnlock()
	n, found := t.at[uint64(graphstore.ID(graphstore.Artifact, id))]
	return int(n), found
}

// Node is the node of the artifact in a slot of an edition.
func (k *Keeper) Node(edition int64, slot int) (graphstore.NodeID, error) {
	t := k.table
	t.lock.RLock()
	defer t.lock.RUnlock()
	switch {
	case edition != t.edition:
		return 0, fmt.Errorf("%w: edition %d of the map is not shown any more", ErrNotFound, edition)
	case slot < 0 || slot >= len(t.slots) || t.slots[slot].gone:
		return 0, fmt.Errorf("%w: nothing is in slot %d of the map", ErrNotFound, slot)
	}
	return graphstore.NodeID(t.slots[slot].id), nil
}

// Kept is how many of the true neighbours of a slot are among as many of its nearest on the map.
func (k *Keeper) Kept(slot int, near []int) (kept int) {
	t := k.table
	t.lock.RLock()
	defer t.lock.RUnlock()
	if len(near) == 0 || slot >= len(t.slots) {
		return 0
	}
	from := t.slots[slot].point
	apart := func(n int) float64 {
		return math.Hypot(float64(t.slots[n].point.X-from.X), float64(t.slots[n].point.Y-from.Y))
	}
	var nearest []float64 // the distances of the len(near) nearest, ascending
	for n, s := range t.slots {
		if s.gone || n == slot {
			continue
		}
		d := apart(n)
		if len(nearest) == len(near) && d >= nearest[len(nearest)-1] {
			continue
		}
		at, _ := slices.BinarySearch(nearest, d)
		nearest = slices.Insert(nearest, at, d)
		nearest = nearest[:min(len(nearest), len(near))]
	}
	for _, n := range near {
		if n < len(t.slots) && !t.slots[n].gone && apart(n) <= nearest[len(nearest)-1] {
			kept++
		}
	}
	return kept
}
