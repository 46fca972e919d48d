package topk

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"kilim/annindex"
	"kilim/rerank"
	"kilim/rerank/topk/bound"
)

// Query is the artifact, stored or not, whose lists are asked for.
type Query struct {
	Node     uint64
	Evidence *rerank.Evidence
	Vector   []float32
}

// found is a query with its candidates, scored. kept is its own evidence meanwhile.
type found struct {
	Query
	kept       *kept
	candidates []candidate
	// before are candidates that were there before bounds found others, or that a link has led to, see search.everyone.
	before map[uint64]struct{}
}

type candidate struct {
	node uint64
	// kept is the candidate's evidence until it is scored, and least what it takes to get into its stored lists.
	kept  *kept
	least least
	// near is true for those that the index found, in its order.
	near bool
	// score is by all evidence, of which parts are the parts; cosine is that of the embeddings as the index has it.
	cosine, score float32
	parts         rerank.Parts
}

// in is the score by which the named list is ordered.
func (c *candidate) in(list string) float32 {
	if list == rerank.ListGeneral {
		return c.cosine
	}
	return c.score
}

// entry is an artifact as it stands in the named list of the other: the candidate in the query's, or the query in the candidate's.
func (c *candidate) entry(list, id string) rerank.Entry {
	return rerank.Entry{ID: id, Score: c.in(list), Parts: c.parts}
}

// search is both stages, for whoever asks: a Pass, which stores the lists of many, and Lists.Search, which answers with
// one. A search is what the two have not in common:
//
//   - A pass sees its own unit's changes, and index and graph agree in it. An answer sees committed state, and the
//     index may be a unit ahead: what the graph does not have yet (or any more) is left out.
//   - A pass takes evidence that was weighed nearly now from the cache, and keeps what it weighs. An answer weighs a copy with the
//     weights of now and keeps nothing: what it reads may be older than what the unit at work puts into the cache.
//   - An answer may be wanted among some artifacts only, and may be longer than the stored lists.
//
// What both do once, in the same way, is below: so an answer of no more than Config.Candidates/2 entries finds the artifacts that a
// pass at the same state would store.
//
// Every candidate is scored to the end. Words are most of the work, and with all else known 96 of 100 candidates could still
// reach the query's list or their own; with half of the words known, and what the rest can add bounded by its length, 71 could
// (4,000 records of Walters). To stop there would spare a seventh of the words.
type search struct {
	l *Lists
	g Reader
	// limit is the number of the nearest, and of as many others.
	limit int
	// weighed returns an artifact of the graph, to be scored.
	weighed func(node uint64) (*kept, error)
	// usable leaves candidates out; nil: none.
	usable func(node uint64) (bool, error)
	// table finds candidates such that nobody is missed, nil: the index and the graph do.
	table *bound.Table
	// keep leaves candidates out that table would find; nil: none.
	keep func(node uint64) bool

	// These are memory that each query uses anew.
	seen   map[uint64]struct{}
	all    []candidate
	vector []float32
}

// stage1 completes each query's nearest to its candidates.
func (s *search) stage1(queries []Query, nearest [][]annindex.Hit) ([]*found, error) {
	s.seen = make(map[uint64]struct{}, 2*s.limit)
	out := make([]*found, len(queries))
	for i, q := range queries {
		candidates, err := s.candidates(&q, nearest[i])
		if err != nil {
			return nil, err
		}
		out[i] = &found{Query: q, candidates: candidates}
	}
	return out, nil
}

// score does what is left to do when the queries' own evidence is weighed: stage 2 and, where a table finds the candidates, stage 1
// in turns with it, see everyone.
// total and general are how long these lists are.
func (s *search) score(all []*found, total, general int, offered bool) error {
	if s.table == nil {
		return s.stage2(all)
	}
	return s.everyone(all, total, general, offered)
}

// stage2 scores the candidates of those whose own evidence is weighed.
func (s *search) stage2(all []*found) error {
	for _, f := range all {
		if err := s.weigh(f, 0); err != nil {
			return err
		}
	}
	each(all, func(_ int, f *found) { s.l.score(f, 0) })
	return nil
}

// each calls fn for all, on all cores.
func each[T any](all []T, fn func(i int, one T)) {
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, one := range all {
		g.Go(func() error {
			fn(i, one)
			return nil
		})
	}
	_ = g.Wait() // the functions return nil
}

// touchedAtOnce is the number of candidates that are fetched from memory at the same time: what they take fits into the processor's
// first cache beside the query's tables.
const touchedAtOnce = 8

// score scores the candidates of a query from the given one on.
func (l *Lists) score(f *found, from int) {
	c := l.comparisons.Get().(*rerank.Comparison)
	defer l.comparisons.Put(c)
	c.Begin(l.scorer, &f.kept.Prepared)
	for some := range slices.Chunk(f.candidates[from:], touchedAtOnce) {
		for i := range some {
			c.Touch(&some[i].kept.Prepared)
		}
		for i := range some {
			to := &some[i]
			to.score, to.parts = c.Score(&to.kept.Prepared, to.cosine)
		}
	}
}

