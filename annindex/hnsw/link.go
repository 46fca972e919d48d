package hnsw

import (
	"math"
	"slices"
	"sync/atomic"
	"unsafe"
)

// load, store, add and sub are atomic: searches read lists and states while changes write them.
func load(p *uint32) uint32     { return atomic.LoadUint32(p) }
func store(p *uint32, x uint32) { atomic.StoreUint32(p, x) }
func add(p *uint32)             { atomic.AddUint32(p, 1) }
func sub(p *uint32) uint32      { return atomic.AddUint32(p, ^uint32(0)) }

func (a *arena) scale(slot uint32) float32 {
	return math.Float32frombits(atomic.LoadUint32((*uint32)(unsafe.Pointer(&a.scales[slot]))))
}

// linkParams says how link links a slot: with up to maxLinks neighbours on each of its levels, chosen among ef
// candidates; and, if upperEf is not 0, also among upperEf candidates of the level above the slot's own.
type linkParams struct{ maxLinks, ef, upperEf int }

func insertParams(c *Config) linkParams { return linkParams{maxLinks: c.M, ef: c.EfConstruction} }

// reinsertParams are those of a vector that is inserted again: half as many links again, and some of them to slots
// further away. In a turnover of all vectors, half of the links that a slot gets lead to slots about to be removed, and
// no slot was inserted into an empty graph, where the long links of a graph that only grew come from (see
// collectCandidates).
func reinsertParams(c *Config) linkParams {
	return linkParams{maxLinks: c.M + c.M/2, ef: c.EfConstruction, upperEf: max(1, c.EfConstruction/2)}
}

// link connects a slot whose vector is written (Algorithm 1). The slot may have links already (addInLinks,
// keepReachable), and another goroutine may remove it meanwhile.
func (g *Graph) link(s *scratch, slot uint32, vec []float32, p linkParams) {
	a := s.arena
	for {
		level := int(a.levels[slot])
		if g.firstEntry(a, slot, level) {
			return
		}
		s.setQuery(vec)
		_, top := entryOf(a.entry.Load())
		bottom := level
		if p.upperEf > 0 {
			bottom++
		}
		key, top, ok := s.descend(min(bottom, top))
		if !ok {
			continue // the last other slot was removed just now: this one becomes the entry
		}
		s.above = s.above[:0]
		if p.upperEf > 0 && top > level {
			s.startAt(key)
			s.searchLevel(level+1, p.upperEf)
			key = s.pool[0]
			s.above = append(s.above, s.pool...)
		}
		for l := min(level, top); l >= 0; l-- {
			s.startAt(key)
			s.visited[slot] = s.stamp
			s.searchLevel(l, p.ef)
			key = s.pool[0]
			s.collectCandidates(slot)
			s.above = append(s.above[:0], s.pool...)
			g.selectLinks(s, slot, l, min(p.maxLinks, len(a.links(slot, l))))
		}
		g.raiseEntry(a, slot, level)
		if load(a.inDegree(slot, 0)) == 0 && a.is(slot, linkable) {
			g.forceInLink(s, slot)
		}
		return
	}
}

// forceInLink makes a link to a slot that has none, from the first slot in use that accepts one. link calls it when all
// candidates refused the slot or were removed meanwhile. That is rare, so the link need not come from a slot nearby.
func (g *Graph) forceInLink(s *scratch, slot uint32) {
	a := s.arena
	for other := range uint32(a.slots) {
		if other != slot && a.is(other, linkable) && g.connect(s, other, slot, 0) {
			g.connect(s, slot, other, 0)
			return
		}
	}
}

// collectCandidates sets s.keys to the slots of s.pool and s.above that links may be made to, other than slot.
//
// The paper has no s.above. In a graph that only grows, the first slots find each other though they are far apart, and
// their links are the paths between clusters. In a graph whose vectors have all been replaced no slot was inserted into
// an empty graph: those paths are gone, and searches end in a wrong cluster. The slots of the level above, of which
// there are few to a cluster, stand in for the first slots of a young graph.
func (s *scratch) collectCandidates(slot uint32) {
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
		if other := slotOf(key); s.visited[other] != s.stamp && a.is(other, linkable) {
			s.keys = append(s.keys, key)
		}
	}
	slices.SortFunc(s.keys, descending)
}

// selectLinks chooses among the candidates s.keys and connects the slot with the chosen, both ways. If none of the
// chosen accepts a link to the slot on the lowest level, selectLinks asks all of s.pool.
func (g *Graph) selectLinks(s *scratch, slot uint32, level, most int) {
	s.choose(nil, most, most, s.queryScale)
	s.toConnect = append(s.toConnect[:0], s.chosen...)
	accepted := false
	for _, key := range s.toConnect {
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

// firstEntry makes a slot the entry of an empty graph. It returns true if link has nothing to do: the slot is the
// entry, or was removed meanwhile.
func (g *Graph) firstEntry(a *arena, slot uint32, level int) bool {
	if e, _ := entryOf(a.entry.Load()); e != none {
		return e == slot
	}
	a.entryLock.Lock()
	defer a.entryLock.Unlock()
	if e, _ := entryOf(a.entry.Load()); e != none {
		return e == slot
	}
	if a.is(slot, linkable) {
		a.entry.Store(packEntry(slot, level))
	}
	return true
}

// raiseEntry makes a slot the entry if there is none or the slot's level is above the entry's. It does not if the slot
// was removed meanwhile: remove clears the slot's flags first and calls replaceEntry second, so one of the two sees the
// other.
func (g *Graph) raiseEntry(a *arena, slot uint32, level int) {
	a.entryLock.Lock()
	defer a.entryLock.Unlock()
	if e, top := entryOf(a.entry.Load()); (e == none || level > top) && a.is(slot, linkable) {
		a.entry.Store(packEntry(slot, level))
	}
}

// replaceEntry makes the slot in use with the highest level the entry, if slot, which is dead, is the entry.
func (g *Graph) replaceEntry(a *arena, slot uint32) {
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
	a.entry.Store(packEntry(other, top))
}
