package topk

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"kilim/rerank"
	"kilim/rerank/topk/stale"
)

// Mode is what becomes of lists that a pass makes.
type Mode uint8

const (
	// Serving: lists that change are published.
	Serving Mode = iota
	// Standby: lists are kept, and published when the state serves.
	Standby
	// Backfill: no list is computed, for each artifact that comes would change those of all others. They are due afterwards.
	Backfill
)

// Unit tells a pass about the unit of work that it is a part of.
type Unit struct {
	Mode Mode
	// Revision numbers the unit, from 1; the updates of the unit carry it.
	Revision uint64
	// Previous returns the row of an artifact in the state that served before, nil when it has none. Where this state has made lists and
	// not published them, their changes are counted from those that are published there, and their history goes on from its. nil: no
	// other state served before this one.
	Previous func(id string) (*Row, error)
	// At is the time since the Lists were made; it never goes back.
	At time.Duration
	// Linger is how long a change of the lists of an artifact that no record brought may wait to be published with what changes
	// them next, see Pass.Publish; 0: it does not wait, nor does what earlier passes left waiting.
	Linger time.Duration
	// Order is that in which lists are published; nil: they are as stated. Only where lists are published may there be one.
	Order Order
}

// Pass is what one unit of work does to lists. The order of calls: Arrived, Departed and Moved as the graph and the index
// change; TakeMoved, Recompute and Publish for what earlier passes left; then Rank once; then Write once.
type Pass struct {
	l    *Lists
	g    Graph
	unit Unit

	// arrived and departed, with its id, is what records changed; came and went are the same in the order of the calls, and
	// causes has the record of each id.
	arrived    map[uint64]struct{}
	departed   map[uint64]string
	came, went []uint64
	causes     map[string]rerank.Cause
	// lists are those that the pass has looked at or changed.
	lists map[uint64]*listing
	// recorded dates what the pass publishes.
	recorded time.Time
	// weights are those of the state that the pass sees; nil until it ranks.
	weights *weights
	// orderings is how many lists the Order has ordered.
	orderings int
	// marks are memory for setHolder.
	marks map[string]uint8
}

// listing is an artifact's lists on their way through a pass.
type listing struct {
	node uint64
	id   string
	// old is nil when the store has no lists of the artifact.
	old *Row
	new Row
	// least is what it takes to get into new.Lists.
	least least
	// touched is true when new.Lists were computed or changed, or are to be published; ranked when new.RankedAt was set, and
	// due when what is pending has waited long enough.
	touched, ranked, due bool
	// again is true when a record may have changed what the Order reads.
	again bool
}

// stored are the lists that the store has.
func (l *listing) stored() rerank.Lists {
	if l.old == nil {
		return nil
	}
	return l.old.Lists
}

// Begin starts a pass over g.
func (l *Lists) Begin(g Graph, unit Unit) *Pass {
	l.cache.begin()
	l.Follow(unit.Order)
	return &Pass{l: l, g: g, unit: unit, arrived: map[uint64]struct{}{}, departed: map[uint64]string{}, causes: map[string]rerank.Cause{},
		lists: map[uint64]*listing{}, marks: map[string]uint8{}}
}

// Arrived says that a record brought an artifact, new or anew.
func (p *Pass) Arrived(node uint64, e *rerank.Evidence, cause rerank.Cause) {
	p.l.cache.bound()
	p.l.cache.put(node, e)
	p.l.everyone.arrived(node, e)
	p.arrived[node] = struct{}{}
	p.causes[cause.ID] = cause
	p.came = append(p.came, node)
	if p.unit.Order != nil {
		p.unit.Order.Changed(cause.ID)
	}
}

// Departed says that an artifact was deleted. Its own lists end here; Rank takes it out of those of others.
func (p *Pass) Departed(node uint64, cause rerank.Cause) error {
	p.departed[node] = cause.ID
	p.causes[cause.ID] = cause
	p.went = append(p.went, node)
	p.l.everyone.departed(node)
	if p.unit.Order != nil {
		p.unit.Order.Changed(cause.ID)
	}
	row, err := p.row(node)
	if err != nil || row == nil {
		return err
	}
	p.setHolder(node, row.Lists, nil)
	p.l.holders.count(row, p.g.NodeOf, -1)
	return nil
}

// Moved says that an artifact's embedding moved. Small moves add up until they could show in a score: then its lists are
// due. No row is written for that: at the next start the drift tells the same.
func (p *Pass) Moved(node uint64, distance float64) error {
	p.l.everyone.hasMoved(node)
	if _, ok := p.arrived[node]; ok {
		return p.g.SetDrift(node, 0) // it is ranked in this pass
	}
	a, ok, err := p.g.Artifact(node)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("topk: node %d moved, which is not an artifact", node)
	}
	drift := a.Drift + distance
	if p.l.dueAt(0, drift) == stale.Never {
		p.l.ranked.Hurry(node)
	}
	return p.g.SetDrift(node, drift)
}

