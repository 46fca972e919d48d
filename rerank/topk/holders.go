package topk

import "slices"

// holders says of each artifact who has it in a list, in ascending order: a departure or a move must reach them. It follows from the
// rows of the lists, which all are read at the start anyway, and is kept in memory alone: as rows of the store, one a pair, it
// was a third of all rows that a newcomer is written as. A pair takes 8 bytes, and an artifact some 300.
type holders map[uint64][]uint64

// set notes that by has node in a list, or no longer.
func (h holders) set(node, by uint64, on bool) {
	all := h[node]
	at, had := slices.BinarySearch(all, by)
	switch {
	case on && !had:
		h[node] = slices.Insert(all, at, by)
	case !on && had && len(all) == 1:
		delete(h, node)
	case !on && had:
		h[node] = slices.Delete(all, at, at+1)
	}
}
