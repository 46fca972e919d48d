package queries

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// entryBytes is what a query takes beside its texts, about.
const entryBytes = 200

// set is which queries there are, by name: compacted.Set.
type set struct {
	mu    sync.Mutex
	most  int // queries
	room  int // bytes
	all   map[string]entry
	taken int
	// changes counts how often they have become others.
	changes uint64
}

// entry knows its partition: when the log of one is another, what was read of it holds no more.
type entry struct {
	Query
	partition int
}

func (e *entry) bytes() int { return entryBytes + 2*len(e.Name) + len(e.Record) + len(e.By) }

func newSet(most, room int) *set { return &set{most: most, room: room, all: map[string]entry{}} }

// Record takes up a record: a nil value is a tombstone.
func (s *set) Record(partition int, key string, value []byte) error {
	if value == nil {
		s.remove(func(name string, _ *entry) bool { return name == key })
		return nil
	}
	q, err := Parse(value)
	if err != nil {
		return err
	}
	if key != q.Name {
		return fmt.Errorf("key: %.80q: want the name, %q", key, q.Name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.fits(q); err != nil {
		return err
	}
	old, known := s.all[key]
	e := entry{*q, partition}
	s.taken += e.bytes()
	if known {
		s.taken -= old.bytes()
	}
	if !known || old.By != q.By || string(old.Record) != string(q.Record) {
		s.changes++
	}
	s.all[key] = e
	return nil
}

// Forget drops what was read of a partition.
func (s *set) Forget(partition int) {
	s.remove(func(_ string, e *entry) bool { return e.partition == partition })
}

func (s *set) remove(which func(name string, e *entry) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, e := range s.all {
		if which(name, &e) {
			s.taken -= e.bytes()
			delete(s.all, name)
			s.changes++
		}
	}
}

// fits wants the lock. It refuses what there is no room for.
func (s *set) fits(q *Query) error {
	e := entry{Query: *q}
	grows := e.bytes()
	old, known := s.all[q.Name]
	if known {
		grows -= old.bytes()
	}
	switch {
	case !known && len(s.all) >= s.most:
		return fmt.Errorf("%w: name: %q: there are %d standing queries, and there may be no more; remove one", ErrFull, q.Name, len(s.all))
	case s.taken+grows > s.room:
		return fmt.Errorf("%w: record: with %d bytes more than now standing queries would take %d, the limit is %d", ErrFull, grows, s.taken+grows, s.room)
	}
	return nil
}

// refuses says why there is no room for a query, nil: there is.
func (s *set) refuses(q *Query) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fits(q)
}

func (s *set) get(name string) (q Query, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.all[name]
	return e.Query, ok
}

func (s *set) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all)
}

// list are all by name, with how often they have become others.
func (s *set) list() (all []Query, changes uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.all {
		all = append(all, e.Query)
	}
	slices.SortFunc(all, func(a, b Query) int { return strings.Compare(a.Name, b.Name) })
	return all, s.changes
}
