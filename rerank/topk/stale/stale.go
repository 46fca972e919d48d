// Package stale tells which of many things were computed longest ago: those whose stamp, read from a clock that its
// user keeps, is further back than the user tolerates. The features of artifacts and their lists are such things. A Queue
// knows ids and stamps, and nothing of what they stand for.
package stale

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"

	"kilim/internal/waiting"
)

// Queue holds a stamp for each of its ids; the zero value is empty. Stamps come from
// a clock that never goes back, so first in is first stale, and a new stamp
// is an append; the entry that it replaces is recognized by its serial number
// when it comes to the front. How many are stale is asked after each unit of work: it
// is counted along, as going over the queue would make a unit's cost grow with the archive.
type Queue struct {
	// Waits has since when ids are stale: from the Set, or from the Count, that found them so.
	Waits   waiting.Since
	current map[uint64]stamp // of the valid entry of an id
	serial  uint64
	urgent  []stamped
	order   []stamped
	// hurried is the number of valid entries in urgent, behind that of those in order[:edge], which are stale.
	hurried, behind, edge int
}

// Stamp is when an id was computed.
type Stamp struct {
	ID uint64
	At float64
}

type stamped struct {
	id uint64
	at float64
	stamp
}

type stamp struct {
	serial uint64
	urgent bool
}

// Never is the stamp of what must be computed as soon as there is time.
const Never = -1.0

// Load fills an empty queue with stamps in any order.
func (q *Queue) Load(all []Stamp) {
	q.current = make(map[uint64]stamp, len(all))
	slices.SortFunc(all, func(a, b Stamp) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.ID, b.ID))
	})
	for _, s := range all {
		q.Set(s.ID, s.At)
	}
}

// Set stamps id; at is Never, or not before any stamp set until now.
func (q *Queue) Set(id uint64, at float64) {
	q.uncount(id)
	if q.current == nil {
		q.current = map[uint64]stamp{}
	}
	q.serial++
	s := stamped{id, at, stamp{q.serial, at == Never}}
	q.current[id] = s.stamp
	if s.urgent {
		q.urgent = append(q.urgent, s)
		q.hurried++
		q.Waits.Begin(id)
	} else {
		q.Waits.End(id)
		q.order = append(q.order, s)
	}
}

// Add stamps id with Never, unless it has a stamp.
func (q *Queue) Add(id uint64) {
	if !q.Has(id) {
		q.Set(id, Never)
	}
}

// Hurry stamps id with Never. One that has this stamp keeps its place: what is hurried again and again must not wait for ever
// behind what was hurried since.
func (q *Queue) Hurry(id uint64) {
	if s, ok := q.current[id]; !ok || !s.urgent {
		q.Set(id, Never)
	}
}

// Has tells whether id has a stamp.
func (q *Queue) Has(id uint64) bool {
	_, ok := q.current[id]
	return ok
}

// IDs are all that have a stamp, in ascending order.
func (q *Queue) IDs() []uint64 { return slices.Sorted(maps.Keys(q.current)) }

// Len is the number of ids that have a stamp.
func (q *Queue) Len() int { return len(q.current) }

// Urgent is the number of ids that are stamped Never.
func (q *Queue) Urgent() int { return q.hurried }

// Remove drops id and its stamp.
func (q *Queue) Remove(id uint64) {
	q.uncount(id)
	q.Waits.End(id)
	delete(q.current, id)
}

// uncount takes the valid entry of id, which is about to be replaced, out of the counts.
func (q *Queue) uncount(id uint64) {
	switch old, ok := q.current[id]; {
	case !ok:
	case old.urgent:
		q.hurried--
	case q.edge > 0 && old.serial <= q.order[q.edge-1].serial:
		q.behind--
	}
}

func (q *Queue) valid(s stamped) bool { return q.current[s.id] == s.stamp }

// Take returns up to n ids whose stamp is more than tolerance before
// now, the most urgent first. They stay queued until they get a new stamp.
func (q *Queue) Take(n int, now, tolerance float64) []uint64 {
	q.trim()
	var ids []uint64
	q.each(now, tolerance, func(id uint64) bool {
		if len(ids) < n {
			ids = append(ids, id)
		}
		return len(ids) < n
	})
	return ids
}

// Any tells whether there is a stale id.
func (q *Queue) Any(now, tolerance float64) bool {
	q.trim()
	found := false
	q.each(now, tolerance, func(uint64) bool { found = true; return false })
	return found
}

// Oldest is the id that Take takes first of all.
func (q *Queue) Oldest() (s Stamp, ok bool) {
	q.trim()
	for _, entries := range [][]stamped{q.urgent, q.order} {
		if len(entries) > 0 {
			return Stamp{entries[0].id, entries[0].at}, true
		}
	}
	return Stamp{}, false
}

// Count is the number of stale ids, now not before that of an earlier call, tolerance as in it.
func (q *Queue) Count(now, tolerance float64) int {
	for ; q.edge < len(q.order); q.edge++ {
		s := q.order[q.edge]
		if !q.valid(s) {
			continue
		}
		if !(now-s.at > tolerance) {
			break
		}
		q.behind++
		q.Waits.Begin(s.id)
	}
	return q.hurried + q.behind
}

func (q *Queue) each(now, tolerance float64, fn func(uint64) bool) {
	for _, entries := range [][]stamped{q.urgent, q.order} {
		for _, s := range entries {
			if !q.valid(s) {
				continue
			}
			if s.at != Never && !(now-s.at > tolerance) {
				break
			}
			if !fn(s.id) {
				return
			}
		}
	}
}

// Sample returns an id, each with the same probability; ok is false when there is none,
// or when chance met only entries that are no longer valid.
func (q *Queue) Sample(rng *rand.Rand) (id uint64, ok bool) {
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
func (q *Queue) trim() {
	q.urgent, _, _ = q.trimmed(q.urgent)
	order, dropped, packed := q.trimmed(q.order)
	q.order, q.edge = order, max(q.edge-dropped, 0)
	if packed {
		q.edge = q.behind
	}
}

// trimmed also tells how many it dropped from the front, and whether it left valid entries only.
func (q *Queue) trimmed(entries []stamped) (left []stamped, dropped int, packed bool) {
	for dropped < len(entries) && !q.valid(entries[dropped]) {
		dropped++
	}
	left = entries[dropped:]
	if len(left) > 1024 && len(left) > 4*len(q.current) {
		left, packed = slices.DeleteFunc(slices.Clone(left), func(s stamped) bool { return !q.valid(s) }), true
	}
	return left, dropped, packed
}
