package hnsw

// A list of links is short, and is filled up, when it has fewer than 3/4 less one of those that it has room for: two fewer than
// a choice leaves (see reselect), or each loss would lead to another choice. It is filled up to all but a sixteenth.
func isShort(n, room int) bool { return n < room*3/4-1 }

func filled(room int) int { return room - room/16 }

// Those that fill a list up are chosen from the nearest links of its links, this many on the lowest level and on others.
const (
	refillLower = 32
	refillUpper = 100
)

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

// heir returns the nearest to a dead slot of those in use that it led to on a level, or none.
func (s *scratch) heir(dead uint32, level int) uint32 {
	a, n := s.arena, 0
	list := a.links(dead, level)
	for i := range list {
		if slot := load(&list[i]); slot != none && a.is(slot, linkable) {
			s.fresh[n] = slot
			n++
		}
	}
	a.rows.Widen(dead, s.codes)
	a.rows.Scores(s.codes, s.fresh, n, s.scores)
	var best uint64
	for i, score := range s.scores[:n] {
		best = max(best, keyOf(score, s.fresh[i]))
	}
	if n == 0 {
		return none
	}
	return slotOf(best)
}

// mend takes the link to a dead slot from a list, and returns whether it was there.
//
// With renew the list is chosen anew: after removals alone, what matters is the choice, and lists that are only filled up get
// slots that lie together. Else the link goes to the heir, which most lists around the dead hold already, and a list that
// becomes short is filled up: where as many are inserted as removed, insertions keep the choice good, and
// this costs a fraction. Either way some of those that lose a link are searched anew, or pockets come off in time.
func (g *Graph) mend(s *scratch, from, dead, heir uint32, level int, renew bool) bool {
	list := s.arena.links(from, level)
	if find(list, dead) < 0 {
		return false
	}
	if !renew || !s.arena.is(from, linkable) {
		if g.inherit(s.arena, from, dead, heir, level, list) {
			g.refill(s, from, level)
		}
		if level == 0 && s.arena.is(from, linkable) {
			g.renew(s, from, dead, renewMoved)
		}
		return true
	}
	if g.chooseAnew(s, from, dead, level, list) {
		g.renew(s, from, dead, renewDeleted)
	}
	return true
}

// inherit replaces the link to a dead slot, and returns whether the list is short then.
func (g *Graph) inherit(a *arena, from, dead, heir uint32, level int, list []uint32) bool {
	lock := g.listLock(from)
	lock.Lock()
	defer lock.Unlock()
	at := find(list, dead)
	if at < 0 {
		return false
	}
	sub(a.in(dead, level))
	used := a.is(from, linkable)
	if used && heir != none && heir != from && find(list, heir) < 0 {
		add(a.in(heir, level))
		if a.is(heir, linkable) {
			store(&list[at], heir)
			return false
		}
		sub(a.in(heir, level))
	}
	last := lengthOf(list) - 1
	store(&list[at], list[last])
	store(&list[last], none)
	return used && isShort(last, len(list))
}

// refill adds to a short list some of the links of its links, chosen as any (Algorithm 4), but after those that it has: among
// these are the few that lead far away, and a choice from near ones would crowd them out.
func (g *Graph) refill(s *scratch, slot uint32, level int) {
	a, list, most := s.arena, s.arena.links(slot, level), refillLower
	if level > 0 {
		most = refillUpper
	}
	a.rows.Widen(slot, s.codes)
	s.begin()
	s.visited[slot] = s.epoch
	s.present, s.keys = s.present[:0], s.keys[:0]
	n := a.rows.Unvisited(list, s.visited, s.epoch, s.fresh, &list[0])
	a.rows.Scores(s.codes, s.fresh, n, s.scores)
	for i, other := range s.fresh[:n] {
		if a.is(other, linkable) {
			s.present = append(s.present, keyOf(s.scores[i], other))
		}
	}
	for _, key := range s.present {
		theirs := a.links(slotOf(key), level)
		n := a.rows.Unvisited(theirs, s.visited, s.epoch, s.fresh, &theirs[0])
		a.rows.Scores(s.codes, s.fresh, n, s.scores)
		for i, other := range s.fresh[:n] {
			key := keyOf(s.scores[i], other)
			if (len(s.keys) < most || key > s.keys[most-1]) && a.is(other, linkable) {
				s.keys, _ = insert(s.keys, key, most)
			}
		}
	}
	s.choose(s.present, filled(len(list)), filled(len(list)), a.scale(slot))
	s.picked = append(s.picked[:0], s.chosen[len(s.present):]...)
	if !g.settle(s, slot, level) {
		return
	}
	for _, key := range s.picked {
		g.connect(s, slotOf(key), slot, level)
	}
}

// settle replaces the list of a slot by s.chosen; not so, and false, if the slot is no longer in use.
func (g *Graph) settle(s *scratch, slot uint32, level int) bool {
	lock := g.listLock(slot)
	lock.Lock()
	defer lock.Unlock()
	if !s.arena.is(slot, linkable) {
		return false
	}
	list := s.arena.links(slot, level)
	s.before = append(s.before[:0], list[:lengthOf(list)]...)
	g.rewrite(s, list, level)
	return true
}
