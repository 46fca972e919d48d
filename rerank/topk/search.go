package topk

import (
	"cmp"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"kilim/annindex"
	"kilim/rerank"
)

// Query is the artifact, stored or not, whose lists are asked for.
type Query struct {
	Node     uint64
	Evidence *rerank.Evidence
	Vector   []float32
}

// found is a query with its candidates, scored.
type found struct {
	Query
	prepared   *rerank.Prepared
	candidates []candidate
}

type candidate struct {
	node   uint64
	cosine float32
	// near is true for those that the index found, in its order.
	near     bool
	prepared *rerank.Prepared // until entry is computed
	entry    rerank.Entry
}

// search is both stages, for whoever asks: a Pass, which stores the lists of many, and Lists.Search, which answers with
// one. A search is what the two have not in common:
//
//   - A pass sees its own unit's changes, and index and graph agree in it. An answer sees committed state, and the
//     index may be a unit ahead: what the graph does not have yet (or any more) is left out.
//   - A pass takes evidence that is prepared and nearly of now from the cache, and keeps what it prepares. An answer prepares with the
//     weights of now and keeps nothing: what it reads may be older than what the unit at work puts into the cache.
//   - An answer may be wanted among some artifacts only, and may be longer than the stored lists.
//
// What both do once, in the same way, is below: so an answer of no more than Config.Candidates/2 entries finds the artifacts that a
// pass at the same state would store.
type search struct {
	l *Lists
	g Reader
	// limit is the number of the nearest, and of as many others.
	limit   int
	prepare func(node uint64, e *rerank.Evidence) (*rerank.Prepared, error)
	// usable leaves candidates out; nil: none.
	usable func(node uint64) (bool, error)
}

// stage1 completes each query's nearest to its candidates.
func (s *search) stage1(queries []Query, nearest [][]annindex.Hit) ([]*found, error) {
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

// stage2 scores the candidates, those of a few queries at a time: what is prepared of a candidate may be some 100 kB, and a pass
// has hundreds of queries with hundreds of candidates each.
func (s *search) stage2(all []*found) error {
	cores := runtime.GOMAXPROCS(0)
	for some := range slices.Chunk(all, 4*cores) {
		for _, f := range some {
			if err := s.prepareAll(f); err != nil {
				return err
			}
		}
		var g errgroup.Group
		g.SetLimit(cores)
		for _, f := range some {
			g.Go(func() error {
				for i := range f.candidates {
					c := &f.candidates[i]
					c.entry = s.l.entry(f.prepared, c.prepared, c.cosine)
					c.prepared = nil
				}
				return nil
			})
		}
		_ = g.Wait() // the functions return nil
	}
	return nil
}

// candidates unites the nearest by embedding with those that share rare entities and those linked, at most limit
// of the first and as many of the others. Words and shared makers find relatives that an embedding has blurred.
func (s *search) candidates(q *Query, hits []annindex.Hit) ([]candidate, error) {
	out := make([]candidate, 0, len(hits)+64)
	seen := make(map[uint64]struct{}, len(hits)+64)
	seen[q.Node] = struct{}{}
	for _, h := range hits {
		if _, ok := seen[h.ID]; !ok && len(out) < s.limit {
			seen[h.ID] = struct{}{}
			out = append(out, candidate{node: h.ID, cosine: h.Score, near: true})
		}
	}
	buf := make([]float32, len(q.Vector))
	add := func(node uint64) bool {
		if _, ok := seen[node]; !ok {
			seen[node] = struct{}{}
			// What has no vector is a placeholder, or departed in this very unit.
			if s.l.index.Vector(node, buf) {
				out = append(out, candidate{node: node, cosine: annindex.Dot(q.Vector, buf)})
			}
		}
		return len(out) < 2*s.limit
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
		if len(out) >= 2*s.limit {
			break
		}
		if err := s.g.Sharing(e, add); err != nil {
			return nil, err
		}
	}
	return out, nil
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

func (s *search) prepareAll(f *found) (err error) {
	if f.prepared, err = s.prepare(f.Node, f.Evidence); err != nil {
		return err
	}
	kept := f.candidates[:0]
	for _, c := range f.candidates {
		if s.usable != nil {
			ok, err := s.usable(c.node)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
		}
		c.prepared, err = s.prepare(c.node, nil)
		if errors.Is(err, ErrLost) {
			continue
		}
		if err != nil {
			return err
		}
		kept = append(kept, c)
	}
	f.candidates = kept
	return nil
}

// entry is b in a list of a.
func (l *Lists) entry(a, b *rerank.Prepared, cosine float32) rerank.Entry {
	score, parts := l.scorer.ScorePrepared(a, b, cosine)
	return rerank.Entry{ID: b.ID(), Score: score, Parts: parts}
}

// list cuts one list of k entries. The general list has the nearest only: whom another way led to is near by chance.
func (f *found) list(name string, k int) []rerank.Entry {
	entries := make([]rerank.Entry, 0, len(f.candidates))
	for i := range f.candidates {
		c := &f.candidates[i]
		if c.near || name != rerank.ListGeneral {
			entries = append(entries, score(name, c.entry, c.cosine))
		}
	}
	return rerank.TopK(entries, k)
}

// Query returns the query for a stored artifact; ok is false when there is none.
func (l *Lists) Query(g Reader, node uint64) (q Query, ok bool, err error) {
	a, ok, err := g.Artifact(node)
	if err != nil || !ok {
		return Query{}, false, err
	}
	e, err := l.evidenceOf(g, node)
	if err != nil {
		return Query{}, false, err
	}
	return Query{Node: node, Evidence: e, Vector: a.Embedding}, true, nil
}

// evidenceOf does not keep what it reads: g may be older than what the cache is of.
func (l *Lists) evidenceOf(g Reader, node uint64) (*rerank.Evidence, error) {
	if e, ok := l.evidence.get(node); ok {
		return e, nil
	}
	return g.Evidence(node)
}

// Search computes a list of k entries among the artifacts that keep allows (nil: all). g is committed state.
func (l *Lists) Search(g Reader, q Query, list string, k int, keep func(node uint64) bool) ([]rerank.Entry, error) {
	if err := l.Known(list); err != nil {
		return nil, err
	}
	limit := max(l.cfg.Candidates, 2*k)
	hits, err := l.index.Search(q.Vector, limit+1, keep) // one more: the artifact itself may be the nearest
	if err != nil {
		return nil, fmt.Errorf("topk: search: %w", err)
	}
	w := newWeights(g, l.words)
	s := &search{l: l, g: g, limit: limit,
		prepare: func(node uint64, e *rerank.Evidence) (_ *rerank.Prepared, err error) {
			if e == nil {
				if e, err = l.evidenceOf(g, node); err != nil {
					return nil, err
				}
			}
			return rerank.Prepare(e, w), nil
		},
		usable: func(node uint64) (bool, error) {
			if keep != nil && !keep(node) {
				return false, nil
			}
			_, ok, err := g.Artifact(node)
			return ok, err
		},
	}
	all, err := s.stage1([]Query{q}, [][]annindex.Hit{hits})
	if err != nil {
		return nil, err
	}
	l.reading.Lock()
	defer l.reading.Unlock()
	if err := s.stage2(all); err != nil {
		return nil, err
	}
	if w.err != nil {
		return nil, w.err
	}
	return all[0].list(list, k), nil
}