// TakeMoved returns those of nodes that have moved since they were ranked, for Rank to carry to the lists of others, and takes
// note of it.
func (p *Pass) TakeMoved(nodes []uint64) (moving []uint64, err error) {
	for _, node := range nodes {
		a, _, err := p.g.Artifact(node)
		if err != nil {
			return nil, err
		}
		if a.Drift == 0 {
			continue
		}
		if err := p.g.SetDrift(node, 0); err != nil {
			return nil, err
		}
		moving = append(moving, node)
	}
	return moving, nil
}

// Publish takes lists for Write to publish them as they are by then: up to unpublished of those that were made and not
// published, and, when a change has waited for Unit.Linger, up to lingered of those that have for half of that, the oldest
// first, or before that up to early of those that have for three quarters. It returns their number.
func (p *Pass) Publish(unpublished, lingered, early int) (taken int, err error) {
	var nodes []uint64
	if p.unit.Order != nil {
		unpublished, lingered = min(unpublished, mostTaken), min(lingered, mostTaken)
	}
	if unpublished > 0 {
		nodes = p.l.unpublished.Take(unpublished, 0, 0)
	}
	if lingered > 0 {
		nodes = append(nodes, p.l.lingering.take(lingered, early, p.unit.At, p.unit.Linger)...)
	}
	for _, node := range nodes {
		if _, gone := p.departed[node]; gone {
			continue
		}
		l, err := p.listing(node)
		if err != nil {
			return 0, err
		}
		l.touched, l.due = true, true
		taken++
	}
	return taken, nil
}

// Rank computes the lists of what arrived and of what is moving, which TakeMoved returned, and does what follows for the
// lists of others. Of those that must be computed in full for it, at most budget are; the others are due.
func (p *Pass) Rank(now Time, moving []uint64, budget int) error {
	p.recorded = now.Recorded
	p.l.everyone.follow()
	if p.unit.Mode == Backfill {
		return p.rankLater()
	}
	nodes := slices.Concat(moving, p.came)
	slices.Sort(nodes)
	nodes = slices.Compact(nodes)
	r := reverse{p: p, now: now, ranked: make(map[uint64]struct{}, len(nodes)), demoted: map[uint64]struct{}{}}
	all, err := p.recompute(now, nodes, true)
	if err != nil {
		return err
	}
	for _, f := range all {
		r.ranked[f.Node] = struct{}{}
	}
	for _, f := range all {
		if err := r.update(f); err != nil {
			return err
		}
	}
	for _, node := range p.went {
		if err := r.removeFromLists(node, p.departed[node]); err != nil {
			return err
		}
	}
	return p.completeDemoted(now, r.demoted, budget)
}

// rankLater gives the newcomers empty lists, which are due.
func (p *Pass) rankLater() error {
	for _, node := range p.came {
		l, err := p.listing(node)
		if err != nil {
			return err
		}
		l.new.RankedAt = stale.Never
		l.touched, l.ranked = true, true
		p.l.unlisted[node] = struct{}{}
	}
	return nil
}

// completeDemoted computes in full the lists that may have lost an entry: only a search can
// tell who comes up. What exceeds the budget follows in a later pass, first of all.
func (p *Pass) completeDemoted(now Time, demoted map[uint64]struct{}, budget int) error {
	nodes := sorted(demoted)
	if len(nodes) > budget {
		for _, node := range nodes[budget:] {
			p.lists[node].new.RankedAt, p.lists[node].ranked = stale.Never, true
		}
		nodes = nodes[:budget]
	}
	return p.Recompute(now, nodes)
}

// Recompute computes the lists of artifacts in full, as of now. They must stay where they are: what follows of a move for
// the lists of others is Rank's.
func (p *Pass) Recompute(now Time, nodes []uint64) error {
	_, err := p.recompute(now, nodes, false)
	return err
}

// recompute returns those whose lists it has computed, offered with the candidates to whose lists they are offered then.
func (p *Pass) recompute(now Time, nodes []uint64, offered bool) ([]*found, error) {
	if len(nodes) == 0 {
		return nil, nil
	}
	if p.weights == nil {
		p.weights = newWeights(p.g, p.l.words)
	}
	p.l.everyone.beginEpoch(now.Encode, p.l.cache.tolerance, p.g.Artifacts())
	queries, err := p.queries(now, nodes)
	if err != nil {
		return nil, err
	}
	s := &search{l: p.l, g: p.g, limit: p.l.cfg.Candidates, weighed: func(node uint64) (*kept, error) { return p.weighed(node, nil, now) }}
	var all []*found
	if s.table = p.l.everyone.table; s.table == nil {
		if all, err = p.nearest(s, queries); err != nil {
			return nil, err
		}
	}
	for i := range queries {
		if s.table != nil {
			all = append(all, &found{Query: queries[i]})
		}
		if offered {
			p.l.everyone.closed(queries[i].Node)
		}
	}
	// A few at a time are scored: the evidence of an artifact may take 40 kB, and a pass has hundreds of queries with hundreds of
	// candidates each.
	for some := range slices.Chunk(all, 4*runtime.GOMAXPROCS(0)) {
		p.l.cache.bound()
		if err := p.makeLists(s, some, now, offered); err != nil {
			return nil, err
		}
		for _, f := range some {
			f.release()
		}
	}
	return all, nil
}

