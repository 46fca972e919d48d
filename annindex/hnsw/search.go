package hnsw

import (
	"cmp"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"kilim/annindex/internal/ann"
	"kilim/annindex/internal/dist"
)

// packEntry and entryOf make an arena.entry and take it apart.
func packEntry(slot uint32, level int) uint64 { return uint64(level)<<32 | uint64(slot) }

func entryOf(e uint64) (slot uint32, level int) { return uint32(e), int(e >> 32) }

// descend walks from the entry down to the level bottom and returns, as a key, the slot nearest to the query that a
// greedy search finds on each level above bottom (Algorithm 2 with ef = 1), and the level of the entry. Not ok for an
// empty graph.
func (s *scratch) descend(bottom int) (key uint64, top int, ok bool) {
	a := s.arena
	slot, top := entryOf(a.entry.Load())
	if slot == none {
		return 0, 0, false
	}
	s.chosenSlots[0] = slot
	a.rows.Scores(s.query, s.chosenSlots, 1, s.chosenScores)
	key = keyOf(s.chosenScores[0], slot)
	for level := top; level > bottom; level-- {
		s.clearVisited()
		for moved := true; moved; {
			moved = false
			list := a.links(slotOf(key), level)
			n := a.rows.Unvisited(list, s.visited, s.stamp, s.batch, &list[0])
			a.rows.Scores(s.query, s.batch, n, s.batchScores)
			for i, score := range s.batchScores[:n] {
				if k := keyOf(score, s.batch[i]); k > key {
					key, moved = k, true
				}
			}
		}
	}
	return key, top, true
}

// searchLevel fills s.pool with the ef slots nearest to the query that a search on one level finds (Algorithm 2). The
// search begins at the slots that are in s.pool already, which the caller has marked as visited. s.pool is both lists
// of the paper, candidates and results: a candidate that is not among the ef best found so far would end the search
// anyway.
func (s *scratch) searchLevel(level, ef int) {
	a, pool, next := s.arena, s.pool, 0
	for next < len(pool) {
		list := a.links(slotOf(pool[next]), level)
		pool[next] |= followed
		next++
		ahead := list
		if next < len(pool) {
			ahead = a.links(slotOf(pool[next]), level)
		}
		n := a.rows.Unvisited(list, s.visited, s.stamp, s.batch, &ahead[0])
		a.rows.Scores(s.query, s.batch, n, s.batchScores)
		for i, score := range s.batchScores[:n] {
			key := keyOf(score, s.batch[i])
			if len(pool) == ef && key < pool[ef-1] {
				continue
			}
			var at int
			if pool, at = insert(pool, key, ef); at < next {
				next = at
			}
		}
		for next < len(pool) && pool[next]&followed != 0 {
			next++
		}
	}
	s.pool = pool
}

// startAt makes one slot the only candidate of the next searchLevel.
func (s *scratch) startAt(key uint64) {
	s.clearVisited()
	s.visited[slotOf(key)] = s.stamp
	s.pool = append(s.pool[:0], key&^followed)
}

// startAtPool makes s.pool, found on one level, the candidates of searchLevel on the next.
func (s *scratch) startAtPool() {
	s.clearVisited()
	for i, key := range s.pool {
		s.visited[slotOf(key)] = s.stamp
		s.pool[i] = key &^ followed
	}
}

// walk fills s.pool with the ef slots nearest to the query that a search from the entry finds on the lowest level
// (Algorithm 5). On the level above it keeps up to upperEf candidates, no more than ef. It returns false for an empty
// graph.
func (s *scratch) walk(upperEf, ef int) bool {
	key, top, ok := s.descend(1)
	if !ok {
		return false
	}
	s.startAt(key)
	if top > 0 {
		s.searchLevel(1, upperEf)
		s.startAtPool()
	}
	s.searchLevel(0, ef)
	return true
}

// collect adds to s.hits the slots of s.pool that are live and that keep allows, with their exact scores. It scores all
// vectors first and then reads again each that changed meanwhile (arena.read), so an id and its score belong together.
func (s *scratch) collect(vec []float32, keep func(uint64) bool) {
	a, n := s.arena, len(s.pool)
	s.slots, s.states = s.slots[:0], s.states[:0]
	for _, key := range s.pool {
		slot := slotOf(key)
		s.slots = append(s.slots, slot)
		s.states = append(s.states, a.state(slot))
	}
	if cap(s.exact) < n {
		s.exact = make([]float32, 2*n)
	}
	exact := s.exact[:n]
	dist.DotRows(vec, a.vectors, a.vectorStride, s.slots, exact)
	for i, slot := range s.slots {
		state := s.states[i]
		if state&live == 0 {
			continue
		}
		hit := ann.Hit{ID: a.id(slot), Score: exact[i]}
		if state&writing != 0 || a.state(slot) != state {
			id, ok := a.read(slot, s.vector)
			if !ok {
				continue
			}
			hit = ann.Hit{ID: id, Score: dist.Dot(vec, s.vector)}
		}
		if keep == nil || keep(hit.ID) {
			s.hits = append(s.hits, hit)
		}
	}
}

