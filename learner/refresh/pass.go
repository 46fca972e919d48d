package refresh

import (
	"cmp"
	"fmt"
	"slices"

	"kilim/graphstore"
	"kilim/learner/model/infer"
)

// Pass is the refresh of one batch. For each artifact that the batch changes, the caller calls Detach before its edges
// change, and after that Attach, or Departed if it was deleted. Forget is called with the nodes that the batch removed,
// and Embed once, at last.
type Pass struct {
	r *Refresher
	g Graph
	// dirty are the nodes whose running sums changed.
	dirty map[graphstore.NodeID]struct{}
	// attached are the artifacts that have new features.
	attached map[graphstore.NodeID]struct{}
}

// Begin starts a Pass over g.
func (r *Refresher) Begin(g Graph) *Pass {
	r.passes++
	if r.queue.len() == 0 || r.lastEmbedded == nil {
		r.lastEmbedded = map[graphstore.NodeID]uint64{}
	}
	return &Pass{r: r, g: g, dirty: map[graphstore.NodeID]struct{}{}, attached: map[graphstore.NodeID]struct{}{}}
}

// Detach takes an artifact's contributions out of the running sums of the nodes that it points at. An unknown artifact
// and a placeholder have none.
func (p *Pass) Detach(id graphstore.NodeID) error {
	n, err := p.g.Node(id)
	if err != nil || n == nil || n.Placeholder {
		return err
	}
	return p.contribute(n, -1, features(n), n.Hidden)
}

// contribute adds, times sign, h0 (and p, over links) of artifact n to the running sums of the nodes that n points at.
func (p *Pass) contribute(n *graphstore.Node, sign int64, h0, pushed []float32) error {
	nbs, err := outNeighbours(p.g, n.ID)
	if err != nil {
		return err
	}
	for _, nb := range nbs {
		t, err := p.g.Edit(nb.node.ID)
		if err != nil {
			return err
		}
		if len(t.Features) == 0 {
			p.initialize(t)
		}
		t.Sum1 = addFixed(t.Sum1, h0, sign, p.r.model.Width())
		if nb.rel == graphstore.RelLink {
			t.Sum2 = addFixed(t.Sum2, pushed, sign, p.r.model.Width())
		}
		p.dirty[t.ID] = struct{}{}
	}
	return nil
}

// initialize sets h0 of a node that the batch created. evaluateDirty sets its p.
func (p *Pass) initialize(n *graphstore.Node) {
	n.Features = p.r.inputOf(n.Type, n.DisplayLabel())
}

// Departed tells the Pass that an artifact was deleted. It is called after Detach and after the deletion in the graph.
// If others still link to the artifact, it is a placeholder now, and Departed pushes its new p to them.
func (p *Pass) Departed(id graphstore.NodeID) error {
	n, err := p.g.Node(id)
	if err != nil {
		return err
	}
	if n == nil {
		delete(p.dirty, id)
		return p.dropPush(id)
	}
	n, err = p.g.Edit(id)
	if err != nil {
		return err
	}
	n.Features, n.Hidden, n.Embedding = nil, nil, nil
	p.initialize(n)
	n.Hidden = p.r.firstLayer([]*graphstore.Node{n})[0]
	return p.startPush(n, 1)
}

// Forget drops the queued pushes of nodes that the batch removed from the graph.
func (p *Pass) Forget(gone []graphstore.NodeID) error {
	for _, id := range gone {
		delete(p.dirty, id)
		if err := p.dropPush(id); err != nil {
			return err
		}
	}
	return nil
}

// Attach gives an artifact its new Inputs and adds its contributions to the running sums of the nodes that it points at.
func (p *Pass) Attach(id graphstore.NodeID, inputs []float32) error {
	n, err := p.g.Edit(id)
	if err != nil {
		return err
	}
	if n == nil {
		return fmt.Errorf("refresh: attach: no node %d", id)
	}
	p.attached[id] = struct{}{}
	n.Features = inputs
	// embed adds p(id) to the sums of link targets; it is not known here.
	n.Hidden = nil
	return p.contribute(n, 1, features(n), nil)
}

