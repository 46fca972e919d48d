// Package waiting tells since when the one of many things has waited that has waited longest. A Since knows ids and times, and
// nothing of what they stand for.
package waiting

import "time"

// Since has, for each id that waits, when it began to. The zero value is empty. Begin, End and Oldest cost the same however many
// wait: the obvious design, to look through all for the oldest, would cost each unit of work as much as there is left to do.
type Since struct {
	// Now tells the time, which may not go back; nil: time.Now.
	Now func() time.Time

	from map[uint64]time.Time
	// order has what began, by the time; an entry is void when its id has ended since, or began again.
	order []entry
}

type entry struct {
	id   uint64
	from time.Time
}

// Begin says that id waits from now on. One that waits already has waited since before.
func (s *Since) Begin(id uint64) {
	if _, ok := s.from[id]; ok {
		return
	}
	now := time.Now
	if s.Now != nil {
		now = s.Now
	}
	if s.from == nil {
		s.from = map[uint64]time.Time{}
	}
	e := entry{id, now()}
	s.from[id] = e.from
	s.order = append(s.order, e)
}

// End says that id does not wait any more, if it did.
func (s *Since) End(id uint64) {
	if _, ok := s.from[id]; !ok {
		return
	}
	delete(s.from, id)
	if len(s.order) > 1024 && len(s.order) > 4*len(s.from) {
		s.pack()
	}
}

// Len is the number of ids that wait.
func (s *Since) Len() int { return len(s.from) }

// Oldest is since when the one waits that has waited longest; ok is false when none does.
func (s *Since) Oldest() (from time.Time, ok bool) {
	for len(s.order) > 0 && !s.holds(s.order[0]) {
		s.order = s.order[1:]
	}
	if len(s.order) == 0 {
		return time.Time{}, false
	}
	return s.order[0].from, true
}

func (s *Since) holds(e entry) bool {
	from, ok := s.from[e.id]
	return ok && from.Equal(e.from)
}

// pack drops the void entries, which one that waits for long keeps from being dropped at the front.
func (s *Since) pack() {
	left := make([]entry, 0, len(s.from))
	for _, e := range s.order {
		if s.holds(e) {
			left = append(left, e)
		}
	}
	s.order = left
}