// queries are those of nodes, but for such as keep their lists.
func (p *Pass) queries(now Time, nodes []uint64) ([]Query, error) {
	queries := make([]Query, 0, len(nodes))
	for _, node := range nodes {
		q, ok, err := p.l.Query(p.g, node)
		if errors.Is(err, ErrLost) {
			if err := p.keep(node, now); err != nil {
				return nil, err
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, fmt.Errorf("topk: lists of node %d, which is not an artifact", node)
		}
		queries = append(queries, q)
	}
	return queries, nil
}

// nearest finds candidates by the index and the graph.
func (p *Pass) nearest(s *search, queries []Query) ([]*found, error) {
	vectors := make([][]float32, len(queries))
	for i := range queries {
		vectors[i] = queries[i].Vector
	}
	hits, err := p.l.index.SearchMany(vectors, p.l.cfg.Candidates+1) // one more: the artifact itself is the nearest
	if err != nil {
		return nil, fmt.Errorf("topk: search: %w", err)
	}
	return s.stage1(queries, hits)
}

// makeLists scores the candidates of artifacts, and gives these the lists that follow.
func (p *Pass) makeLists(s *search, all []*found, now Time, offered bool) (err error) {
	for _, f := range all {
		if f.kept, err = p.weighed(f.Node, f.Evidence, now); err != nil {
			return err
		}
	}
	if err := s.score(all, p.l.most(rerank.ListTotal), p.l.most(rerank.ListGeneral), offered); err != nil {
		return err
	}
	if p.weights.err != nil {
		return p.weights.err
	}
	for _, f := range all {
		l, err := p.listing(f.Node)
		if err != nil {
			return err
		}
		lists := make(rerank.Lists, 0, listCount)
		for _, name := range p.l.names {
			lists = append(lists, rerank.List{Name: name, Entries: f.list(name, p.l.most(name))})
		}
		l.new.RankedAt, l.ranked = now.Rank, true
		l.new.Size, l.new.Depth, l.new.Settings = uint32(p.l.cfg.Size), 0, p.l.cfg.Settings
		if deep := p.l.most(rerank.ListTotal); deep > p.l.cfg.Size {
			l.new.Depth = uint32(deep)
		}
		p.change(l, lists)
	}
	return nil
}

// keep lets the lists of an artifact count as computed now: nothing that they could be computed from is left.
func (p *Pass) keep(node uint64, now Time) error {
	l, err := p.listing(node)
	if err != nil {
		return err
	}
	l.new.RankedAt, l.touched, l.ranked = now.Rank, true, true
	return nil
}

// weighed returns an artifact's evidence as it was weighed, now or shortly before. e is the evidence if it is known.
func (p *Pass) weighed(node uint64, e *rerank.Evidence, now Time) (*kept, error) {
	k := p.l.cache.get(node)
	if k == nil {
		if e == nil {
			var err error
			if e, err = p.g.Evidence(node); err != nil {
				return nil, err
			}
		}
		k = p.l.cache.put(node, e)
	}
	var weights rerank.Weights = p.weights
	at := now.Encode
	if t := p.l.everyone.table; t != nil { // whose bounds hold for what its epoch weighs
		weights, at = t, t.Epoch()
	}
	if !p.l.cache.fresh(k, at) {
		k.Weigh(weights)
		k.at = at
	}
	return k, nil
}

// change gives an artifact other lists.
func (p *Pass) change(l *listing, lists rerank.Lists) {
	l.new.Lists, l.touched = lists, true
	l.least = p.l.leastOf(&l.new)
}

// listing returns the lists of an artifact as the pass has them now.
func (p *Pass) listing(node uint64) (*listing, error) {
	if l := p.lists[node]; l != nil {
		return l, nil
	}
	a, ok, err := p.g.Artifact(node)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("topk: lists of node %d, which is not an artifact", node)
	}
	l := &listing{node: node, id: a.ID}
	if l.old, err = p.row(node); err != nil {
		return nil, err
	}
	if l.old != nil {
		l.new = p.l.current(l.old)
		l.least = p.l.leastOf(l.old)
		p.l.cache.setLeast(node, l.least)
	} else {
		l.least = anybody()
	}
	p.lists[node] = l
	return l, nil
}

func (p *Pass) row(node uint64) (*Row, error) {
	if r, ok := p.l.rows.get(node); ok {
		return r, nil
	}
	r, err := Stored(p.g, node)
	if err == nil && r != nil {
		p.l.rows.put(node, r)
	}
	return r, err
}

func sorted[V any](set map[uint64]V) []uint64 {
	out := make([]uint64, 0, len(set))
	for node := range set {
		out = append(out, node)
	}
	slices.Sort(out)
	return out
}
