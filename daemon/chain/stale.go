package chain

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"kilim/graphstore"
)

// staleQueue tells which artifacts were computed longest ago. Stamps come from
// a clock that never goes back, so first in is first stale, and a new stamp
// is an append; the entry that it replaces is recognized by its serial number
// when it comes to the front.
type staleQueue struct {
	current map[graphstore.NodeID]uint64 // serial number of the valid entry
	serial  uint64
	urgent  []stamped
	order   []stamped
}

type stamped struct {
	id     graphstore.NodeID
	at     float64
	serial uint64
}

// never is the stamp of what must be computed as soon as there is time.
const never = -1.0

// load fills an empty queue with stamps in any order.
func (q *staleQueue) load(all []stamped) {
	q.current = make(map[graphstore.NodeID]uint64, len(all))
	slices.SortFunc(all, func(a, b stamped) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.id, b.id))
	})
	for _, s := range all {
		q.set(s.id, s.at)
	}
}

// set stamps id; at is never, or not before any stamp set until now.
func (q *staleQueue) set(id graphstore.NodeID, at float64) {
	q.serial++
	q.current[id] = q.serial
	s := stamped{id, at, q.serial}
	if at == never {
		q.urgent = append(q.urgent, s)
	} else {
		q.order = append(q.order, s)
	}
}

// add stamps id with never, unless it has a stamp.
func (q *staleQueue) add(id graphstore.NodeID) {
	if !q.has(id) {
		q.set(id, never)
	}
}

func (q *staleQueue) has(id graphstore.NodeID) bool {
	_, ok := q.current[id]
	return ok
}

// len is the number of artifacts that have a stamp.
func (q *staleQueue) len() int { return len(q.current) }

func (q *staleQueue) remove(id graphstore.NodeID) { delete(q.current, id) }

func (q *staleQueue) valid(s stamped) bool { return q.current[s.id] == s.serial }

// take returns up to n artifacts whose stamp is more than tolerance before
// now, the most urgent first. They stay queued until they get a new stamp.
func (q *staleQueue) take(n int, now, tolerance float64) []graphstore.NodeID {
	q.urgent = q.trim(q.urgent)
	q.order = q.trim(q.order)
	var ids []graphstore.NodeID
	q.each(now, tolerance, func(id graphstore.NodeID) bool {
		ids = append(ids, id)
		return len(ids) < n
	})
	return ids
}

// any tells whether there is a stale artifact.
func (q *staleQueue) any(now, tolerance float64) bool {
	q.urgent = q.trim(q.urgent)
	q.order = q.trim(q.order)
	found := false
	q.each(now, tolerance, func(graphstore.NodeID) bool { found = true; return false })
	return found
}

// count is the number of stale artifacts.
func (q *staleQueue) count(now, tolerance float64) int {
	n := 0
	q.each(now, tolerance, func(graphstore.NodeID) bool { n++; return true })
	return n
}

func (q *staleQueue) each(now, tolerance float64, fn func(graphstore.NodeID) bool) {
	for _, entries := range [][]stamped{q.urgent, q.order} {
		for _, s := range entries {
			if !q.valid(s) {
				continue
			}
			if s.at != never && !(now-s.at > tolerance) {
				break
			}
			if !fn(s.id) {
				return
			}
		}
	}
}

// sample returns an artifact, each with the same probability; ok is false when there is none,
// or when chance met only entries that are no longer valid.
func (q *staleQueue) sample(rng *rand.Rand) (id graphstore.NodeID, ok bool) {
	all := len(q.urgent) + len(q.order)
	for range min(all, 64) {
		i := rng.IntN(all)
		s := stamped{}
		if i < len(q.urgent) {
			s = q.urgent[i]
		} else {
			s = q.order[i-len(q.urgent)]
		}
		if q.valid(s) {
			return s.id, true
		}
	}
	return 0, false
}

// trim drops what is no longer valid from the front, and from everywhere when
// that is most of it.
func (q *staleQueue) trim(entries []stamped) []stamped {
	for len(entries) > 0 && !q.valid(entries[0]) {
		entries = entries[1:]
	}
	if len(entries) > 1024 && len(entries) > 4*len(q.current) {
		entries = slices.DeleteFunc(slices.Clone(entries), func(s stamped) bool { return !q.valid(s) })
	}
	return entries
}
