package topk

import (
	"slices"
	"sync"
)

// holders says of each artifact who has it in a list, in ascending order: a departure or a move must reach them. It follows from the
// rows of the lists, which all are read at the start anyway, and is kept in memory alone: as rows of the store, one a pair, it
// was a third of all rows that a newcomer is written as. A pair takes 8 bytes, and an artifact some 300.
//
// The unit at work alone changes it, by set and count, and reads it without the lock.
type holders struct {
	lock sync.RWMutex
	of   map[uint64][]uint64
	// beyond is, where that is not 0, how many more have an artifact in what they are told to have than in what is stored of them: with an Order fewer, since lists
	// are stored deeper than they are told, but for those told to have it that have it no more.
	beyond map[uint64]int
}

// set notes that by has node in a list, or no longer.
func (h *holders) set(node, by uint64, on bool) {
	h.lock.Lock()
	defer h.lock.Unlock()
	all := h.of[node]
	at, had := slices.BinarySearch(all, by)
	switch {
	case on && !had:
		h.of[node] = slices.Insert(all, at, by)
	case !on && had && len(all) == 1:
		delete(h.of, node)
	case !on && had:
		h.of[node] = slices.Delete(all, at, at+1)
	}
}

// count adds to beyond, times by, what the row of an artifact makes of it.
func (h *holders) count(r *Row, nodeOf func(id string) uint64, by int) {
	if r == nil || r.Depth == 0 && r.Ordered == nil {
		return // what is told is as deep as what is stored
	}
	h.lock.Lock()
	defer h.lock.Unlock()
	add := func(id string, n int) {
		node := nodeOf(id)
		if h.beyond[node] += n; h.beyond[node] == 0 {
			delete(h.beyond, node)
		}
	}
	r.Lists.Members(func(id string) { add(id, -by) })
	r.listed().Members(func(id string) { add(id, by) })
}

// Holders is the number of artifacts that have one in a list as deep as it is told, the unit at work included. It may be called concurrently with everything.
func (l *Lists) Holders(node uint64) int {
	l.holders.lock.RLock()
	defer l.holders.lock.RUnlock()
	return len(l.holders.of[node]) + l.holders.beyond[node]
}
