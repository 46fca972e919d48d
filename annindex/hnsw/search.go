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

// entryOf takes the arena's entry apart.
func entryOf(e uint64) (slot uint32, level int) { return uint32(e), int(e >> 32) }

// descend walks from the entry to the slot nearest to the query that a greedy search finds on
// each level above bottom (Algorithm 2 with ef = 1). Not ok for an empty graph.
func (s *scratch) descend(bottom int) (key uint64, top int, ok bool) {
	a := s.arena
	slot, top := entryOf(a.entry.Load())
	if slot == none {
		return 0, 0, false
	}
	s.some[0] = slot
	a.rows.Scores(s.query, s.some, 1, s.marks)
	key = keyOf(s.marks[0], slot)
	for level := top; level > bottom; level-- {
		s.begin()
		for moved := true; moved; {
			moved = false
			list := a.links(slotOf(key), level)
			n := a.rows.Unvisited(list, s.visited, s.epoch, s.fresh, &list[0])
			a.rows.Scores(s.query, s.fresh, n, s.scores)
			for i, score := range s.scores[:n] {
				if k := keyOf(score, s.fresh[i]); k > key {
					key, moved = k, true
				}
			}
		}
	}
	return key, top, true
}

// explore fills the pool with the ef slots nearest to the query that are found on a level from
// those already in the pool, which are marked as visited (Algorithm 2). Candidates and results are one list: a candidate that
// is not among the ef best found so far would end the search anyway.
func (s *scratch) explore(level, ef int) {
	a, pool, next := s.arena, s.pool, 0
	for next < len(pool) {
		list := a.links(slotOf(pool[next]), level)
		pool[next] |= followed
		next++
		ahead := list
		if next < len(pool) {
			ahead = a.links(slotOf(pool[next]), level)
		}
		n := a.rows.Unvisited(list, s.visited, s.epoch, s.fresh, &ahead[0])
		a.rows.Scores(s.query, s.fresh, n, s.scores)
		for i, score := range s.scores[:n] {
			key := keyOf(score, s.fresh[i])
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

// start makes a slot the only candidate.
func (s *scratch) start(key uint64) {
	s.begin()
	s.visited[slotOf(key)] = s.epoch
	s.pool = append(s.pool[:0], key&^followed)
}

// restart makes the pool, found on one level, the candidates on the next.
func (s *scratch) restart() {
	s.begin()
	for i, key := range s.pool {
		s.visited[slotOf(key)] = s.epoch
		s.pool[i] = key &^ followed
	}
}

// walk fills the pool with the ef slots nearest to the query that a search from the entry finds on the lowest level
// (Algorithm 5), with some candidates on the level above, no more than ef. Not so, and false, in an empty graph.
func (s *scratch) walk(above, ef int) bool {
	key, top, ok := s.descend(1)
	if !ok {
		return false
	}
	s.start(key)
	if top > 0 {
		s.explore(1, above)
		s.restart()
	}
	s.explore(0, ef)
	return true
}

// collect adds to s.hits the pool's slots that are live and that keep allows, with their exact scores.
// Vectors that change meanwhile are read again: an id and its score belong together.
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

// best adds the k best to dst, in order. It changes the order of hits.
func best(dst, hits []ann.Hit, k int) []ann.Hit {
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

// starts is the number of candidates that a search keeps on the level above the lowest. With one, as in the paper, a query that
// is near to nothing ends in a wrong cluster now and then, and more often after all vectors have been replaced: of 10,000 queries
// of walters-svd-128 at ef 14, in the ten rounds of a turnover, 80 to 100 find less than half of their neighbours with 3,
// some 80 with 6 and 50 to 70 with 12; in graphs built anew 60.
const starts = 12

// SearchInto adds to dst the k nearest that a search with ef candidates finds, ef at least k:
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

// search looks among ef candidates for the k nearest that keep allows. If there are too few among them (the others
// are not allowed, or dead) it looks among more, and among all when that costs less.
func (g *Graph) search(s *scratch, dst []ann.Hit, vec []float32, k, ef int, keep func(uint64) bool, a *arena) []ann.Hit {
	s.fit(a)
	s.ask(vec)
	moves := g.moves.Load()
	for {
		if !s.walk(starts, max(ef, starts)) {
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
	if g.moves.Load() != moves {
		s.hits = distinct(s.hits)
	}
	return best(dst, s.hits, k)
}

// distinct drops all but the best of the answers with the same id: a vector that is re-inserted
// while a search goes on may be found where it was and where it is.
func distinct(hits []ann.Hit) []ann.Hit {
	slices.SortFunc(hits, func(a, b ann.Hit) int {
		if c := cmp.Compare(a.ID, b.ID); c != 0 {
			return c
		}
		return cmp.Compare(b.Score, a.Score)
	})
	return slices.CompactFunc(hits, func(a, b ann.Hit) bool { return a.ID == b.ID })
}

// Search implements annindex.Index: with the configured ef, or 3/2 of k if that is more.
func (g *Graph) Search(vec []float32, k int, keep func(uint64) bool) ([]ann.Hit, error) {
	if err := ann.CheckVector(vec, g.cfg.Dim); err != nil {
		return nil, err
	}
	if err := ann.CheckK(k); err != nil {
		return nil, err
	}
	s := g.scratch()
	defer g.release(s)
	return g.find(s, make([]ann.Hit, 0, min(k, g.Len())), vec, k, keep), nil
}

// SearchExact implements annindex.Index. It takes one core.
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

// SearchMany implements annindex.Index: as Search, the queries shared among the cores.
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
			out[i] = g.find(s, make([]ann.Hit, 0, min(k, g.Len())), vecs[i], k, nil)
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
