package hnsw

import (
	"math"
	"slices"

	"kilim/annindex/internal/ann"
	"kilim/annindex/internal/dist"
)

// A key is a slot with its score, so that keys are in the order of scores: the score's
// bits, turned into an unsigned number that orders as it does, then the slot,
// then a bit that a search sets when it has followed the slot's links.
const followed = 1

func keyOf(score float32, slot uint32) uint64 {
	b := math.Float32bits(score)
	b ^= uint32(int32(b)>>31) | 1<<31
	return uint64(b)<<32 | uint64(slot)<<1
}

func slotOf(key uint64) uint32 { return uint32(key) >> 1 }

func scoreOf(key uint64) float32 {
	b := uint32(key >> 32)
	b ^= ^uint32(int32(b)>>31) | 1<<31
	return math.Float32frombits(b)
}

// descending is the order of keys, best first.
func descending(a, b uint64) int {
	switch {
	case a > b:
		return -1
	case a < b:
		return 1
	}
	return 0
}

// scratch is what one search or one change works with, kept for the next.
type scratch struct {
	arena *arena
	// A slot is visited when its mark is epoch.
	visited []uint16
	epoch   uint16
	pool    []uint64 // the candidates of a search: keys, best first
	query   []int16  // the query's codes; unit is what one is worth
	unit    float32
	fresh   []uint32  // slots to be scored, a list's at most
	scores  []float32 // and their scores

	// An answer's candidates: slots, their states before and their exact scores, and what comes of them.
	slots  []uint32
	states []uint32
	exact  []float32
	hits   []ann.Hit
	vector []float32

	restless []uint32 // those whose links are to be chosen anew after a move, see disturb

	// A choice of neighbours: the candidates, those taken and those passed over; the slots of the former with their
	// scores and the codes of the one that is looked at.
	keys   []uint64
	chosen []uint64
	pruned []uint64
	some   []uint32
	marks  []float32
	codes  []int16

	picked  []uint64 // a choice, while others are made
	above   []uint64 // candidates from the level above
	present []uint64 // the links of a slot that is relinked
	around  []uint32 // the links of a slot that is removed
	oneWay  []uint32 // those of them that do not lead back
	seen    []uint32 // and theirs
	before  []uint32 // the links of a list that is rewritten
}

// fit prepares the scratch for an arena, which may be another than that it was last used with.
func (s *scratch) fit(a *arena) {
	s.arena = a
	if len(s.visited) < a.slots {
		s.visited = make([]uint16, a.slots)
		s.epoch = 0
	}
	if len(s.query) != a.codeStride {
		s.query, s.codes = make([]int16, a.codeStride), make([]int16, a.codeStride)
		s.vector = make([]float32, a.dim)
		room := a.maxLower + 2*dist.Lanes
		s.fresh, s.scores = make([]uint32, room), make([]float32, room)
		s.some, s.marks = make([]uint32, room), make([]float32, room)
	}
}

// begin starts a new set of visited slots.
func (s *scratch) begin() {
	if s.epoch++; s.epoch == 0 {
		clear(s.visited)
		s.epoch = 1
	}
}

// ask sets the query.
func (s *scratch) ask(vec []float32) {
	s.unit = dist.Codes(vec, dist.Limit(len(vec)), s.query)
}

// insert puts a key into a list that is in order and holds at most limit; it returns the list and the
// place, limit if there is none.
func insert(list []uint64, key uint64, limit int) ([]uint64, int) {
	low, high := 0, len(list)
	for low < high {
		middle := int(uint(low+high) >> 1)
		if list[middle] > key {
			low = middle + 1
		} else {
			high = middle
		}
	}
	if low == limit {
		return list, limit
	}
	if len(list) < limit {
		list = append(list, 0)
	}
	copy(list[low+1:], list[low:])
	list[low] = key
	return list, low
}

func (s *scratch) sortKeys() { slices.SortFunc(s.keys, descending) }
