package hnsw

import (
	"math"
	"sync/atomic"
	"unsafe"
)

func load(p *uint32) uint32     { return atomic.LoadUint32(p) }
func store(p *uint32, x uint32) { atomic.StoreUint32(p, x) }
func add(p *uint32)             { atomic.AddUint32(p, 1) }
func sub(p *uint32) uint32      { return atomic.AddUint32(p, ^uint32(0)) }

func (a *arena) scale(slot uint32) float32 {
	return math.Float32frombits(atomic.LoadUint32((*uint32)(unsafe.Pointer(&a.scales[slot]))))
}

// effort is how a slot is linked: with up to most neighbours on each of its levels, chosen among ef; and among above, if that is
// not 0, that are found on the level above its own.
type effort struct{ most, ef, above int }

func inserting(c *Config) effort { return effort{most: c.M, ef: c.EfConstruction} }

// relinking is the effort for a vector that is inserted again: half as many links again, some of them from further away. In a
// turnover of all vectors half of the links that it gets lead to what is about to go, and no node has seen an
// empty graph, which is where the far links of a graph that only grew come from.
func relinking(c *Config) effort {
	return effort{most: c.M + c.M/2, ef: c.EfConstruction, above: max(1, c.EfConstruction/2)}
}

// link connects a slot, which is written (Algorithm 1). It may be linked already, and be removed meanwhile.
func (g *Graph) link(s *scratch, slot uint32, vec []float32, how effort) {
	a := s.arena
	for {
		level := int(a.levels[slot])
		if g.first(a, slot, level) {
			return
		}
		s.ask(vec)
		_, top := entryOf(a.entry.Load())
		bottom := level
		if how.above > 0 {
			bottom++
		}
		key, top, ok := s.descend(min(bottom, top))
		if !ok {
			continue // the last other one went just now
		}
		s.above = s.above[:0]
		if how.above > 0 && top > level {
			s.start(key)
			s.explore(level+1, how.above)
			key = s.pool[0]
			s.above = append(s.above, s.pool...)
		}
		for l := min(level, top); l >= 0; l-- {
			s.start(key)
			s.visited[slot] = s.epoch
			s.explore(l, how.ef)
			key = s.pool[0]
			s.candidates(slot)
			s.above = append(s.above[:0], s.pool...)
			g.join(s, slot, l, min(how.most, len(a.links(slot, l))))
		}
		g.raise(a, slot, level)
		if load(a.in(slot, 0)) == 0 && a.is(slot, linkable) {
			g.force(s, slot)
		}
		return
	}
}

// force makes a link to a slot that all around it refused or went from meanwhile: from the first in use
// that takes it. That is rare, and need not be near.
func (g *Graph) force(s *scratch, slot uint32) {
	a := s.arena
	for other := range uint32(a.slots) {
		if other != slot && a.is(other, linkable) && g.connect(s, other, slot, 0) {
			g.connect(s, slot, other, 0)
			return
		}
	}
}

// candidates sets s.keys to those of the pool, and of the level above, that links may be made to.
//
// The latter are what the algorithm does not have. In a graph that only grows, the first nodes
// find each other though they are far apart, and their links are the ways between clusters. In one whose vectors have
// all been replaced no node has seen an empty graph, and those ways are gone: searches end in a wrong cluster. Those
// found on the level above, of which there are few to a cluster, stand in for the nodes of a young graph.
func (s *scratch) candidates(slot uint32) {
	a := s.arena
	s.keys = s.keys[:0]
	for _, key := range s.pool {
		if other := slotOf(key); other != slot && a.is(other, linkable) {
			s.keys = append(s.keys, key)
		}
	}
	if len(s.above) == 0 {
		return
	}
	for _, key := range s.above {
		if other := slotOf(key); s.visited[other] != s.epoch && a.is(other, linkable) {
			s.keys = append(s.keys, key)
		}
	}
	s.sortKeys()
}

// join links a slot with a choice from the candidates, both ways. If none of them accepts it on the lowest level,
// the others are tried.
func (g *Graph) join(s *scratch, slot uint32, level, most int) {
	s.choose(nil, most, most, s.unit)
	s.picked = append(s.picked[:0], s.chosen...)
	accepted := false
	for _, key := range s.picked {
		g.connect(s, slot, slotOf(key), level)
		accepted = g.connect(s, slotOf(key), slot, level) || accepted
	}
	if accepted || level > 0 {
		return
	}
	for _, key := range s.pool {
		if g.connect(s, slotOf(key), slot, level) {
			return
		}
	}
}

// first makes a slot the entry of an empty graph.
func (g *Graph) first(a *arena, slot uint32, level int) bool {
	if e, _ := entryOf(a.entry.Load()); e != none {
		return e == slot
	}
	a.entryLock.Lock()
	defer a.entryLock.Unlock()
	if e, _ := entryOf(a.entry.Load()); e != none {
		return e == slot
	}
	if a.is(slot, linkable) {
		a.entry.Store(uint64(level)<<32 | uint64(slot))
	}
	return true
}

// raise makes a slot the entry if it is on a level above the entry's. Not one that was removed meanwhile: a removal
// declares it dead first, and then finds another entry if it is the entry.
func (g *Graph) raise(a *arena, slot uint32, level int) {
	a.entryLock.Lock()
	defer a.entryLock.Unlock()
	if e, top := entryOf(a.entry.Load()); (e == none || level > top) && a.is(slot, linkable) {
		a.entry.Store(uint64(level)<<32 | uint64(slot))
	}
}

// leave finds another entry if a slot is the entry: the highest in use.
func (g *Graph) leave(a *arena, slot uint32) {
	a.entryLock.Lock()
	defer a.entryLock.Unlock()
	if e, _ := entryOf(a.entry.Load()); e != slot {
		return
	}
	other, top := uint32(none), -1
	for i, level := range a.levels {
		if int(level) > top && uint32(i) != slot && a.is(uint32(i), linkable) {
			other, top = uint32(i), int(level)
		}
	}
	if other == none {
		a.entry.Store(none)
		return
	}
	a.entry.Store(uint64(top)<<32 | uint64(other))
}
