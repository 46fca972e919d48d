package hnsw

// isShort tells whether a list of n links with room for more is to be refilled: it has fewer than 3/4 less one. That is
// two fewer than shrinkLinks leaves; if it were none fewer, each loss after a shrinkLinks would lead to a refill.
func isShort(n, room int) bool { return n < room*3/4-1 }

// refillTo is the number of links that refillList fills a list up to: all but a sixteenth.
func refillTo(room int) int { return room - room/16 }

// refillLower and refillUpper are the numbers of candidates of refillList, the nearest of the links of a list's links,
// on the lowest level and on the others.
const (
	refillLower = 32
	refillUpper = 100
)

// indexOf returns the place of a slot in a list, or -1.
func indexOf(list []uint32, slot uint32) int {
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

// replacement returns the slot that redirect puts in the place of a dead slot: the nearest to it of those in use that
// it led to on a level, or none.
func (s *scratch) replacement(dead uint32, level int) uint32 {
	a, n := s.arena, 0
	list := a.links(dead, level)
	for i := range list {
		if slot := load(&list[i]); slot != none && a.is(slot, linkable) {
			s.batch[n] = slot
			n++
		}
	}
	a.rows.Widen(dead, s.codes)
	a.rows.Scores(s.codes, s.batch, n, s.batchScores)
	var best uint64
	for i, score := range s.batchScores[:n] {
		best = max(best, keyOf(score, s.batch[i]))
	}
	if n == 0 {
		return none
	}
	return slotOf(best)
}

// repairList takes the link to a dead slot out of the list of from, and returns whether it was there.
//
// With reselect it chooses the list anew (reselectWithout): where nothing is inserted, refilled lists would lead to
// slots that all lie together. With refill it puts the replacement in the dead slot's place, or refills a list that
// became short: where as many slots are inserted as removed the insertions keep the choice good, and refill costs a
// fraction of reselect. In both modes maybeRelink relinks some of the slots that lose a link, or groups of slots would
// become unreachable in time.
func (g *Graph) repairList(s *scratch, from, dead, replacement uint32, level int, mode repairMode) bool {
	list := s.arena.links(from, level)
	if indexOf(list, dead) < 0 {
		return false
	}
	if mode == refill || !s.arena.is(from, linkable) {
		if g.redirect(s.arena, from, dead, replacement, level, list) {
			g.refillList(s, from, level)
		}
		if level == 0 && s.arena.is(from, linkable) {
			g.maybeRelink(s, from, dead, relinkEveryMoved)
		}
		return true
	}
	if g.reselectWithout(s, from, dead, level, list) {
		g.maybeRelink(s, from, dead, relinkEveryDeleted)
	}
	return true
}

// redirect points the link to a dead slot at the replacement, or removes it if the list leads to the replacement
// already. It returns whether the list is short then.
func (g *Graph) redirect(a *arena, from, dead, replacement uint32, level int, list []uint32) bool {
	lock := g.listLock(from)
	lock.Lock()
	defer lock.Unlock()
	at := indexOf(list, dead)
	if at < 0 {
		return false // another goroutine took the link out
	}
	sub(a.inDegree(dead, level))
	used := a.is(from, linkable)
	if used && replacement != none && replacement != from && indexOf(list, replacement) < 0 {
		add(a.inDegree(replacement, level)) // before the flag is read, see connect
		if a.is(replacement, linkable) {
			store(&list[at], replacement)
			return false
		}
		sub(a.inDegree(replacement, level))
	}
	last := lengthOf(list) - 1
	store(&list[at], list[last])
	store(&list[last], none)
	return used && isShort(last, len(list))
}

// refillList adds some of the links of its links to the list of a slot. It chooses them as any (Algorithm 4), but after
// those that the list has: among these are the few long ones, and a choice that began with slots nearby would crowd
// them out.
func (g *Graph) refillList(s *scratch, slot uint32, level int) {
	a, list, most := s.arena, s.arena.links(slot, level), refillLower
	if level > 0 {
		most = refillUpper
	}
	a.rows.Widen(slot, s.codes)
	s.clearVisited()
	s.visited[slot] = s.stamp
	s.present, s.keys = s.present[:0], s.keys[:0]
	n := a.rows.Unvisited(list, s.visited, s.stamp, s.batch, &list[0])
	a.rows.Scores(s.codes, s.batch, n, s.batchScores)
	for i, other := range s.batch[:n] {
		if a.is(other, linkable) {
			s.present = append(s.present, keyOf(s.batchScores[i], other))
		}
	}
	for _, key := range s.present {
		theirs := a.links(slotOf(key), level)
		n := a.rows.Unvisited(theirs, s.visited, s.stamp, s.batch, &theirs[0])
		a.rows.Scores(s.codes, s.batch, n, s.batchScores)
		for i, other := range s.batch[:n] {
			key := keyOf(s.batchScores[i], other)
			if (len(s.keys) < most || key > s.keys[most-1]) && a.is(other, linkable) {
				s.keys, _ = insert(s.keys, key, most)
			}
		}
	}
	s.choose(s.present, refillTo(len(list)), refillTo(len(list)), a.scale(slot))
	s.toConnect = append(s.toConnect[:0], s.chosen[len(s.present):]...)
	if !g.setLinks(s, slot, level) {
		return
	}
	for _, key := range s.toConnect {
		g.connect(s, slotOf(key), slot, level)
	}
}

// reselectWithout chooses the list of from, which leads to a dead slot, anew among the rest of the list and the dead
// slot's own links, so that it has no fewer links than before. It returns false if another goroutine took the link out
// meanwhile.
func (g *Graph) reselectWithout(s *scratch, from, dead uint32, level int, list []uint32) bool {
	a := s.arena
	lock := g.listLock(from)
	lock.Lock()
	defer lock.Unlock()
	if indexOf(list, dead) < 0 {
		return false
	}
	n := lengthOf(list)
	s.oldLinks = append(s.oldLinks[:0], list[:n]...)
	a.rows.Widen(from, s.codes)
	s.clearVisited()
	s.visited[from] = s.stamp
	s.keys = s.keys[:0]
	s.addCandidates(s.oldLinks)
	theirs := a.links(dead, level)
	s.addCandidates(theirs[:lengthOf(theirs)])
	s.choose(nil, len(list), n, a.scale(from))
	g.setLinksLocked(s, list, level)
	return true
}

// addCandidates adds to s.keys those of slots, a list's at most, that are in use and not yet visited. It scores them by
// s.codes.
func (s *scratch) addCandidates(slots []uint32) {
	a, n := s.arena, 0
	for i := range slots {
		slot := load(&slots[i])
		if slot != none && s.visited[slot] != s.stamp && a.is(slot, linkable) {
			s.visited[slot] = s.stamp
			s.batch[n] = slot
			n++
		}
	}
	a.rows.Scores(s.codes, s.batch, n, s.batchScores)
	for i, score := range s.batchScores[:n] {
		s.keys, _ = insert(s.keys, keyOf(score, s.batch[i]), len(s.keys)+1)
	}
}
