package hnsw

// repairMode says how a list that loses its link to a removed slot is repaired (see repairList).
type repairMode int

const (
	refill   repairMode = iota // fill up lists that became short: after a move, whose insertion improves the choice of links
	reselect                   // choose lists on the lowest level anew: after a deletion
)

// remove takes a slot out of the graph and repairs the lists that led to it. If no link leads to the slot then, remove
// frees it; else the slot waits in pendingFree for consolidate. The caller holds the lock of the slot's id.
func (g *Graph) remove(s *scratch, slot uint32, mode repairMode) {
	a := s.arena
	a.mark(slot, 0)
	g.replaceEntry(a, slot)
	for level := int(a.levels[slot]); level > 0; level-- {
		g.detach(s, slot, level, refill)
	}
	g.detach(s, slot, 0, mode)
	if load(a.inDegree(slot, 0)) == 0 && load(a.inDegree(slot, 1)) == 0 {
		g.freeSlot(s, slot)
		for _, other := range s.oneWay {
			g.keepReachable(s, other)
		}
		return
	}
	g.pendingLock.Lock()
	g.pendingFree = append(g.pendingFree, slot)
	full := len(g.pendingFree) > 64+g.Len()/64
	g.pendingLock.Unlock()
	if full {
		g.consolidate(s)
	}
}

// detach takes the links to a dead slot out of the lists of its neighbours and of their neighbours, and repairs these
// lists. Most links are mutual, so most are found at once, and the slot's in-degree tells detach when all are.
// Neighbours that do not lead back to the slot are left in s.oneWay for remove: the slot's link may have been the last
// path to a group whose links are all within the group.
func (g *Graph) detach(s *scratch, slot uint32, level int, mode repairMode) {
	a := s.arena
	neighbours := copyLinks(s.removedLinks[:0], a.links(slot, level))
	s.removedLinks = neighbours
	replacement := s.replacement(slot, level)
	inDegree := a.inDegree(slot, level)
	s.oneWay = s.oneWay[:0]
	for _, other := range neighbours {
		if !g.repairList(s, other, slot, replacement, level, mode) {
			s.oneWay = append(s.oneWay, other)
		}
	}
	// Levels above 0 share one in-degree, so for a slot on several of them it does not tell what is left on this one:
	// consolidate looks.
	if load(inDegree) == 0 || level > 0 && a.levels[slot] > 1 {
		return
	}
	s.secondHop = s.secondHop[:0]
	s.clearVisited()
	s.visited[slot] = s.stamp
	for _, other := range neighbours {
		s.visited[other] = s.stamp
	}
	for _, other := range neighbours {
		list := a.links(other, level)
		n := a.rows.Unvisited(list, s.visited, s.stamp, s.batch, &list[0])
		s.secondHop = append(s.secondHop, s.batch[:n]...)
	}
	for _, other := range s.secondHop {
		g.repairList(s, other, slot, replacement, level, mode)
		if load(inDegree) == 0 {
			return
		}
	}
}

// freeSlot empties the lists of a dead slot, to which no link leads, and frees the slot. Slots whose in-degree becomes
// low by that get more links (addInLinks).
func (g *Graph) freeSlot(s *scratch, slot uint32) {
	a := s.arena
	var low []uint32
	lock := g.listLock(slot)
	lock.Lock()
	for level := int(a.levels[slot]); level >= 0; level-- {
		list := a.links(slot, level)
		for i := range list {
			other := list[i]
			if other == none {
				break
			}
			store(&list[i], none)
			if sub(a.inDegree(other, level)) < g.cfg.lowInDegree() && level == 0 && a.is(other, linkable) {
				low = append(low, other)
			}
		}
	}
	lock.Unlock()
	a.free(slot)
	for _, other := range low {
		g.addInLinks(s, other)
	}
}

// addInLinks gives a slot whose in-degree is low on the lowest level links from its neighbours. If no link leads to the
// slot after that, addInLinks links it as if it were inserted.
func (g *Graph) addInLinks(s *scratch, slot uint32) {
	a := s.arena
	neighbours := copyLinks(nil, a.links(slot, 0))
	for _, other := range neighbours {
		if load(a.inDegree(slot, 0)) >= g.cfg.lowInDegree() {
			return
		}
		g.connect(s, other, slot, 0)
	}
	if load(a.inDegree(slot, 0)) > 0 || !a.is(slot, linkable) {
		return
	}
	if _, ok := a.read(slot, s.vector); ok {
		g.link(s, slot, s.vector, insertParams(&g.cfg))
	}
}

// consolidate looks through all lists, repairs those that lead to dead slots, and frees the slots of pendingFree.
// remove calls it when they are a few hundredths of all, so that a removal pays for a fixed number of lists; Snapshot
// and compact call it to have no link to a dead slot. It returns at once if another goroutine consolidates.
func (g *Graph) consolidate(s *scratch) {
	if !g.consolidating.TryLock() {
		return
	}
	defer g.consolidating.Unlock()
	a := s.arena
	for slot := range uint32(a.slots) {
		for level := int(a.levels[slot]); level >= 0; level-- {
			list := a.links(slot, level)
			for i := 0; i < len(list); i++ {
				other := load(&list[i])
				if other == none {
					break
				}
				if a.is(other, linkable) {
					continue
				}
				g.repairList(s, slot, other, s.replacement(other, level), level, refill)
				i-- // list[i] holds another slot now, or none
			}
		}
	}
	g.pendingLock.Lock()
	pending := g.pendingFree
	g.pendingFree = nil
	g.pendingLock.Unlock()
	for _, slot := range pending {
		if load(a.inDegree(slot, 0)) == 0 && load(a.inDegree(slot, 1)) == 0 {
			g.freeSlot(s, slot)
			continue
		}
		g.pendingLock.Lock()
		g.pendingFree = append(g.pendingFree, slot)
		g.pendingLock.Unlock()
	}
}