// candidates unites the nearest by embedding with those that share rare entities and those linked, at most limit
// of the first and as many of the others. Words and shared makers find relatives that an embedding has blurred.
func (s *search) candidates(q *Query, hits []annindex.Hit) ([]candidate, error) {
	clear(s.seen)
	s.all = s.all[:0]
	s.seen[q.Node] = struct{}{}
	for _, h := range hits {
		if _, ok := s.seen[h.ID]; !ok && len(s.all) < s.limit {
			s.seen[h.ID] = struct{}{}
			s.all = append(s.all, candidate{node: h.ID, cosine: h.Score, near: true})
		}
	}
	s.vector = slices.Grow(s.vector[:0], len(q.Vector))[:len(q.Vector)]
	add := func(node uint64) bool {
		if _, ok := s.seen[node]; !ok {
			s.seen[node] = struct{}{}
			// What has no vector is a placeholder, or departed in this very unit.
			if s.l.index.Vector(node, s.vector) {
				s.all = append(s.all, candidate{node: node, cosine: annindex.Dot(q.Vector, s.vector)})
			}
		}
		return len(s.all) < 2*s.limit
	}
	for _, node := range q.Evidence.Links {
		add(node)
	}
	if err := s.g.LinkedFrom(q.Node, add); err != nil {
		return nil, err
	}
	shared, err := s.rare(q.Evidence.Entities)
	if err != nil {
		return nil, err
	}
	for _, e := range shared {
		if len(s.all) >= 2*s.limit {
			break
		}
		if err := s.g.Sharing(e, add); err != nil {
			return nil, err
		}
	}
	return slices.Clone(s.all), nil
}

// rare returns the entities that few artifacts share, the rarest first.
func (s *search) rare(entities []uint64) ([]Entity, error) {
	out := make([]Entity, 0, len(entities))
	for _, node := range entities {
		e, ok, err := s.g.Entity(node)
		if err != nil {
			return nil, err
		}
		if ok && e.Members <= s.l.cfg.RareMembers {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b Entity) int {
		return cmp.Or(cmp.Compare(a.Members, b.Members), cmp.Compare(a.Node, b.Node))
	})
	return out, nil
}

// weigh sees to it that the candidates from the given one on can be scored.
func (s *search) weigh(f *found, from int) error {
	scored := f.candidates[:from]
	for _, c := range f.candidates[from:] {
		if s.usable != nil {
			ok, err := s.usable(c.node)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
		}
		k, err := s.weighed(c.node)
		if errors.Is(err, ErrLost) {
			continue
		}
		if err != nil {
			return err
		}
		if c.kept = k; s.table == nil {
			c.least = k.least
		} else {
			c.least[0], c.least[1] = s.table.Least(c.node)
		}
		scored = append(scored, c)
	}
	f.candidates = scored
	return nil
}

// list cuts one list of k entries. The general list has the nearest only: whom another way led to is near by chance.
func (f *found) list(name string, k int) []rerank.Entry {
	if k < 1 || len(f.candidates) == 0 {
		return nil
	}
	out := make([]rerank.Entry, 0, min(k, len(f.candidates)))
	for i := range f.candidates {
		c := &f.candidates[i]
		if !c.near && name == rerank.ListGeneral {
			continue
		}
		if len(out) < k || out[k-1].Score <= c.in(name) { // most are below, which needs no entry to tell
			out = rerank.Insert(out, c.entry(name, c.kept.ID), k)
		}
	}
	return out
}

// release lets go of what is kept, which may be given up then.
func (f *found) release() {
	f.kept = nil
	for i := range f.candidates {
		f.candidates[i].kept = nil
	}
}

// Query returns the query for a stored artifact; ok is false when there is none.
func (l *Lists) Query(g Reader, node uint64) (q Query, ok bool, err error) {
	a, ok, err := g.Artifact(node)
	if err != nil || !ok {
		return Query{}, false, err
	}
	// What is read is not kept: g may be older than what the cache is of.
	e := l.cache.evidence(node)
	if e == nil {
		if e, err = g.Evidence(node); err != nil {
			return Query{}, false, err
		}
	}
	return Query{Node: node, Evidence: e, Vector: a.Embedding}, true, nil
}

// Search computes a list of k entries among the artifacts that keep allows (nil: all). g is committed state.
func (l *Lists) Search(g Reader, q Query, list string, k int, keep func(node uint64) bool) ([]rerank.Entry, error) {
	if err := l.Known(list); err != nil || k < 1 {
		return nil, err
	}
	l.everyone.lock.RLock()
	defer l.everyone.lock.RUnlock()
	own := newCache(math.MaxInt, 0)
	known := newWeights(g, l.words)
	var weights rerank.Weights = known
	s := &search{l: l, g: g, limit: max(l.cfg.Candidates, 2*k), table: l.everyone.table, keep: keep}
	if s.table != nil { // whose bounds hold for what its epoch weighs
		weights = s.table
	}
	s.weighed = func(node uint64) (*kept, error) {
		c := l.cache.copyTo(own, node)
		if c == nil {
			e, err := g.Evidence(node)
			if err != nil {
				return nil, err
			}
			c = own.put(node, e)
		}
		c.Weigh(weights)
		return c, nil
	}
	s.usable = func(node uint64) (bool, error) {
		if keep != nil && !keep(node) {
			return false, nil
		}
		_, ok, err := g.Artifact(node)
		return ok, err
	}
	hits, err := l.index.Search(q.Vector, s.limit+1, keep) // one more: the artifact itself may be the nearest
	if err != nil {
		return nil, fmt.Errorf("topk: search: %w", err)
	}
	all, err := s.stage1([]Query{q}, [][]annindex.Hit{hits})
	if err != nil {
		return nil, err
	}
	l.reading.Lock()
	defer l.reading.Unlock()
	all[0].kept = own.put(q.Node, q.Evidence)
	all[0].kept.Weigh(weights)
	if err := s.score(all, k, k, false); err != nil {
		return nil, err
	}
	if known.err != nil {
		return nil, known.err
	}
	return all[0].list(list, k), nil
}
