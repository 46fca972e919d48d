package hnsw

import (
	"math"
	"sync/atomic"

	"kilim/annindex/internal/dist"
)

// relinkEf is the number of candidates among which a vector that moved a little
// finds its neighbours: fewer than an insertion's, as the search begins among them. More find no better ones: where
// clusters are small, 200 choose links to other clusters instead (clustered-20k-128, first round of drift: recall 0.959
// instead of 0.965 with 100). Fewer lose vectors.
const relinkEf = 70

// moveInPlace moves a vector that is there by less than to another neighbourhood, and returns whether it did.
// The id's lock is held.
func (g *Graph) moveInPlace(s *scratch, id uint64, vec []float32) bool {
	g.shape.RLock()
	defer g.shape.RUnlock()
	slot, ok := g.slotOf(id)
	if !ok {
		return false
	}
	a := g.arena.Load()
	s.fit(a)
	way := distance(a.vector(slot), vec)
	around := g.spacing(s, slot)
	switch drift := a.drift[slot] + way; {
	case way > g.cfg.Far*around:
		return false
	case drift <= g.cfg.Still*around:
		a.write(slot, id, vec, live|linkable, s.codes)
		a.drift[slot] = drift
	default:
		a.write(slot, id, vec, live|linkable, s.codes)
		a.drift[slot] = 0
		store(&a.unrest[slot], 0)
		s.disturb(slot, drift/around)
		g.relink(s, slot, vec)
		for _, other := range s.restless {
			g.relinkWhereItIs(s, other)
		}
		g.keepWay(s, slot)
	}
	return true
}

// restless is the sum of the ways, each in mean distances of the neighbours of what moved, by which those that a slot
// links to move before its links are chosen anew; unrest counts parts of one way.
//
// A slot that moves early in a round of moves chooses among neighbours that are still to move, and what it chose is
// poor when they have. Measured on a round in which all turn to a cosine of 0.98 of where they were (bench, task drift),
// at the ef that has a recall of 0.95 before, against a graph built anew: without it -0.018 on clustered-20k-128;
// with 5 -0.002, 6 -0.003, 7 -0.005, 9 -0.007. On walters-svd-128 +0.001, -0.002, -0.003, -0.006. The fewer, the more
// are chosen anew, and each costs as much as a move.
const (
	restless = 6
	unrest   = 1 << 10
)

// disturb tells the neighbours of a slot by which part of their mean distance it moves. Those
// that have seen enough are left in s.restless.
func (s *scratch) disturb(slot uint32, part float32) {
	a := s.arena
	s.restless = s.restless[:0]
	more := uint32(min(part, restless) * unrest)
	list := a.links(slot, 0)
	for i := range list {
		other := load(&list[i])
		if other == none {
			break
		}
		if atomic.AddUint32(&a.unrest[other], more) >= restless*unrest {
			store(&a.unrest[other], 0)
			s.restless = append(s.restless, other)
		}
	}
}

// distance is that of two vectors (Euclid's); small ones are not lost in rounding.
func distance(a, b []float32) float32 {
	square := float64(dist.Dot(a, a)) + float64(dist.Dot(b, b)) - 2*float64(dist.Dot(a, b))
	return float32(math.Sqrt(max(square, 0)))
}

// spacing is the mean distance of a slot's neighbours on the lowest level, 0 if it has none.
func (g *Graph) spacing(s *scratch, slot uint32) float32 {
	a := s.arena
	n := len(snapshot(s.fresh[:0], a.links(slot, 0)))
	if n == 0 {
		return 0
	}
	own := a.vector(slot)
	square := float64(dist.Dot(own, own))
	a.rows.Widen(slot, s.codes)
	a.rows.Scores(s.codes, s.fresh, n, s.scores)
	var sum float64
	for _, score := range s.scores[:n] {
		sum += math.Sqrt(max(2*square-2*float64(score*a.scale(slot)), 0))
	}
	return float32(sum / float64(n))
}

// relink chooses the links of a slot anew, after a move so small that its new neighbours are near its old ones: the
// search for them begins there.
func (g *Graph) relink(s *scratch, slot uint32, vec []float32) {
	a := s.arena
	s.ask(vec)
	for level := int(a.levels[slot]); level >= 0; level-- {
		s.begin()
		s.visited[slot] = s.epoch
		s.pool = s.pool[:0]
		list := a.links(slot, level)
		n := a.rows.Unvisited(list, s.visited, s.epoch, s.fresh, &list[0])
		a.rows.Scores(s.query, s.fresh, n, s.scores)
		s.present = s.present[:0]
		for i, score := range s.scores[:n] {
			key := keyOf(score, s.fresh[i])
			s.present = append(s.present, key)
			s.pool, _ = insert(s.pool, key, relinkEf)
		}
		if n == 0 {
			continue
		}
		s.explore(level, relinkEf)
		// The present links are candidates also if the search found enough nearer ones: those that lead far
		// away are the ones that hold the graph together.
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
		g.rejoin(s, slot, level, n)
	}
}

// relinkWhereItIs chooses the links of a slot anew that did not move itself, if it is in use.
func (g *Graph) relinkWhereItIs(s *scratch, slot uint32) {
	if _, ok := s.arena.read(slot, s.vector); ok {
		g.relink(s, slot, s.vector)
	}
}

// rejoin replaces the list of a slot by a choice from s.keys, of no fewer links than it had, and links back.
func (g *Graph) rejoin(s *scratch, slot uint32, level, had int) {
	list := s.arena.links(slot, level)
	s.choose(nil, len(list), max(had, g.cfg.M), s.unit)
	s.picked = append(s.picked[:0], s.chosen...)

	if !g.settle(s, slot, level) {
		return
	}
	for _, key := range s.picked[:min(len(s.picked), g.cfg.M)] {
		g.connect(s, slotOf(key), slot, level)
	}
}

// rewrite replaces a list, which held s.before, by s.chosen, less those that went meanwhile. The list's lock is held.
func (g *Graph) rewrite(s *scratch, list []uint32, level int) {
	a := s.arena
	kept := s.chosen[:0]
	for _, key := range s.chosen {
		other := slotOf(key)
		if find(s.before, other) < 0 {
			add(a.in(other, level))
			if !a.is(other, linkable) {
				sub(a.in(other, level))
				continue
			}
		}
		kept = append(kept, key)
	}
	s.chosen = kept
	g.replace(s, list, s.before, none, level)
}
