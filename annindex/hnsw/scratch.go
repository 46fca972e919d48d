package hnsw

import (
	"math"

	"kilim/annindex/internal/ann"
	"kilim/annindex/internal/dist"
)

// A key is a slot with its score, in one number. From the upper bits down it holds the score (its bits, turned into an
// unsigned number that orders as the score does), the slot, and the flag followed. So keys are in the order of scores.

// followed is set in a key of scratch.pool when searchLevel has followed the slot's links.
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

// descending orders keys, best first.
func descending(a, b uint64) int {
	switch {
	case a > b:
		return -1
	case a < b:
		return 1
	}
	return 0
}

// scratch is the working memory of one search or one change. Graph.scratches keeps it for the next.
type scratch struct {
	arena *arena

	// A search (searchLevel, walk). A slot is visited when its entry in visited is stamp; clearVisited takes the next
	// stamp.
	visited     []uint16
	stamp       uint16
	pool        []uint64  // the candidates: keys, best first
	query       []int16   // the query's codes
	queryScale  float32   // what one of the query's codes is worth
	batch       []uint32  // slots to be scored, a list's at most
	batchScores []float32 // their scores

	// An answer (collect): the slots of pool, their states before they are scored, their exact scores; and the hits.
	slots  []uint32
	states []uint32
	exact  []float32
	hits   []ann.Hit
	vector []float32

	// A choice of neighbours (choose): the candidates, the chosen and those passed over; the slots of the chosen, a
	// candidate's scores with them, and the candidate's codes. Searches score a single slot in chosenSlots[0], too.
	keys         []uint64
	chosen       []uint64
	pruned       []uint64
	chosenSlots  []uint32
	chosenScores []float32
	codes        []int16

	toConnect    []uint64 // the chosen that are to be connected, while connect makes choices of its own
	above        []uint64 // candidates from the level above (collectCandidates)
	present      []uint64 // the links of the list that is relinked or refilled
	oldLinks     []uint32 // the slots of the list that setLinksLocked overwrites
	removedLinks []uint32 // the links of the slot that is removed (detach)
	oneWay       []uint32 // those of removedLinks that do not lead back to the slot
	secondHop    []uint32 // the links of removedLinks
	disturbed    []uint32 // slots to relink because their neighbours moved (addNeighbourDrift)
}

// fit prepares the scratch for an arena, which may be another than the one of its last use.
func (s *scratch) fit(a *arena) {
	s.arena = a
	if len(s.visited) < a.slots {
		s.visited = make([]uint16, a.slots)
		s.stamp = 0
	}
	if len(s.query) != a.codeStride {
		s.query, s.codes = make([]int16, a.codeStride), make([]int16, a.codeStride)
		s.vector = make([]float32, a.dim)
		room := a.maxLower + 2*dist.Lanes
		s.batch, s.batchScores = make([]uint32, room), make([]float32, room)
		s.chosenSlots, s.chosenScores = make([]uint32, room), make([]float32, room)
	}
}

// clearVisited makes no slot visited.
func (s *scratch) clearVisited() {
	if s.stamp++; s.stamp == 0 {
		clear(s.visited)
		s.stamp = 1
	}
}

// setQuery sets the query that searches score by.
func (s *scratch) setQuery(vec []float32) {
	s.queryScale = dist.Codes(vec, dist.Limit(len(vec)), s.query)
}

// insert puts a key into a list that is in order and holds at most limit keys. It returns the list, and the key's place
// in it, or limit if there is none.
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