// Embed recomputes the artifacts that the Pass attached or made dirty and, up to budget further nodes, those to be rechecked
// and dependants of pending pushes. It returns the recomputed artifacts, ordered by id.
func (p *Pass) Embed(budget int) ([]Moved, error) {
	budget, err := p.recheck(budget)
	if err != nil {
		return nil, err
	}
	if err := p.evaluateDirty(); err != nil {
		return nil, err
	}
	set := map[graphstore.NodeID]struct{}{}
	for id := range p.attached {
		set[id] = struct{}{}
	}
	for id := range p.dirty {
		n, err := p.g.Node(id)
		if err != nil {
			return nil, err
		}
		if n.IsArtifact() {
			set[id] = struct{}{}
		}
	}
	if err := p.collectDependants(set, budget); err != nil {
		return nil, err
	}
	ids := make([]graphstore.NodeID, 0, len(set))
	for id := range set {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return p.embed(ids)
}

// evaluateDirty recomputes h1 of the dirty entities and placeholders and starts the pushes that are due.
func (p *Pass) evaluateDirty() error {
	ids := make([]graphstore.NodeID, 0, len(p.dirty))
	for id := range p.dirty {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	var nodes []*graphstore.Node
	for _, id := range ids {
		n, err := p.g.Node(id)
		if err != nil {
			return err
		}
		if n == nil || n.IsArtifact() {
			continue
		}
		if n, err = p.g.Edit(id); err != nil {
			return err
		}
		if err := p.relabel(n); err != nil {
			return err
		}
		nodes = append(nodes, n)
	}
	for i, h1 := range p.r.firstLayer(nodes) {
		n := nodes[i]
		if len(n.Hidden) == 0 {
			n.Hidden = h1
			continue
		}
		if p.r.queue.has(n.ID) {
			continue // finishPush compares h1 again when the pending push ends
		}
		if d := rms(h1, n.Hidden, p.r.model.Width()); d > p.r.cfg.Epsilon {
			n.Hidden = h1
			if err := p.startPush(n, d); err != nil {
				return err
			}
		}
	}
	return nil
}

// relabel recomputes h0 of an entity known by URI when another of its labels has become the most used. An entity known
// by its label never changes h0.
func (p *Pass) relabel(n *graphstore.Node) error {
	if n.Type == graphstore.Artifact || graphstore.NormalizeLabel(n.DisplayLabel()) == n.Key {
		return nil
	}
	h0 := p.r.inputOf(n.Type, n.DisplayLabel())
	if slices.Equal(h0, n.Features) {
		return nil
	}
	n.Features = h0
	return p.startPush(n, 1)
}

func sortNeighbours(nbs []neighbour) {
	slices.SortFunc(nbs, func(a, b neighbour) int {
		return cmp.Or(cmp.Compare(a.rel, b.rel), cmp.Compare(a.node.ID, b.node.ID))
	})
}

// embed computes both layers of artifacts given by ascending id.
func (p *Pass) embed(ids []graphstore.NodeID) ([]Moved, error) {
	batch := make([]*embedding, len(ids))
	for i, id := range ids {
		n, err := p.g.Edit(id)
		if err != nil {
			return nil, err
		}
		if n == nil {
			return nil, fmt.Errorf("refresh: embed: no node %d", id)
		}
		batch[i] = &embedding{id: id, node: n}
	}
	// Neighbours are read only after all Edits: an artifact linked with another of this batch must see the copy that
	// the batch changes.
	for _, e := range batch {
		nbs, err := outNeighbours(p.g, e.id)
		if err != nil {
			return nil, err
		}
		e.neighbours = nbs
	}
	p.r.firstLayerOf(batch)
	for _, e := range batch {
		if err := p.pushIfMoved(e); err != nil {
			return nil, err
		}
	}
	out := p.r.secondLayerOf(batch)
	moved := make([]Moved, len(batch))
	for i, e := range batch {
		isNew := len(e.node.Embedding) == 0
		moved[i] = Moved{ID: e.id, New: isNew, Distance: distance(e.node.Embedding, out[i])}
		e.node.Embedding = out[i]
		p.r.lastEmbedded[e.id] = p.r.passes
	}
	return moved, nil
}

// Drift is the distance by which new Inputs would move an artifact's h0, as rms measures it.
func (p *Pass) Drift(n *graphstore.Node, inputs []float32) float32 {
	h0, _ := infer.Halves(inputs)
	return rms(features(n), h0, p.r.model.Width())
}
