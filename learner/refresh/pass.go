package refresh

import (
	"cmp"
	"fmt"
	"maps"
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
	// h1 has what the Pass has computed of entities and placeholders whose second layer it computes too.
	h1 map[graphstore.NodeID][]float32
	// parts is the memory for what an artifact adds to running sums, by layer.
	parts [mostLayers][]int64
}

// Begin starts a Pass over g.
func (r *Refresher) Begin(g Graph) *Pass {
	r.passes++
	if r.queue.len() == 0 || r.lastEmbedded == nil {
		r.lastEmbedded = map[graphstore.NodeID]uint64{}
	}
	p := &Pass{r: r, g: g, dirty: map[graphstore.NodeID]struct{}{}, attached: map[graphstore.NodeID]struct{}{}}
	if r.layers > 2 {
		p.h1 = map[graphstore.NodeID][]float32{}
	}
	return p
}

// Detach takes an artifact's contributions out of the running sums of the nodes that it points at. An unknown artifact
// and a placeholder have none.
func (p *Pass) Detach(id graphstore.NodeID) error {
	n, err := p.g.Node(id)
	if err != nil || n == nil || n.Placeholder {
		return err
	}
	return p.contribute(n, -1)
}

// contribute adds, times sign, h0 of artifact n and what it has told to the running sums of the nodes that n points at.
func (p *Pass) contribute(n *graphstore.Node, sign int64) error {
	edges, err := outEdges(p.g, n.ID)
	if err != nil {
		return err
	}
	return p.contributeOver(edges, sign, n)
}

// contributeOver is contribute over some of the edges.
func (p *Pass) contributeOver(edges []graphstore.Edge, sign int64, n *graphstore.Node) error {
	for i, e := range edges {
		for l := range p.r.layers {
			p.parts[l] = p.r.partOver(edges, i, p.parts[l], told(n, l), sign, l)
		}
		if err := p.addParts(e); err != nil {
			return err
		}
	}
	return nil
}

// addParts adds parts to the sums of the node at the end of an edge.
func (p *Pass) addParts(e graphstore.Edge) error {
	t, err := p.g.Edit(e.To)
	if err != nil {
		return err
	}
	if t == nil {
		return missing(e)
	}
	if len(t.Features) == 0 && t.Type.IsContent() {
		return fmt.Errorf("refresh: %s %s has no features", t.Type, t.Key) // Hold gives them
	}
	if len(t.Features) == 0 {
		p.initialize(t)
	}
	for l := range p.r.layers {
		if p.r.sums(e.Rel, l) {
			p.r.addTo(t, l, p.parts[l])
		}
	}
	p.dirty[t.ID] = struct{}{}
	return nil
}

// Connect tells the Pass of an edge that the batch has given an artifact, and Disconnect of one that it is about to take
// away, where the artifact stays what it is otherwise: at the cost of that edge, not of all that the artifact has. The
// Pass neither detaches nor attaches such an artifact.
func (p *Pass) Connect(e graphstore.Edge) error { return p.changeEdge(e, 1) }

// Disconnect is described with Connect.
func (p *Pass) Disconnect(e graphstore.Edge) error { return p.changeEdge(e, -1) }

func (p *Pass) changeEdge(e graphstore.Edge, sign int64) error {
	n, err := p.g.Node(e.From)
	if err != nil {
		return err
	}
	if !n.IsArtifact() {
		return fmt.Errorf("refresh: an edge to %d changes at node %d, which is not an artifact", e.To, e.From)
	}
	if p.r.model.Gathers(RelationIndex(e.Rel)) {
		p.dirty[n.ID] = struct{}{}
	}
	return p.contributeOver([]graphstore.Edge{e}, sign, n)
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
	n.Features, n.Embedding = nil, nil
	p.initialize(n)
	h := p.r.vectorsOf(n)
	for l := 1; l < p.r.layers; l++ {
		tell(n, l, h[l])
	}
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
	// embed adds p(id) to the sums of those who read it; it is not known here.
	for l := 1; l < p.r.layers; l++ {
		tell(n, l, nil)
	}
	return p.contribute(n, 1)
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
	set := toEmbed{}
	for id := range p.attached {
		set[id] = true
	}
	for id := range p.dirty {
		n, err := p.g.Node(id)
		if err != nil {
			return nil, err
		}
		if n.IsArtifact() {
			set[id] = true
		}
	}
	if err := p.collectDependants(set, budget); err != nil {
		return nil, err
	}
	return p.embed(set)
}

// toEmbed are artifacts to embed, with whether their h1 may have moved.
type toEmbed map[graphstore.NodeID]bool

