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
// mutual, so most are found at once; the count tells when all are.
func (g *Graph) detach(s *scratch, slot uint32, level int, renew bool) {
	a := s.arena
	around := append(s.around[:0], a.links(slot, level)...)
	around = around[:lengthOf(around)]
	s.around = around
	count := a.in(slot, level)
	for _, y := range around {
		if g.mend(s, y, slot, level, renew) {
			g.renew(s, y, slot)
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
		if g.mend(s, w, slot, level, renew) {
			g.renew(s, w, slot)
		}
		if load(count) == 0 {
			return
		}
	}
}

// find returns the place of a slot in a list, or -1.
func find(list []uint32, slot uint32) int {
	for i := range list {
		switch load(&list[i]) {
		case slot:
			return i
		case none:
			return -1
		}
	}
	return -1
}

// mend takes the link to a dead slot from a list, if it is there. With renew it chooses the list anew: after removals alone,
// what matters is the choice, and with heirs only lists fill up with slots that lie together. Else an heir takes the dead
// slot's place: where as many are inserted as removed, insertions keep the choice good, and this is half of the work. It
// returns whether it chose.
func (g *Graph) mend(s *scratch, from, dead uint32, level int, renew bool) bool {
	list := s.arena.links(from, level)
	if find(list, dead) < 0 {
		return false
	}
	lock := g.listLock(from)
	lock.Lock()
	defer lock.Unlock()
	at := find(list, dead)
	switch {
	case at < 0:
		return false
	case renew && s.arena.is(from, linkable):
		g.chooseAnew(s, from, level, list)
		return true
	}
	g.inherit(s, from, dead, level, list, at)
	return false
}

// inherit takes the link to a dead slot, at a place of a list, and gives it to an heir. The list's lock is held.
func (g *Graph) inherit(s *scratch, from, dead uint32, level int, list []uint32, at int) {
	a := s.arena
	last := lengthOf(list) - 1
	store(&list[at], list[last])
	store(&list[last], none)
	sub(a.in(dead, level))
	if !a.is(from, linkable) {
		return
	}
	if heir := g.heir(s, from, list[:last]); heir != none {
		add(a.in(heir, level))
		if !a.is(heir, linkable) {
			sub(a.in(heir, level))
			return
		}
		store(&list[last], heir)
	}
}

// chooseAnew chooses a list, no shorter than it was, from what is left of it and the dead slot's own neighbours, s.around. The
// list's lock is held.
func (g *Graph) chooseAnew(s *scratch, from uint32, level int, list []uint32) {
	a, n := s.arena, lengthOf(list)
	s.before = append(s.before[:0], list[:n]...)
	a.rows.Widen(from, s.codes)
	s.begin()
	s.visited[from] = s.epoch
	s.keys = s.keys[:0]
	s.propose(s.before)
	s.propose(s.around)
	s.choose(len(list), n, a.scale(from))
	g.rewrite(s, list, level)
}

// heirs is the number of a dead slot's neighbours, the nearest, of which one may take its place in a list.
const heirs = 3

// heir chooses a new neighbour from s.around: the nearest that is not nearer to a present neighbour, of the nearest heirs; else
// the nearest.
func (g *Graph) heir(s *scratch, from uint32, list []uint32) uint32 {
	a := s.arena
	s.begin()
	s.visited[from] = s.epoch
	for _, slot := range list {
		s.visited[slot] = s.epoch
	}
	a.rows.Widen(from, s.codes)
	s.keys = s.keys[:0]
	s.propose(s.around)
	if len(s.keys) == 0 {
		return none
	}
	unit := a.scale(from)
	copy(s.some, list)
	for _, key := range s.keys[:min(heirs, len(s.keys))] {
		slot, diverse := slotOf(key), true
		a.rows.Widen(slot, s.codes)
		a.rows.Scores(s.codes, s.some, len(list), s.marks)
		limit := scoreOf(key) * unit / a.scale(slot)
		for _, score := range s.marks[:len(list)] {
			if score > limit {
				diverse = false
				break
			}
		}
		if diverse {
			return slot
		}
	}
	return slotOf(s.keys[0])
}

// renewEvery is the number of lost links, on average, after which a slot's links are chosen anew.
const renewEvery = 8

// renew lets every renewEvery-th slot that loses a link, by a hash of it and the dead one, choose its links anew from all
// that a search finds around it. The lists of the dead are a narrow choice: where nothing is inserted between removals, links
// to the wider neighbourhood get fewer with each.
func (g *Graph) renew(s *scratch, slot, dead uint32) {
	if mix(uint64(dead)<<32|uint64(slot))%renewEvery != 0 {
		return
	}
	if _, ok := s.arena.read(slot, s.vector); ok {
		g.relink(s, slot, s.vector)
	}
}

// propose adds those of some slots that are in use and not yet visited, a list's at most, to s.keys, scored by s.codes.
func (s *scratch) propose(slots []uint32) {
	a, n := s.arena, 0
	for _, slot := range slots {
		if s.visited[slot] != s.epoch && a.is(slot, linkable) {
			s.visited[slot] = s.epoch
			s.fresh[n] = slot
			n++
		}
	}
	a.rows.Scores(s.codes, s.fresh, n, s.scores)
	for i, score := range s.scores[:n] {
		s.keys, _ = insert(s.keys, keyOf(score, s.fresh[i]), len(s.keys)+1)
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
	list := a.links(slot, 0)
	around := append([]uint32(nil), list[:lengthOf(list)]...)
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
		g.link(s, slot, s.vector, g.cfg.M, g.cfg.EfConstruction)
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
				s.around = append(s.around[:0], a.links(other, level)...)
				s.around = s.around[:lengthOf(s.around)]
				g.mend(s, slot, other, level, true)
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

// shrink copies the living to a smaller arena when half of the slots are not in use.
func (g *Graph) shrink() {
	few := func(a *arena) bool {
		return a.slots > 2*leastSlots && g.Len() < a.slots/2
	}
	if !few(g.arena.Load()) {
		return
	}
	g.shape.Lock()
	defer g.shape.Unlock()
	if few(g.arena.Load()) {
		g.compact(max(roomFor(g.Len()), leastSlots))
	}
}

// compact copies the living to an arena with this many slots. Links to dead slots
// are dropped. The shape is locked.
func (g *Graph) compact(slots int) {
	a := g.arena.Load()
	s := g.scratch()
	defer g.release(s)
	s.fit(a)
	g.sweep(s)
	b := newArena(&g.cfg, slots)
	place := make([]uint32, a.slots)
	for slot := range place {
		place[slot] = none
		if a.states[slot]&live == 0 {
			continue
		}
		to := b.next
		b.next++
		place[slot] = to
		b.levels[to] = a.levels[slot]
	}
	drawLevels(b.levels, int(b.next), g.cfg.Seed, g.cfg.M)
	b.lay(0)
	for slot, to := range place {
		if to == none {
			continue
		}
		from := uint32(slot)
		copy(b.vector(to), a.vector(from))
		copy(b.codes[int(to)*b.codeStride/8:], a.codes[slot*a.codeStride/8:(slot+1)*a.codeStride/8])
		b.scales[to], b.drift[to], b.ids[to] = a.scales[slot], a.drift[slot], a.ids[slot]
		b.states[to] = a.states[slot]
		for level := range int(a.levels[slot]) + 1 {
			list, n := b.links(to, level), 0
			for _, other := range a.links(from, level) {
				if other == none {
					break
				}
				if p := place[other]; p != none {
					list[n] = p
					n++
					*b.in(p, level)++
				}
			}
		}
	}
	b.entry.Store(none)
	if e, level := entryOf(a.entry.Load()); e != none && place[e] != none {
		b.entry.Store(uint64(level)<<32 | uint64(place[e]))
	}
	g.slotsLock.Lock()
	defer g.slotsLock.Unlock()
	// A new map: one keeps the room of its most.
	placed := make(map[uint64]uint32, b.next)
	for slot, to := range place {
		if to != none {
			placed[a.ids[slot]] = to
		}
	}
	g.slots, g.limbo = placed, nil
	g.arena.Store(b)
}
