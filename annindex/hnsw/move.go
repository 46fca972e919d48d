package hnsw

import (
	"math"
	"sync/atomic"

	"kilim/annindex/internal/dist"
)

// moveInPlace moves a vector within its slot, and returns whether it did: not if the id is not there or the move is
// longer than Config.ReinsertBeyond allows. The caller holds the id's lock.
func (g *Graph) moveInPlace(s *scratch, id uint64, vec []float32) bool {
	g.arenaLock.RLock()
	defer g.arenaLock.RUnlock()
	slot, ok := g.slotOf(id)
	if !ok {
		return false
	}
	a := g.arena.Load()
	s.fit(a)
	moved := distance(a.vector(slot), vec)
	spacing := g.spacing(s, slot)
	switch drift := a.drift[slot] + moved; {
	case moved > g.cfg.ReinsertBeyond*spacing:
		return false
	case drift <= g.cfg.RelinkBeyond*spacing:
		a.write(slot, id, vec, live|linkable, s.codes)
		a.drift[slot] = drift
	default:
		a.write(slot, id, vec, live|linkable, s.codes)
		a.drift[slot] = 0
		store(&a.neighbourDrift[slot], 0)
		s.addNeighbourDrift(slot, drift/spacing)
		g.relink(s, slot, vec)
		for _, other := range s.disturbed {
			g.relinkUnmoved(s, other)
		}
		g.keepReachable(s, slot)
	}
	return true
}

// neighbourDriftLimit is how far the neighbours of a slot may move, each in mean distances of its own neighbours and
// all added up, before moveInPlace relinks the slot. arena.neighbourDrift counts in steps of 1/neighbourDriftUnit.
//
// A slot that moves early in a round of moves chooses among neighbours that are still to move, and what it chose is
// poor when they have. Measured on a round in which all turn to a cosine of 0.98 of where they were (go run
// ./annindex/bench --tasks drift), at the ef that has a recall of 0.95 before, against a graph built anew: without
// relinking -0.018 on clustered-20k-128; with a limit of 5 -0.002, 6 -0.003, 7 -0.005, 9 -0.007. On walters-svd-128
// +0.001, -0.002, -0.003, -0.006. The lower the limit, the more slots are relinked, and each costs as much as a move.
const (
	neighbourDriftLimit = 6
	neighbourDriftUnit  = 1 << 10
)

// addNeighbourDrift adds part, the length of a slot's move in mean distances of its neighbours, to the neighbourDrift
// of each neighbour, and sets s.disturbed to those that have reached neighbourDriftLimit.
func (s *scratch) addNeighbourDrift(slot uint32, part float32) {
	a := s.arena
	s.disturbed = s.disturbed[:0]
	more := uint32(min(part, neighbourDriftLimit) * neighbourDriftUnit)
	list := a.links(slot, 0)
	for i := range list {
		other := load(&list[i])
		if other == none {
			break
		}
		if atomic.AddUint32(&a.neighbourDrift[other], more) >= neighbourDriftLimit*neighbourDriftUnit {
			store(&a.neighbourDrift[other], 0)
			s.disturbed = append(s.disturbed, other)
		}
	}
}

// distance returns the Euclidean distance of two vectors. It adds the parts in float64, so that rounding does not hide
// a short one.
func distance(a, b []float32) float32 {
	square := float64(dist.Dot(a, a)) + float64(dist.Dot(b, b)) - 2*float64(dist.Dot(a, b))
	return float32(math.Sqrt(max(square, 0)))
}

// spacing returns the mean distance of a slot from its neighbours on the lowest level, as if they were of the slot's
// length; 0 if it has none.
func (g *Graph) spacing(s *scratch, slot uint32) float32 {
	a := s.arena
	n := len(copyLinks(s.batch[:0], a.links(slot, 0)))
	if n == 0 {
		return 0
	}
	own := a.vector(slot)
	square := float64(dist.Dot(own, own))
	a.rows.Widen(slot, s.codes)
	a.rows.Scores(s.codes, s.batch, n, s.batchScores)
	var sum float64
	for _, score := range s.batchScores[:n] {
		sum += math.Sqrt(max(2*square-2*float64(score*a.scale(slot)), 0))
	}
	return float32(sum / float64(n))
}