// dirtyEntities are the entities and placeholders whose running sums changed, to be edited, by id.
func (p *Pass) dirtyEntities() (nodes []*graphstore.Node, err error) {
	for _, id := range slices.Sorted(maps.Keys(p.dirty)) {
		n, err := p.g.Node(id)
		if err != nil {
			return nil, err
		}
		if n == nil || n.IsArtifact() {
			continue
		}
		if n, err = p.g.Edit(id); err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
	}
	return nodes, nil
}

// evaluateDirty recomputes h1 of the dirty entities and placeholders and starts the pushes that are due.
func (p *Pass) evaluateDirty() error {
	nodes, err := p.dirtyEntities()
	if err != nil {
		return err
	}
	for _, n := range nodes {
		if err := p.relabel(n); err != nil {
			return err
		}
	}
	for i, h1 := range p.r.firstLayer(nodes) {
		if p.h1 != nil {
			p.h1[nodes[i].ID] = h1
		}
		n := nodes[i]
		if len(n.Hidden) == 0 {
			n.Hidden = h1 // a new node has told nobody but those that this Pass embeds
			continue
		}
		pending, _ := p.r.queue.of(n.ID)
		if pending.Cursor != 0 {
			continue // finishPush compares h1 again when the pending push ends
		}
		if d := rms(h1, n.Hidden, p.r.model.Width(1)); d > p.r.cfg.Epsilon {
			n.Hidden = h1
			if err := p.startPush(n, max(d, pending.Weight)); err != nil {
				return err
			}
		}
	}
	return nil
}

// relabel recomputes h0 of an entity known by URI when another of its labels has become the most used. An entity known
// by its label never changes h0.
func (p *Pass) relabel(n *graphstore.Node) error {
	if n.Type == graphstore.Artifact || n.Type.IsContent() || graphstore.NormalizeLabel(n.DisplayLabel()) == n.Key {
		return nil
	}
	h0 := p.r.inputOf(n.Type, n.DisplayLabel())
	if slices.Equal(h0, n.Features) {
		return nil
	}
	n.Features = h0
	if err := p.startPush(n, 1); err != nil {
		return err
	}
	p.r.queue.withInputs(n.ID)
	return nil
}

func sortNeighbours(nbs []neighbour) {
	slices.SortFunc(nbs, func(a, b neighbour) int {
		return cmp.Or(cmp.Compare(a.rel, b.rel), cmp.Compare(a.node.ID, b.node.ID))
	})
}

// embed computes artifacts, by ascending id: all layers, or those above the first of such as keep their h1.
func (p *Pass) embed(set toEmbed) ([]Moved, error) {
	ids := slices.Sorted(maps.Keys(set))
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
	var first []*embedding // whose first layer is to be computed
	for _, e := range batch {
		if e.h[1] = e.node.Hidden; !set[e.id] && p.r.readsSumsAlone() {
			continue // h1 is what it has told, and all else that it reads is in its sums
		}
		if err := e.read(p.r, p.g); err != nil {
			return nil, err
		}
		if set[e.id] || !p.keepsHidden(e) {
			first = append(first, e)
		}
	}
	if err := p.inner(0, first); err != nil {
		return nil, err
	}
	if p.r.layers > 2 {
		if err := p.secondLayer(batch); err != nil {
			return nil, err
		}
	}
	out, drifts := p.r.lastLayerOf(batch)
	moved := make([]Moved, len(batch))
	for i, e := range batch {
		isNew := len(e.node.Embedding) == 0
		moved[i] = Moved{ID: e.id, New: isNew, Distance: distance(e.node.Embedding, out[i])}
		e.node.Embedding, e.node.DriftBound, e.node.Epsilon = out[i], 0, float64(p.r.cfg.Epsilon)
		if drifts != nil {
			e.node.DriftBound = drifts[i]
		}
		p.r.lastEmbedded[e.id] = p.r.passes
	}
	return moved, nil
}

// inner computes a layer below the last, and tells what has moved.
func (p *Pass) inner(layer int, batch []*embedding) error {
	p.r.layerOf(layer, batch)
	for _, e := range batch {
		if err := p.pushIfMoved(e, layer+1); err != nil {
			return err
		}
	}
	return nil
}

// Drift is the distance by which new Inputs would move an artifact's h0, as rms measures it.
func (p *Pass) Drift(n *graphstore.Node, inputs []float32) float32 {
	h0, _ := infer.Halves(inputs)
	return rms(features(n), h0, p.r.model.Width(0))
}
