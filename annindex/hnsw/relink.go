package hnsw

// relinkEf is the number of candidates among which relink chooses: fewer than an insertion's, as the search begins
// among them. More find no better ones: where clusters are small, 200 choose links to other clusters
// instead (clustered-20k-128, first round of drift: recall 0.959 instead of 0.965 with 100). Fewer lose vectors.
const relinkEf = 70

// relinkEveryDeleted and relinkEveryMoved are the numbers of lost links, on average, after which maybeRelink relinks a
// slot: of links to deleted slots and to moved ones. With fewer searches than relinkEveryMoved makes, now and then a
// round of turnover loses a hundred vectors; more searches cost more than they find (go run ./annindex/bench --tasks
// turnover).
const (
	relinkEveryDeleted = 8
	relinkEveryMoved   = 64
)

// probeEvery is the number of lost links, on average, after which maybeRelink calls keepReachable. Twice as many calls
// cost a tenth of the rate of a turnover and find no more.
const probeEvery = 16

// relink chooses the links of a slot, whose vector is vec, anew. The search for candidates begins at the slot's present
// links: the vector did not move, or so little that its new neighbours are near its old ones.
func (g *Graph) relink(s *scratch, slot uint32, vec []float32) {
	a := s.arena
	s.setQuery(vec)
	for level := int(a.levels[slot]); level >= 0; level-- {
		s.clearVisited()
		s.visited[slot] = s.stamp
		s.pool = s.pool[:0]
		list := a.links(slot, level)
		n := a.rows.Unvisited(list, s.visited, s.stamp, s.batch, &list[0])
		a.rows.Scores(s.query, s.batch, n, s.batchScores)
		s.present = s.present[:0]
		for i, score := range s.batchScores[:n] {
			key := keyOf(score, s.batch[i])
			s.present = append(s.present, key)
			s.pool, _ = insert(s.pool, key, relinkEf)
		}
		if n == 0 {
			continue
		}
		s.searchLevel(level, relinkEf)
		// The present links stay candidates even if the search found relinkEf nearer slots: the long
		// ones among them hold the graph together.
		s.keys = s.keys[:0]
		worst := s.pool[len(s.pool)-1] &^ followed
		for _, key := range s.pool {
			if a.is(slotOf(key), linkable) {
				s.keys = append(s.keys, key)
			}
		}
		for _, key := range s.present {
			if key < worst && a.is(slotOf(key), linkable) {
				s.keys, _ = insert(s.keys, key, len(s.keys)+1)
			}
		}
		g.reselectLinks(s, slot, level, n)
	}
}

// relinkUnmoved relinks a slot that did not move itself, if it is in use.
func (g *Graph) relinkUnmoved(s *scratch, slot uint32) {
	if _, ok := s.arena.read(slot, s.vector); ok {
		g.relink(s, slot, s.vector)
	}
}

// maybeRelink is called for a slot that lost its link to a dead one. It relinks one slot in every, and calls
// keepReachable for one in probeEvery, as a hash of the two slots decides. Without it, where nothing is inserted
// between removals, links to the wider surroundings get fewer with each removal: the lists of dead slots are a narrow
// choice.
func (g *Graph) maybeRelink(s *scratch, slot, dead uint32, every uint64) {
	draw := mix(uint64(dead)<<32 | uint64(slot))
	if draw%every == 0 {
		g.relinkUnmoved(s, slot)
	}
	if draw>>32%probeEvery == 0 {
		g.keepReachable(s, slot)
	}
}

// reselectLinks replaces the list of a slot, of length had, by a choice from s.keys of no fewer links, and connects up
// to M of the chosen back to the slot.
func (g *Graph) reselectLinks(s *scratch, slot uint32, level, had int) {
	list := s.arena.links(slot, level)
	s.choose(nil, len(list), max(had, g.cfg.M), s.queryScale)
	s.toConnect = append(s.toConnect[:0], s.chosen...)

	if !g.setLinks(s, slot, level) {
		return
	}
	for _, key := range s.toConnect[:min(len(s.toConnect), g.cfg.M)] {
		g.connect(s, slotOf(key), slot, level)
	}
}

// setLinks replaces the list of a slot by s.chosen. It does not, and returns false, if the slot is no longer in use.
func (g *Graph) setLinks(s *scratch, slot uint32, level int) bool {
	lock := g.listLock(slot)
	lock.Lock()
	defer lock.Unlock()
	if !s.arena.is(slot, linkable) {
		return false
	}
	list := s.arena.links(slot, level)
	s.oldLinks = append(s.oldLinks[:0], list[:lengthOf(list)]...)
	g.setLinksLocked(s, list, level)
	return true
}

// setLinksLocked replaces a list, which held s.oldLinks, by those of s.chosen that are still in use. The caller holds
// the list's lock.
func (g *Graph) setLinksLocked(s *scratch, list []uint32, level int) {
	a := s.arena
	kept := s.chosen[:0]
	for _, key := range s.chosen {
		other := slotOf(key)
		if indexOf(s.oldLinks, other) < 0 {
			add(a.inDegree(other, level)) // before the flag is read, see connect
			if !a.is(other, linkable) {
				sub(a.inDegree(other, level))
				continue
			}
		}
		kept = append(kept, key)
	}
	s.chosen = kept
	g.storeChosen(s, list, s.oldLinks, none, level)
}
