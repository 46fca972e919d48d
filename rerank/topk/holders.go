package topk

import (
	"slices"
	"sync"
)

// holders says of each artifact who has it in a list, in ascending order: a departure or a move must reach them. It follows from the
// rows of the lists, which all are read at the start anyway, and is kept in memory alone: as rows of the store, one a pair, it
// was a third of all rows that a newcomer is written as. A pair takes 8 bytes, and an artifact some 300.
//
// The unit at work alone changes it, by set, and reads it without the lock.
type holders struct {
	lock sync.RWMutex
	of   map[uint64][]uint64
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

// Holders is the number of artifacts that have one in a list, the unit at work included. It may be called concurrently with everything.
func (l *Lists) Holders(node uint64) int {
	l.holders.lock.RLock()
	defer l.holders.lock.RUnlock()
	return len(l.holders.of[node])
}
