package hnsw

// choose picks from s.keys, which are in order, up to most neighbours of a vector, to
// s.chosen, after those of kept, which it has: a candidate is taken unless it is nearer to one that was taken before it than to
// the vector (Algorithm 4). Those passed over fill up to least places, nearest first (keepPrunedConnections).
// unit is what makes the scores of the keys inner products.
func (s *scratch) choose(kept []uint64, most, least int, unit float32) {
	a := s.arena
	s.chosen, s.pruned = append(s.chosen[:0], kept...), s.pruned[:0]
	for i, key := range kept {
		s.some[i] = slotOf(key)
	}
	for _, key := range s.keys {
		if len(s.chosen) >= most {
			break
		}
		slot, diverse := slotOf(key), true
		if n := len(s.chosen); n > 0 {
			a.rows.Widen(slot, s.codes)
			a.rows.Scores(s.codes, s.some, n, s.marks)
			limit := scoreOf(key) * unit / a.scale(slot)
			for _, score := range s.marks[:n] {
				if score > limit {
					diverse = false
					break
				}
			}
		}
		if !diverse {
			if len(s.pruned) < least {
				s.pruned = append(s.pruned, key)
			}
			continue
		}
		s.some[len(s.chosen)] = slot
		s.chosen = append(s.chosen, key)
	}
	for _, key := range s.pruned {
		if len(s.chosen) >= least {
			break
		}
		s.chosen = append(s.chosen, key)
	}
}

// lengthOf is the number of links in a list.
func lengthOf(list []uint32) int {
	for i := range list {
		if load(&list[i]) == none {
			return i
		}
	}
	return len(list)
}

// snapshot adds the links in a list, which others may change meanwhile, to dst: its length, taken first, may be another by then.
func snapshot(dst, list []uint32) []uint32 {
	for i := range list {
		slot := load(&list[i])
		if slot == none {
			break
		}
		dst = append(dst, slot)
	}
	return dst
}

// connect makes a link from one slot to another, and returns whether it is there then. A full
// list is chosen anew among its slots and the new one. No slot loses its last link on
// the lowest level that way.
func (g *Graph) connect(s *scratch, from, to uint32, level int) bool {
	a := s.arena
	if from == to {
		return false
	}
	lock := g.listLock(from)
	lock.Lock()
	defer lock.Unlock()
	list := a.links(from, level)
	n := 0
	for ; n < len(list) && list[n] != none; n++ {
		if list[n] == to {
			return true
		}
	}
	// Counted before it is looked at: who declares it dead looks at the count after.
	add(a.in(to, level))
	if !a.is(to, linkable) || !a.is(from, linkable) {
		sub(a.in(to, level))
		return false
	}
	if n < len(list) {
		store(&list[n], to)
		return true
	}
	return g.reselect(s, from, to, level, list)
}

// reselect replaces a full list by a choice among its slots and one more, which is counted already.
// It is left with room for some more, since a choice costs as much as many
// links. The list's lock is held.
func (g *Graph) reselect(s *scratch, from, to uint32, level int, list []uint32) bool {
	a := s.arena
	n := copy(s.fresh, list)
	s.fresh[n] = to
	n++
	a.rows.Widen(from, s.codes)
	a.rows.Scores(s.codes, s.fresh, n, s.scores)
	s.keys = s.keys[:0]
	for i, slot := range s.fresh[:n] {
		if a.is(slot, linkable) {
			s.keys, _ = insert(s.keys, keyOf(s.scores[i], slot), n)
		}
	}
	s.choose(nil, len(list), len(list)*3/4, a.scale(from))
	return g.replace(s, list, s.fresh[:n], to, level)
}

// replace writes s.chosen to a list which held the slots of old, or was about to hold them: all are
// counted. Those that are not chosen lose the link, but a slot with few others (Config.least) takes the
// place of the last chosen that can spare it. It returns whether to is there then.
func (g *Graph) replace(s *scratch, list, old []uint32, to uint32, level int) bool {
	a := s.arena
	s.begin()
	for _, key := range s.chosen {
		s.visited[slotOf(key)] = s.epoch
	}
	for _, slot := range old {
		if s.visited[slot] == s.epoch {
			continue
		}
		if !g.drop(a, slot, level, g.cfg.least()) && !g.squeeze(s, slot, len(list), level, g.cfg.least()) &&
			!g.drop(a, slot, level, 1) && !g.squeeze(s, slot, len(list), level, 1) {
			sub(a.in(slot, level))
		}
	}
	for i := range list {
		slot := uint32(none)
		if i < len(s.chosen) {
			slot = slotOf(s.chosen[i])
		}
		store(&list[i], slot)
	}
	return to != none && s.holds(to)
}

// holds tells whether a slot is among the chosen.
func (s *scratch) holds(slot uint32) bool {
	for _, key := range s.chosen {
		if slotOf(key) == slot {
			return true
		}
	}
	return false
}

// squeeze adds a slot, which is counted, to the chosen: to those there is room for, else in the place of the last that
// can spare the link.
func (g *Graph) squeeze(s *scratch, slot uint32, room, level int, least uint32) bool {
	if len(s.chosen) < room {
		s.chosen = append(s.chosen, keyOf(0, slot))
		return true
	}
	for i := len(s.chosen) - 1; i >= 0; i-- {
		if g.drop(s.arena, slotOf(s.chosen[i]), level, least) {
			s.chosen[i] = keyOf(0, slot)
			return true
		}
	}
	return false
}

// drop counts one link less to a slot; not so, and false, if the slot is in use and fewer than least would be
// left on the lowest level.
func (g *Graph) drop(a *arena, slot uint32, level int, least uint32) bool {
	if sub(a.in(slot, level)) < least && level == 0 && a.is(slot, linkable) {
		add(a.in(slot, level))
		return false
	}
	return true
}
