package pipeline

import (
	"fmt"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"kilim/annindex"
	"kilim/graphstore"
	"kilim/rerank"
)

// ranking is one artifact with the candidates that stage 2 scores.
type ranking struct {
	id         graphstore.NodeID
	vector     []float32
	candidates []candidate
	lists      rerank.Lists
}

type candidate struct {
	id     graphstore.NodeID
	cosine float32
	// near is true for those that the index found, in its order.
	near  bool
	entry rerank.Entry
}

// rank computes the lists of what arrived and of what had moved, and carries the
// consequences to the lists of others; of those that must be computed anew for it, at most budget.
func (u *unit) rank(moved []graphstore.NodeID, budget int) error {
	ids := slices.Concat(moved, u.order)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	set := make(map[graphstore.NodeID]struct{}, len(ids))
	for _, id := range ids {
		set[id] = struct{}{}
	}
	rankings, err := u.fresh(ids)
	if err != nil {
		return err
	}
	again := map[graphstore.NodeID]struct{}{}
	for _, r := range rankings {
		if err := u.carry(r, set, again); err != nil {
			return err
		}
	}
	for id, a := range u.departed {
		if err := u.withdraw(id, a.id, set, again); err != nil {
			return err
		}
	}
	return u.rankAgain(again, budget)
}

// rankAgain computes in full the lists that lost an entry: only a search can
// tell who comes up. What exceeds the budget follows in the background, first of all.
func (u *unit) rankAgain(again map[graphstore.NodeID]struct{}, budget int) error {
	ids := make([]graphstore.NodeID, 0, len(again))
	for id := range again {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	if len(ids) > budget {
		for _, id := range ids[budget:] {
			u.lists[id].new.rankedAt, u.lists[id].ranked = never, true
		}
		ids = ids[:budget]
	}
	_, err := u.fresh(ids)
	return err
}

// fresh computes the lists of artifacts in full, as of now.
func (u *unit) fresh(ids []graphstore.NodeID) ([]*ranking, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	e := u.e
	u.weigh()
	rankings := make([]*ranking, len(ids))
	vectors := make([][]float32, len(ids))
	for i, id := range ids {
		n, err := u.tx.Node(id)
		if err != nil {
			return nil, err
		}
		vectors[i] = n.Embedding
		rankings[i] = &ranking{id: id, vector: n.Embedding}
	}
	hits, err := e.index.SearchMany(vectors, e.cfg.Candidates+1)
	if err != nil {
		return nil, fmt.Errorf("pipeline: search: %w", err)
	}
	for i, r := range rankings {
		ev, err := e.evidenceOf(u.tx, r.id)
		if err != nil {
			return nil, err
		}
		if r.candidates, err = e.candidates(u.tx, r.id, ev, r.vector, hits[i], e.cfg.Candidates); err != nil {
			return nil, err
		}
		if err := u.prepareAll(r); err != nil {
			return nil, err
		}
	}
	if u.weights.err != nil {
		return nil, u.weights.err
	}
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, r := range rankings {
		g.Go(func() error {
			u.score(r)
			return nil
		})
	}
	_ = g.Wait() // the functions return nil
	for _, r := range rankings {
		l, err := u.listing(r.id)
		if err != nil {
			return nil, err
		}
		l.new.lists, l.new.rankedAt = r.lists, e.clock.rank
		l.touched, l.ranked = true, true
	}
	return rankings, nil
}

// candidates unites the nearest by embedding with those that share rare
// entities and those linked, at most limit of the first and as many of the others: words and shared makers find relatives that an embedding has blurred.
func (e *Engine) candidates(g nodes, self graphstore.NodeID, ev *rerank.Evidence, vector []float32, hits []annindex.Hit, limit int) ([]candidate, error) {
	out := make([]candidate, 0, len(hits)+64)
	seen := make(map[graphstore.NodeID]struct{}, len(hits)+64)
	seen[self] = struct{}{}
	for _, h := range hits {
		id := graphstore.NodeID(h.ID)
		if _, ok := seen[id]; !ok && len(out) < limit {
			seen[id] = struct{}{}
			out = append(out, candidate{id: id, cosine: h.Score, near: true})
		}
	}
	buf := make([]float32, len(vector))
	add := func(id graphstore.NodeID) {
		if _, ok := seen[id]; ok {
			return
		}
		seen[id] = struct{}{}
		// What has no vector is a placeholder, or departed in this very unit.
		if e.index.Vector(uint64(id), buf) {
			out = append(out, candidate{id: id, cosine: annindex.Dot(vector, buf)})
		}
	}
	for _, id := range ev.Links {
		add(graphstore.NodeID(id))
	}
	if err := g.EdgesOf(self, graphstore.RelLink|graphstore.Inverse, func(edge graphstore.Edge) bool {
		add(edge.To)
		return len(out) < 2*limit
	}); err != nil {
		return nil, err
	}
	shared := make([]*graphstore.Node, 0, len(ev.Entities))
	for _, id := range ev.Entities {
		n, err := g.Node(graphstore.NodeID(id))
		if err != nil {
			return nil, err
		}
		if n != nil && int(n.Members) <= e.cfg.RareMembers {
			shared = append(shared, n)
		}
	}
	rarest(shared)
	for _, n := range shared {
		if len(out) >= 2*limit {
			break
		}
		err := g.EdgesOf(n.ID, graphstore.Relation(n.Type)|graphstore.Inverse, func(edge graphstore.Edge) bool {
			add(edge.To)
			return len(out) < 2*limit
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (u *unit) prepareAll(r *ranking) error {
	if err := u.prepareEvidence(r.id); err != nil {
		return err
	}
	for i := range r.candidates {
		if err := u.prepareEvidence(r.candidates[i].id); err != nil {
			return err
		}
	}
	return nil
}

func (u *unit) prepareEvidence(id graphstore.NodeID) error {
	if u.e.prepared.has(id, u.e.clock.encode) {
		return nil
	}
	ev, err := u.e.evidenceOf(u.tx, id)
	if err != nil {
		return err
	}
	u.e.evidence.Add(id, ev)
	u.e.prepared.put(id, u.e.clock.encode, rerank.Prepare(ev, u.weights))
	return nil
}

// weigh makes weights of the state that the unit sees.
func (u *unit) weigh() {
	if u.weights != nil {
		return
	}
	u.weights = newWeights(u.tx, u.e.table)
	u.e.prepared.bound()
}

// score is stage 2, and cuts both lists.
func (u *unit) score(r *ranking) {
	e := u.e
	self := e.prepared.get(r.id)
	total := make([]rerank.Entry, len(r.candidates))
	var general []rerank.Entry
	for i := range r.candidates {
		c := &r.candidates[i]
		c.entry = e.entry(self, e.prepared.get(c.id), c.cosine)
		total[i] = c.entry
		if c.near {
			g := c.entry
			g.Score = c.cosine
			general = append(general, g)
		}
	}
	r.lists = rerank.Lists{
		{Name: rerank.ListTotal, Entries: rerank.TopK(total, e.cfg.ListSize)},
		{Name: rerank.ListGeneral, Entries: rerank.TopK(general, e.cfg.ListSize)},
	}
}

func (e *Engine) entry(a, b *rerank.Prepared, cosine float32) rerank.Entry {
	score, parts := e.scorer.ScorePrepared(a, b, cosine)
	return rerank.Entry{ID: b.ID(), Score: score, Parts: parts}
}
