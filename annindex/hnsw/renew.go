package hnsw

// chooseAnew chooses a list that leads to a dead slot, no shorter than it was, from what is left of it and the dead slot's own
// links. It returns whether it did: another may have taken the link away.
func (g *Graph) chooseAnew(s *scratch, from, dead uint32, level int, list []uint32) bool {
	a := s.arena
	lock := g.listLock(from)
	lock.Lock()
	defer lock.Unlock()
	if find(list, dead) < 0 {
		return false
	}
	n := lengthOf(list)
	s.before = append(s.before[:0], list[:n]...)
	a.rows.Widen(from, s.codes)
	s.begin()
	s.visited[from] = s.epoch
	s.keys = s.keys[:0]
	s.propose(s.before)
	theirs := a.links(dead, level)
	s.propose(theirs[:lengthOf(theirs)])
	s.choose(nil, len(list), n, a.scale(from))
	g.rewrite(s, list, level)
	return true
}

// These are the numbers of lost links, on average, after which a slot's links are chosen anew: of links to deleted slots,
// and to moved ones. Fewer searches than the latter, and now and then a round of turnover loses a hundred vectors; more cost more than
// they find (bench, task turnover).
const (
	renewDeleted = 8
	renewMoved   = 64
)

// probeLost is the number of lost links, on average, after which the way to a slot is looked at. Half as many cost a tenth of the
// rate of a turnover and find no more.
const probeLost = 16

// renew lets every so many-th slot that loses a link, by a hash of it and the dead one, choose its links anew from all
// that a search finds around it, and looks whether the way there lasts. The lists of the dead are a narrow choice: where nothing
// is inserted between removals, links to the wider neighbourhood get fewer with each.
func (g *Graph) renew(s *scratch, slot, dead uint32, every uint64) {
	draw := mix(uint64(dead)<<32 | uint64(slot))
	if draw%every == 0 {
		g.relinkWhereItIs(s, slot)
	}
	if draw>>32%probeLost == 0 {
		g.keepWay(s, slot)
	}
}

// propose adds those of some slots that are in use and not yet visited, a list's at most, to s.keys, scored by s.codes.
func (s *scratch) propose(slots []uint32) {
	a, n := s.arena, 0
	for i := range slots {
		slot := load(&slots[i])
		if slot != none && s.visited[slot] != s.epoch && a.is(slot, linkable) {
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
