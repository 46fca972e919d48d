package maps

import (
	"cmp"
	"slices"
	"sync"
)

// Map is the sums of all groups. Its methods may be called from many goroutines.
type Map struct {
	mu     sync.RWMutex
	dim    int
	sparse bool
	all    *sum
	groups map[uint64]*sum
	of     map[uint64][]uint64 // the groups of each artifact
	// members are those of each group, by rejoin.
	members map[uint64]*members
	// version counts the changes.
	version uint64
}

// New makes a Map of vectors of this length, without artifacts.
func New(dim int) *Map { return newMap(dim, false) }

// NewSparse makes one for vectors that are 0 at nearly all places: a group takes memory for those places alone where one of its artifacts is not.
func NewSparse(dim int) *Map { return newMap(dim, true) }

func newMap(dim int, sparse bool) *Map {
	m := &Map{dim: dim, sparse: sparse, groups: map[uint64]*sum{}, of: map[uint64][]uint64{}, members: map[uint64]*members{}}
	m.all = m.empty()
	return m
}

func (m *Map) empty() *sum {
	s := &sum{dim: m.dim, sparse: m.sparse}
	if !m.sparse {
		s.values = make([]int64, m.dim)
	}
	return s
}

// Version is another one after each change.
func (m *Map) Version() uint64 {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.version
}

// Join says to which groups an artifact belongs, instead of those that it belonged to. at is the vector that Move has told
// last, nil before the first.
func (m *Map) Join(artifact uint64, groups []uint64, at []float32) {
	groups = slices.Clone(groups)
	slices.Sort(groups)
	groups = slices.Compact(groups)
	m.mu.Lock()
	defer m.mu.Unlock()
	had := m.of[artifact]
	if slices.Equal(had, groups) {
		return
	}
	m.version++
	if at != nil {
		m.add(had, at, -1, false)
		m.add(groups, at, 1, false)
	}
	m.rejoin(artifact, had, groups)
}

// Move says that the vector of an artifact was from and is to. from is nil for a newcomer; to is nil for one that is gone, which
// then belongs to no group.
func (m *Map) Move(artifact uint64, from, to []float32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.version++
	groups := m.of[artifact]
	if from != nil {
		m.add(groups, from, -1, true)
	}
	if to == nil {
		m.rejoin(artifact, groups, nil)
		return
	}
	m.add(groups, to, 1, true)
}

// add adds a vector to the sums of groups, and forgets those that nobody is in; and to that of all, if it is of somebody who comes or goes.
func (m *Map) add(groups []uint64, v []float32, sign int64, all bool) {
	add := func(s *sum) { s.add(v, sign) }
	if m.sparse {
		terms := termsOf(v)
		add = func(s *sum) { s.merge(terms, sign) }
	}
	if all {
		add(m.all)
	}
	for _, g := range groups {
		s := m.groups[g]
		if s == nil {
			s = m.empty()
			m.groups[g] = s
		}
		if add(s); s.n == 0 {
			delete(m.groups, g)
		}
	}
}

// Group is a group with the number of its artifacts.
type Group struct {
	ID        uint64
	Artifacts int
}

// Groups are all, the largest first, of equals those of smaller ids.
func (m *Map) Groups() []Group {
	m.mu.RLock()
	defer m.mu.RUnlock()
	all := make([]Group, 0, len(m.groups))
	for id, s := range m.groups {
		all = append(all, Group{id, s.n})
	}
	slices.SortFunc(all, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Artifacts, a.Artifacts), cmp.Compare(a.ID, b.ID))
	})
	return all
}

// Equal tells whether two maps are the same, bit for bit.
func (m *Map) Equal(o *Map) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	o.mu.RLock()
	defer o.mu.RUnlock()
	if len(m.groups) != len(o.groups) || len(m.of) != len(o.of) || !m.all.equal(o.all) {
		return false
	}
	for id, s := range m.groups {
		if other := o.groups[id]; other == nil || !s.equal(other) {
			return false
		}
	}
	for id, groups := range m.of {
		if !slices.Equal(groups, o.of[id]) {
			return false
		}
	}
	return true
}
