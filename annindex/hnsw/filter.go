package hnsw

import (
	"math/rand/v2"
	"slices"

	"kilim/annindex/internal/ann"
)

// What a search costs, in the time it takes to look at one id: to follow one candidate's
// links and score those that they lead to, to score one vector exactly. Measured with
// BenchmarkFilters; only their ratio to one matters.
const (
	followCost = 40
	scoreCost  = 3
)

// filterSample is the number of ids on which a filter is tried.
const filterSample = 256

// find chooses between a walk in the graph and a look at all vectors, whichever costs less.
// What is found by the latter is exact.
func (g *Graph) find(s *scratch, dst []ann.Hit, vec []float32, k int, keep func(uint64) bool) []ann.Hit {
	a, n, ef := g.arena.Load(), g.Len(), max(g.cfg.Ef, k+k/2)
	if n <= g.cfg.ScanBelow {
		return g.scan(s, dst, vec, k, keep, a)
	}
	if keep == nil {
		return g.search(s, dst, vec, k, ef, nil, a)
	}
	tried, passed := a.try(keep)
	if passed == 0 {
		return g.scan(s, dst, vec, k, keep, a)
	}
	// Among ef/share candidates, ef are allowed.
	share := float64(passed) / float64(tried)
	wide := float64(ef) / share
	if wide*followCost > float64(n)*(1+share*scoreCost) {
		return g.scan(s, dst, vec, k, keep, a)
	}
	return g.search(s, dst, vec, k, int(wide), keep, a)
}

// try asks a filter about some of the living.
func (a *arena) try(keep func(uint64) bool) (tried, passed int) {
	// Always the same slots: a search that is asked twice should be answered the same way.
	rng := rand.New(rand.NewPCG(1, uint64(a.slots)))
	for range 4 * filterSample {
		slot := rng.Uint32N(uint32(a.slots))
		if !a.is(slot, live) {
			continue
		}
		tried++
		if keep(a.id(slot)) {
			passed++
		}
		if tried == filterSample {
			break
		}
	}
	return tried, passed
}

// scan compares with every vector that keep allows: exact.
func (g *Graph) scan(s *scratch, dst []ann.Hit, vec []float32, k int, keep func(uint64) bool, a *arena) []ann.Hit {
	s.fit(a)
	moves := g.moves.Load()
	const batch = 256
	s.hits, s.pool = s.hits[:0], s.pool[:0]
	flush := func() {
		s.collect(vec, keep)
		s.pool = s.pool[:0]
		if g.moves.Load() != moves {
			s.hits = distinct(s.hits)
		}
	}
	for slot := range uint32(a.slots) {
		if !a.is(slot, live) || keep != nil && !keep(a.id(slot)) {
			continue
		}
		s.pool = append(s.pool, keyOf(0, slot))
		if len(s.pool) == batch {
			flush()
			if len(s.hits) > 2*k+4*batch {
				slices.SortFunc(s.hits, ann.Compare)
				s.hits = s.hits[:k]
			}
		}
	}
	flush()
	return best(dst, s.hits, k)
}
