package hnsw

// shrinkArena compacts the graph when fewer than half of the slots hold a vector.
func (g *Graph) shrinkArena() {
	halfEmpty := func(a *arena) bool {
		return a.slots > 2*minSlots && g.Len() < a.slots/2
	}
	if !halfEmpty(g.arena.Load()) {
		return
	}
	g.arenaLock.Lock()
	defer g.arenaLock.Unlock()
	if halfEmpty(g.arena.Load()) {
		g.compact(max(capacityFor(g.Len()), minSlots))
	}
}

// compact copies the live slots to an arena with this many slots, and leaves out the dead ones and the links to them.
// The caller holds arenaLock for writing.
func (g *Graph) compact(slots int) {
	a := g.arena.Load()
	s := g.scratch()
	defer g.release(s)
	s.fit(a)
	g.consolidate(s)
	b := newArena(&g.cfg, slots)
	newSlots := make([]uint32, a.slots)
	for slot := range newSlots {
		newSlots[slot] = none
		if a.states[slot]&live == 0 {
			continue
		}
		to := b.next
		b.next++
		newSlots[slot] = to
		b.levels[to] = a.levels[slot]
	}
	drawLevels(b.levels, int(b.next), g.cfg.Seed, g.cfg.M)
	b.layOutLists(0)
	for slot, to := range newSlots {
		if to == none {
			continue
		}
		from := uint32(slot)
		copy(b.vector(to), a.vector(from))
		copy(b.codes[int(to)*b.codeStride/8:], a.codes[slot*a.codeStride/8:(slot+1)*a.codeStride/8])
		b.scales[to], b.drift[to], b.ids[to] = a.scales[slot], a.drift[slot], a.ids[slot]
		b.states[to], b.neighbourDrift[to] = a.states[slot], a.neighbourDrift[slot]
		for level := range int(a.levels[slot]) + 1 {
			list, n := b.links(to, level), 0
			for _, other := range a.links(from, level) {
				if other == none {
					break
				}
				if p := newSlots[other]; p != none {
					list[n] = p
					n++
					*b.inDegree(p, level)++
				}
			}
		}
	}
	b.entry.Store(none)
	if e, level := entryOf(a.entry.Load()); e != none && newSlots[e] != none {
		b.entry.Store(packEntry(newSlots[e], level))
	}
	g.slotsLock.Lock()
	defer g.slotsLock.Unlock()
	// A new map, since one that shrinks keeps its memory.
	slotsByID := make(map[uint64]uint32, b.next)
	for slot, to := range newSlots {
		if to != none {
			slotsByID[a.ids[slot]] = to
		}
	}
	g.slots, g.pendingFree = slotsByID, nil
	g.arena.Store(b)
}
