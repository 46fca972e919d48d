package hnsw

import (
	"math/rand/v2"
	"slices"

	"kilim/annindex/internal/ann"
)

// These are the costs that searchOrScan weighs, in units of the time that scan takes to look at one id: followCost to
// follow one candidate's links and score the slots that they lead to, scoreCost to score one vector exactly.
// BenchmarkFilters measures them; only their ratios matter.
const (
	followCost = 40
	scoreCost  = 3
)

// filterSample is the number of ids that sampleFilter asks a filter about.
const filterSample = 256

// searchOrScan searches the graph or compares with all vectors, whichever costs less. What scan finds is exact.
func (g *Graph) searchOrScan(s *scratch, dst []ann.Hit, vec []float32, k int, keep func(uint64) bool) []ann.Hit {
	a, n, ef := g.arena.Load(), g.Len(), max(g.cfg.Ef, k+k/2)
	if n <= g.cfg.ScanBelow {
		return g.scan(s, dst, vec, k, keep, a)
	}
	if keep == nil {
		return g.search(s, dst, vec, k, ef, nil, a)
	}
	tried, passed := a.sampleFilter(keep)
	if passed == 0 {
		return g.scan(s, dst, vec, k, keep, a)
	}
	// A search needs ef/share candidates to have ef that keep allows.
	share := float64(passed) / float64(tried)
	wide := float64(ef) / share
	if wide*followCost > float64(n)*(1+share*scoreCost) {
		return g.scan(s, dst, vec, k, keep, a)
	}
	return g.search(s, dst, vec, k, int(wide), keep, a)
}

// sampleFilter asks a filter about some of the live slots, and returns how many it asked about and how many passed.
func (a *arena) sampleFilter(keep func(uint64) bool) (tried, passed int) {
	// The seed is fixed so that a query that is asked twice gets the same answer.
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

// scan appends to dst the k nearest of all vectors that keep allows.
func (g *Graph) scan(s *scratch, dst []ann.Hit, vec []float32, k int, keep func(uint64) bool, a *arena) []ann.Hit {
	s.fit(a)
	relocations := g.relocations.Load()
	const batch = 256
	s.hits, s.pool = s.hits[:0], s.pool[:0]
	flush := func() {
		s.collect(vec, keep)
		s.pool = s.pool[:0]
		if g.relocations.Load() != relocations {
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
	return appendBest(dst, s.hits, k)
}
