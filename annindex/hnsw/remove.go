package hnsw

// remove takes a slot out of the graph and mends what led through it. The slot is free again when
// no link leads to it: at once if all such links are found among its neighbours and theirs, else
// after a sweep. Its id's lock is held. With renew, those that lose a link on the lowest level choose their links anew.
func (g *Graph) remove(s *scratch, slot uint32, renew bool) {
	a := s.arena
	a.mark(slot, 0)
	g.leave(a, slot)
	for level := int(a.levels[slot]); level >= 0; level-- {
		g.detach(s, slot, level, renew && level == 0)
	}
	if load(a.in(slot, 0)) == 0 && load(a.in(slot, 1)) == 0 {
		g.vacate(s, slot)
		for _, other := range s.oneWay {
			g.keepWay(s, other)
		}
		return
	}
	g.limboLock.Lock()
	g.limbo = append(g.limbo, slot)
	full := len(g.limbo) > 64+g.Len()/64
	g.limboLock.Unlock()
	if full {
		g.sweep(s)
	}
}

// detach takes away the links to a slot that is dead from its neighbours and their neighbours. Most links are
// mutual, so most are found at once; the count tells when all are. Those that it led to and that do not lead back are left in
// s.oneWay: such a link may have been the last way to a group whose links are all among themselves.
func (g *Graph) detach(s *scratch, slot uint32, level int, renew bool) {
	a := s.arena
	around := snapshot(s.around[:0], a.links(slot, level))
	s.around = around
	heir := s.heir(slot, level)
	count := a.in(slot, level)
	s.oneWay = s.oneWay[:0]
	for _, y := range around {
		if !g.mend(s, y, slot, heir, level, renew) {
			s.oneWay = append(s.oneWay, y)
		}
	}
	if load(count) == 0 || level > 0 && a.levels[slot] > 1 {
		return
	}
	s.seen = s.seen[:0]
	s.begin()
	s.visited[slot] = s.epoch
	for _, y := range around {
		s.visited[y] = s.epoch
	}
	for _, y := range around {
		list := a.links(y, level)
		n := a.rows.Unvisited(list, s.visited, s.epoch, s.fresh, &list[0])
		s.seen = append(s.seen, s.fresh[:n]...)
	}
	for _, w := range s.seen {
		g.mend(s, w, slot, heir, level, renew)
		if load(count) == 0 {
			return
		}
	}
}

// vacate gives a dead slot back to which no link leads. Those that it led to lose a link; one that loses its
// last gets another.
func (g *Graph) vacate(s *scratch, slot uint32) {
	a := s.arena
	var lost []uint32
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
			if sub(a.in(other, level)) < g.cfg.few() && level == 0 && a.is(other, linkable) {
				lost = append(lost, other)
			}
		}
	}
	lock.Unlock()
	a.giveBack(slot)
	for _, other := range lost {
		g.rescue(s, other)
	}
}

// rescue gives a slot to which few links lead on the lowest level others, from its neighbours or, if none is left,
// from where a search for it ends.
func (g *Graph) rescue(s *scratch, slot uint32) {
	a := s.arena
	around := snapshot(nil, a.links(slot, 0))
	for _, other := range around {
		if load(a.in(slot, 0)) >= g.cfg.few() {
			return
		}
		g.connect(s, other, slot, 0)
	}
	if load(a.in(slot, 0)) > 0 || !a.is(slot, linkable) {
		return
	}
	if _, ok := a.read(slot, s.vector); ok {
		g.link(s, slot, s.vector, inserting(&g.cfg))
	}
}

// sweep looks through all lists for dead slots and frees those in limbo. It runs when they are a
// few hundredths of all, so that a removal pays for a fixed number of lists.
func (g *Graph) sweep(s *scratch) {
	if !g.sweeping.TryLock() {
		return
	}
	defer g.sweeping.Unlock()
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
				g.mend(s, slot, other, s.heir(other, level), level, false)
				i-- // another took its place
			}
		}
	}
	g.limboLock.Lock()
	limbo := g.limbo
	g.limbo = nil
	g.limboLock.Unlock()
	for _, slot := range limbo {
		if load(a.in(slot, 0)) == 0 && load(a.in(slot, 1)) == 0 {
			g.vacate(s, slot)
			continue
		}
		g.limboLock.Lock()
		g.limbo = append(g.limbo, slot)
		g.limboLock.Unlock()
	}
}
