package pipeline

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"kilim/graphstore"
)

// staleQueue tells which artifacts were computed longest ago. Stamps come from
// a clock that never goes back, so first in is first stale, and a new stamp
// is an append; the entry that it replaces is recognized by its serial number
// when it comes to the front. How many are stale is asked after each unit of work: it
// is counted along, as going over the queue would make a unit's cost grow with the archive.
type staleQueue struct {
	current map[graphstore.NodeID]stamp // of the valid entry
	serial  uint64
	urgent  []stamped
	order   []stamped
	// hurried is the number of valid entries in urgent, behind that of those in order[:edge], which are stale.
	hurried, behind, edge int
}

type stamped struct {
	id graphstore.NodeID
	at float64
	stamp
}

type stamp struct {
	serial uint64
	urgent bool
}

// never is the stamp of what must be computed as soon as there is time.
const never = -1.0

// load fills an empty queue with stamps in any order.
func (q *staleQueue) load(all []stamped) {
	q.current = make(map[graphstore.NodeID]stamp, len(all))
	slices.SortFunc(all, func(a, b stamped) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.id, b.id))
	})
	for _, s := range all {
		q.set(s.id, s.at)
	}
}

// set stamps id; at is never, or not before any stamp set until now.
func (q *staleQueue) set(id graphstore.NodeID, at float64) {
	q.uncount(id)
	q.serial++
	s := stamped{id, at, stamp{q.serial, at == never}}
	q.current[id] = s.stamp
	if s.urgent {
		q.urgent = append(q.urgent, s)
		q.hurried++
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

func (q *staleQueue) remove(id graphstore.NodeID) {
	q.uncount(id)
	delete(q.current, id)
}

// uncount takes the valid entry of id, which is about to be replaced, out of the counts.
func (q *staleQueue) uncount(id graphstore.NodeID) {
	switch old, ok := q.current[id]; {
	case !ok:
	case old.urgent:
		q.hurried--
	case q.edge > 0 && old.serial <= q.order[q.edge-1].serial:
		q.behind--
	}
}

func (q *staleQueue) valid(s stamped) bool { return q.current[s.id] == s.stamp }

// take returns up to n artifacts whose stamp is more than tolerance before
// now, the most urgent first. They stay queued until they get a new stamp.
func (q *staleQueue) take(n int, now, tolerance float64) []graphstore.NodeID {
	q.trim()
	var ids []graphstore.NodeID
	q.each(now, tolerance, func(id graphstore.NodeID) bool {
		ids = append(ids, id)
		return len(ids) < n
	})
	return ids
}

// any tells whether there is a stale artifact.
func (q *staleQueue) any(now, tolerance float64) bool {
	q.trim()
	found := false
	q.each(now, tolerance, func(graphstore.NodeID) bool { found = true; return false })
	return found
}

// count is the number of stale artifacts, now not before that of an earlier call, tolerance as in it.
func (q *staleQueue) count(now, tolerance float64) int {
	for ; q.edge < len(q.order); q.edge++ {
		s := q.order[q.edge]
		if !q.valid(s) {
			continue
		}
		if !(now-s.at > tolerance) {
			break
		}
		q.behind++
	}
	return q.hurried + q.behind
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

// trim drops what is no longer valid from the fronts, and from everywhere when
// that is most of it.
func (q *staleQueue) trim() {
	q.urgent, _, _ = q.trimmed(q.urgent)
	order, dropped, packed := q.trimmed(q.order)
	q.order, q.edge = order, max(q.edge-dropped, 0)
	if packed {
		q.edge = q.behind
	}
}

// trimmed also tells how many it dropped from the front, and whether it left valid entries only.
func (q *staleQueue) trimmed(entries []stamped) (left []stamped, dropped int, packed bool) {
	for dropped < len(entries) && !q.valid(entries[dropped]) {
		dropped++
	}
	left = entries[dropped:]
	if len(left) > 1024 && len(left) > 4*len(q.current) {
		left, packed = slices.DeleteFunc(slices.Clone(left), func(s stamped) bool { return !q.valid(s) }), true
	}
	return left, dropped, packed
}