// appendBest appends the k best of hits to dst, in order. It may sort hits.
func appendBest(dst, hits []ann.Hit, k int) []ann.Hit {
	if k >= 32 {
		slices.SortFunc(hits, ann.Compare)
		return append(dst, hits[:min(k, len(hits))]...)
	}
	from := len(dst)
	for _, h := range hits {
		at := len(dst)
		if at-from == k {
			if at--; !ann.Better(h, dst[at]) {
				continue
			}
		} else {
			dst = append(dst, h)
		}
		for ; at > from && ann.Better(h, dst[at-1]); at-- {
			dst[at] = dst[at-1]
		}
		dst[at] = h
	}
	return dst
}

// level1Ef is the number of candidates that a search keeps on the level above the lowest. With one, as in the paper, a
// query that is near to nothing ends in a wrong cluster now and then, and more often after all vectors have been
// replaced: of 10,000 queries of walters-svd-128 at ef 14, in the ten rounds of a turnover, 80 to 100 find less than
// half of their neighbours with 3, some 80 with 6 and 50 to 70 with 12; in graphs built anew 60.
const level1Ef = 12

// SearchInto appends to dst the k nearest that a search with max(k, ef) candidates finds:
// best first, ties by the smaller id. It allocates nothing if dst has room for them.
func (g *Graph) SearchInto(dst []ann.Hit, vec []float32, k, ef int) ([]ann.Hit, error) {
	if err := ann.CheckVector(vec, g.cfg.Dim); err != nil {
		return dst, err
	}
	if err := ann.CheckK(k); err != nil {
		return dst, err
	}
	s := g.scratch()
	defer g.release(s)
	return g.search(s, dst, vec, k, max(k, ef), nil, g.arena.Load()), nil
}

// search appends to dst the k nearest that keep allows among ef candidates. If fewer than k of these are live and
// allowed, search doubles ef, and compares with all vectors (scan) once that costs less.
func (g *Graph) search(s *scratch, dst []ann.Hit, vec []float32, k, ef int, keep func(uint64) bool, a *arena) []ann.Hit {
	s.fit(a)
	s.setQuery(vec)
	relocations := g.relocations.Load()
	for {
		if !s.walk(level1Ef, max(ef, level1Ef)) {
			return dst
		}
		s.hits = s.hits[:0]
		s.collect(vec, keep)
		n := g.Len()
		if len(s.hits) >= k || len(s.hits) >= n {
			break
		}
		if ef *= 2; ef*followCost > n {
			return g.scan(s, dst, vec, k, keep, a)
		}
	}
	if g.relocations.Load() != relocations {
		s.hits = distinct(s.hits)
	}
	return appendBest(dst, s.hits, k)
}

// distinct drops all but the best of the hits with the same id: a search that goes on while a vector is inserted at a
// new slot may find it at both slots.
func distinct(hits []ann.Hit) []ann.Hit {
	slices.SortFunc(hits, func(a, b ann.Hit) int {
		if c := cmp.Compare(a.ID, b.ID); c != 0 {
			return c
		}
		return cmp.Compare(b.Score, a.Score)
	})
	return slices.CompactFunc(hits, func(a, b ann.Hit) bool { return a.ID == b.ID })
}

// Search implements annindex.Index, with max(Config.Ef, 3/2 k) candidates.
func (g *Graph) Search(vec []float32, k int, keep func(uint64) bool) ([]ann.Hit, error) {
	if err := ann.CheckVector(vec, g.cfg.Dim); err != nil {
		return nil, err
	}
	if err := ann.CheckK(k); err != nil {
		return nil, err
	}
	s := g.scratch()
	defer g.release(s)
	return g.searchOrScan(s, make([]ann.Hit, 0, min(k, g.Len())), vec, k, keep), nil
}

// SearchExact implements annindex.Index by scan, on one core.
func (g *Graph) SearchExact(vec []float32, k int, keep func(uint64) bool) ([]ann.Hit, error) {
	if err := ann.CheckVector(vec, g.cfg.Dim); err != nil {
		return nil, err
	}
	if err := ann.CheckK(k); err != nil {
		return nil, err
	}
	s := g.scratch()
	defer g.release(s)
	return g.scan(s, make([]ann.Hit, 0, min(k, g.Len())), vec, k, keep, g.arena.Load()), nil
}

// SearchMany implements annindex.Index. The cores share the queries, each of which is asked as by Search.
func (g *Graph) SearchMany(vecs [][]float32, k int) ([][]ann.Hit, error) {
	if err := ann.CheckMany(vecs, k, g.cfg.Dim); err != nil {
		return nil, err
	}
	out := make([][]ann.Hit, len(vecs))
	var next atomic.Int64
	work := func() {
		s := g.scratch()
		defer g.release(s)
		for i := next.Add(1) - 1; i < int64(len(vecs)); i = next.Add(1) - 1 {
			out[i] = g.searchOrScan(s, make([]ann.Hit, 0, min(k, g.Len())), vecs[i], k, nil)
		}
	}
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(vecs)) - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
	return out, nil
}
