package refresh

import (
	"kilim/graphstore"
)

// secondLayer computes, in a model of three layers, h2 of the entities and placeholders that are dirty, of what artifacts have told of h1,
// and then of the artifacts that are embedded. All that moved is told before the last layer reads it.
func (p *Pass) secondLayer(batch []*embedding) error {
	nodes, err := p.dirtyEntities()
	if err != nil {
		return err
	}
	h1 := p.firstOf(nodes)
	for i, h2 := range p.r.secondLayer(nodes, h1) {
		if err := p.tellBoth(nodes[i], h1[i], h2); err != nil {
			return err
		}
	}
	// Edit has given the Pass a copy of its own of nodes that were read before.
	for _, e := range batch {
		for i := range e.neighbours {
			n, err := p.g.Node(e.neighbours[i].node.ID)
			if err != nil {
				return err
			}
			e.neighbours[i].node = n
		}
	}
	return p.inner(1, batch)
}

// tellBoth starts a push of h2 if that has moved beyond Epsilon, and has it tell of h1 too: to tell one after the other would cost twice.
// For the same reason a push of h1 that the Pass has started tells of h2, however little that has moved: whom the push has reached is
// embedded by this Pass, after this.
func (p *Pass) tellBoth(n *graphstore.Node, h1, h2 []float32) error {
	before := told(n, 2)
	if len(before) == 0 {
		tell(n, 2, h2)
		return nil
	}
	pending, startedIn := p.r.queue.of(n.ID)
	if startedIn == p.r.passes {
		tell(n, 1, h1)
		tell(n, 2, h2)
		return nil
	}
	if pending.Cursor != 0 {
		return nil // finishPush compares again when the pending push ends
	}
	d := rms(h2, before, p.r.model.Width(2))
	if !(d > p.r.cfg.Epsilon) {
		return nil
	}
	tell(n, 1, h1)
	tell(n, 2, h2)
	return p.startPush(n, max(d, pending.Weight))
}

// firstOf returns h1 of entities and placeholders, which the Pass has computed of most.
func (p *Pass) firstOf(nodes []*graphstore.Node) [][]float32 {
	out := make([][]float32, len(nodes))
	var others []*graphstore.Node
	for i, n := range nodes {
		if out[i] = p.h1[n.ID]; out[i] == nil {
			others = append(others, n)
		}
	}
	h1 := p.r.firstLayer(others)
	for i := range out {
		if out[i] == nil {
			out[i], h1 = h1[0], h1[1:]
		}
	}
	return out
}

// secondLayer computes h2 of entities and placeholders of their h1.
func (r *Refresher) secondLayer(nodes []*graphstore.Node, h1 [][]float32) [][]float32 {
	if len(nodes) == 0 {
		return nil
	}
	all := make([]reading, len(nodes))
	for i, n := range nodes {
		all[i] = reading{self: h1[i], sum: n.Sum2, sumOver: incomingRelation(n)}
	}
	return r.model.Layer(1, r.layerInputs(1, all), r.cfg.Epsilon)
}

// vectorsOf computes the vectors of an entity or a placeholder of what it was told.
func (r *Refresher) vectorsOf(n *graphstore.Node) (h vectors) {
	one := []*graphstore.Node{n}
	first := r.firstLayer(one)
	h[1] = first[0]
	if r.layers > 2 {
		h[2] = r.secondLayer(one, first)[0]
	}
	return h
}
