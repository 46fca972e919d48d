package hnsw

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
		b.states[to], b.unrest[to] = a.states[slot], a.unrest[slot]
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
