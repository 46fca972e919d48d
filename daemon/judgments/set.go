package judgments

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Bounds of what is kept.
const (
	mostJudgments = 200_000
	mostBytes     = 64 << 20
	// entryBytes is what one takes beside its texts, about.
	entryBytes = 200
)

// set is what holds now, by key.
type set struct {
	mu    sync.Mutex
	most  int // judgments
	room  int // bytes
	all   map[string]entry
	taken int
	// changes counts how often what is said has become another.
	changes uint64
}

// entry knows its partition: when the log of one is another, what was read of it holds no more.
type entry struct {
	Judgment
	partition int
}

func (e *entry) bytes(key string) int {
	return entryBytes + len(key) + len(e.A) + len(e.B) + len(e.Theme) + len(e.By)
}

func newSet(most, room int) *set { return &set{most: most, room: room, all: map[string]entry{}} }

// Record takes up a record: a nil value is a tombstone.
func (s *set) Record(partition int, key string, value []byte) error {
	if value == nil {
		s.remove(key)
		return nil
	}
	j, err := Parse(value)
	if err != nil {
		return err
	}
	if want := j.Key(); key != want {
		return fmt.Errorf("key: %q: want %q, of which the tombstone would undo it", key, want)
	}
	return s.put(partition, key, j)
}

func (s *set) put(partition int, key string, j *Judgment) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := entry{*j, partition}
	old, known := s.all[key]
	grows := e.bytes(key)
	if known {
		grows -= old.bytes(key)
	}
	if !known && len(s.all) >= s.most || s.taken+grows > s.room {
		return fmt.Errorf("%d judgments of %d bytes are kept already, and no more than %d of %d", len(s.all), s.taken, s.most, s.room)
	}
	if !known || old.Judgment != e.Judgment {
		s.changes++
	}
	s.all[key] = e
	s.taken += grows
	return nil
}

func (s *set) remove(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.all[key]; ok {
		s.taken -= e.bytes(key)
		delete(s.all, key)
		s.changes++
	}
}

// Forget drops what was read of a partition.
func (s *set) Forget(partition int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, e := range s.all {
		if e.partition == partition {
			s.taken -= e.bytes(key)
			delete(s.all, key)
			s.changes++
		}
	}
}

func (s *set) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all)
}

func (s *set) changed() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changes
}

// list returns those that speak of an artifact, or all when id is empty, by key.
func (s *set) list(id string) []Judgment {
	s.mu.Lock()
	type keyed struct {
		key string
		Judgment
	}
	var found []keyed
	for key, e := range s.all {
		if id == "" || e.A == id || e.B == id {
			found = append(found, keyed{key, e.Judgment})
		}
	}
	s.mu.Unlock()
	slices.SortFunc(found, func(a, b keyed) int { return strings.Compare(a.key, b.key) })
	out := make([]Judgment, len(found))
	for i := range found {
		out[i] = found[i].Judgment
	}
	return out
}
