package hnsw

// choose selects up to most neighbours of a vector from s.keys, which are in order, and adds them to s.chosen after
// those of kept, which the vector has already. It takes a candidate unless the candidate is nearer to one that it took
// before than to the vector (Algorithm 4). Of those passed over the nearest fill s.chosen up to least places
// (keepPrunedConnections). scale makes the scores of the keys inner products: it is that of the codes the keys were
// scored with.
func (s *scratch) choose(kept []uint64, most, least int, scale float32) {
	a := s.arena
	s.chosen, s.pruned = append(s.chosen[:0], kept...), s.pruned[:0]
	for i, key := range kept {
		s.chosenSlots[i] = slotOf(key)
	}
	for _, key := range s.keys {
		if len(s.chosen) >= most {
			break
		}
		slot, diverse := slotOf(key), true
		if n := len(s.chosen); n > 0 {
			a.rows.Widen(slot, s.codes)
			a.rows.Scores(s.codes, s.chosenSlots, n, s.chosenScores)
			limit := scoreOf(key) * scale / a.scale(slot)
			for _, score := range s.chosenScores[:n] {
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
		s.chosenSlots[len(s.chosen)] = slot
		s.chosen = append(s.chosen, key)
	}
	for _, key := range s.pruned {
		if len(s.chosen) >= least {
			break
		}
		s.chosen = append(s.chosen, key)
	}
}

// lengthOf returns the number of links in a list.
func lengthOf(list []uint32) int {
	for i := range list {
		if load(&list[i]) == none {
			return i
		}
	}
	return len(list)
}

// copyLinks appends the links of a list to dst. It holds no lock: others may change the list meanwhile, and what
// copyLinks returns may be partly the old and partly the new list.
func copyLinks(dst, list []uint32) []uint32 {
	for i := range list {
		slot := load(&list[i])
		if slot == none {
			break
		}
		dst = append(dst, slot)
	}
	return dst
}

// connect makes a link between two slots, from one to the other, and returns whether it is there then. If the list of
// from is full, shrinkLinks decides which links stay. On the lowest level no slot loses the last link to it
// that way (retain).
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
	// Count first, look at the flag second: remove clears the flag first and looks at the count second, so one of the
	// two sees the other.
	add(a.inDegree(to, level))
	if !a.is(to, linkable) || !a.is(from, linkable) {
		sub(a.inDegree(to, level))
		return false
	}
	if n < len(list) {
		store(&list[n], to)
		return true
	}
	return g.shrinkLinks(s, from, to, level, list)
}

// shrinkLinks replaces a full list by a choice among its slots and to, whose link is counted already (the paper's
// "shrink connections"). It leaves a quarter of the list free, since a choice costs as much as many links that are
// simply added. The caller holds the list's lock. shrinkLinks returns whether to is in the list then.
func (g *Graph) shrinkLinks(s *scratch, from, to uint32, level int, list []uint32) bool {
	a := s.arena
	n := copy(s.batch, list)
	s.batch[n] = to
	n++
	a.rows.Widen(from, s.codes)
	a.rows.Scores(s.codes, s.batch, n, s.batchScores)
	s.keys = s.keys[:0]
	for i, slot := range s.batch[:n] {
		if a.is(slot, linkable) {
			s.keys, _ = insert(s.keys, keyOf(s.batchScores[i], slot), n)
		}
	}
	s.choose(nil, len(list), len(list)*3/4, a.scale(from))
	return g.storeChosen(s, list, s.batch[:n], to, level)
}

// storeChosen writes s.chosen to a list. old are the slots that the list held, or was about to hold: the links to all
// of them, and to all of s.chosen, are counted already. A slot of old that is not chosen loses its link, unless its
// in-degree is low (Config.minInDegree): then retain keeps it in the place of the last chosen slot that can spare its
// link. If none can, storeChosen tries again with an in-degree of 1, so that at least no slot loses the last link to
// it. storeChosen returns whether to is chosen; to may be none.
func (g *Graph) storeChosen(s *scratch, list, old []uint32, to uint32, level int) bool {
	a := s.arena
	s.clearVisited()
	for _, key := range s.chosen {
		s.visited[slotOf(key)] = s.stamp
	}
	for _, slot := range old {
		if s.visited[slot] == s.stamp {
			continue
		}
		if !g.dropInLink(a, slot, level, g.cfg.minInDegree()) && !g.retain(s, slot, len(list), level, g.cfg.minInDegree()) &&
			!g.dropInLink(a, slot, level, 1) && !g.retain(s, slot, len(list), level, 1) {
			sub(a.inDegree(slot, level))
		}
	}
	for i := range list {
		slot := uint32(none)
		if i < len(s.chosen) {
			slot = slotOf(s.chosen[i])
		}
		store(&list[i], slot)
	}
	return to != none && s.isChosen(to)
}

// isChosen tells whether a slot is in s.chosen.
func (s *scratch) isChosen(slot uint32) bool {
	for _, key := range s.chosen {
		if slotOf(key) == slot {
			return true
		}
	}
	return false
}

// retain adds a slot, the link to which is counted, to s.chosen though choose passed it over: if s.chosen has fewer
// than room slots at its end, else in the place of the last one that dropInLink takes a link from. It returns false if
// there is none.
func (g *Graph) retain(s *scratch, slot uint32, room, level int, least uint32) bool {
	if len(s.chosen) < room {
		s.chosen = append(s.chosen, keyOf(0, slot))
		return true
	}
	for i := len(s.chosen) - 1; i >= 0; i-- {
		if g.dropInLink(s.arena, slotOf(s.chosen[i]), level, least) {
			s.chosen[i] = keyOf(0, slot)
			return true
		}
	}
	return false
}

// dropInLink counts one link less to a slot. It does not, and returns false, if the slot is in use and would have an
// in-degree below least on the lowest level.
func (g *Graph) dropInLink(a *arena, slot uint32, level int, least uint32) bool {
	if sub(a.inDegree(slot, level)) < least && level == 0 && a.is(slot, linkable) {
		add(a.inDegree(slot, level))
		return false
	}
	return true
}
