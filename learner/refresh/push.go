package refresh

import (
	"slices"

	"kilim/graphstore"
)

// startPush starts a push of n's new p to its dependants, or restarts the pending one.
func (p *Pass) startPush(n *graphstore.Node, weight float32) error {
	push := graphstore.Push{Node: n.ID, Weight: weight}
	p.r.queue.start(push, p.r.passes)
	return p.g.PutPush(push)
}

// scansPerBudget bounds the dependants that a Pass looks at, for each artifact of its budget, to find some that have
// not read a push yet.
const scansPerBudget = 64

// collectDependants adds to set dependants of queued pushes that have not read them, at most budget of them.
func (p *Pass) collectDependants(set toEmbed, budget int) error {
	// While an entity tells of another h0, or not all nodes have been looked at since Epsilon was lowered, h1 is computed
	// with each embedding.
	recompute := p.r.queue.tellsInputs() || len(p.r.rechecks) > 0
	for scans := scansPerBudget * budget; budget > 0 && scans > 0; {
		push, startedIn, ok := p.r.queue.first()
		if !ok {
			return nil
		}
		n, err := p.g.Node(push.Node)
		if err != nil {
			return err
		}
		if n == nil {
			if err := p.dropPush(push.Node); err != nil {
				return err
			}
			continue
		}
		deps, more, err := p.dependants(n, push.Cursor, budget)
		if err != nil {
			return err
		}
		for _, id := range deps {
			scans--
			if pass, ok := p.r.lastEmbedded[id]; ok && pass >= startedIn {
				continue
			}
			if _, ok := set[id]; !ok {
				set[id] = recompute
				budget--
			}
		}
		if !more {
			if err := p.finishPush(n); err != nil {
				return err
			}
			continue
		}
		push.Cursor = deps[len(deps)-1]
		p.r.queue.put(push)
		if err := p.g.PutPush(push); err != nil {
			return err
		}
	}
	return nil
}

// finishPush ends a push. If a vector of its node has meanwhile moved beyond Epsilon again, it starts the next.
func (p *Pass) finishPush(n *graphstore.Node) error {
	if err := p.dropPush(n.ID); err != nil {
		return err
	}
	if n.IsArtifact() {
		return nil // pushIfMoved compares whenever the artifact is embedded
	}
	h, d := p.r.vectorsOf(n), float32(0)
	for l := 1; l < p.r.layers; l++ {
		d = max(d, rms(h[l], told(n, l), p.r.model.Width(l)))
	}
	if !(d > p.r.cfg.Epsilon) {
		return nil
	}
	n, err := p.g.Edit(n.ID)
	if err != nil {
		return err
	}
	for l := 1; l < p.r.layers; l++ {
		tell(n, l, h[l])
	}
	return p.startPush(n, d)
}

func (p *Pass) dropPush(id graphstore.NodeID) error {
	if !p.r.queue.has(id) {
		return nil
	}
	p.r.queue.remove(id)
	return p.g.DeletePush(id)
}

// pushIfMoved tells those who read an artifact its new vector of a layer, if it is new or moved beyond Epsilon: by their running sums at
// once, and those linked with it by a push.
func (p *Pass) pushIfMoved(e *embedding, layer int) error {
	_, attached := p.attached[e.id]
	if !p.r.isRead(e, layer) {
		// No node reads p, so it may follow h without a push.
		tell(e.node, layer, e.h[layer])
		return nil
	}
	before := told(e.node, layer)
	d := rms(e.h[layer], before, p.r.model.Width(layer))
	if !attached && !(d > p.r.cfg.Epsilon) {
		return nil
	}
	part := p.parts[layer][:0]
	var made graphstore.Relation // of part
	for _, edge := range e.edges {
		if !p.r.sums(edge.Rel, layer) {
			continue
		}
		if readBy := edge.Rel | graphstore.Inverse; made == 0 || p.r.weighs && made != readBy {
			part = p.r.addGiven(p.r.addGiven(part[:0], before, -1, layer, readBy), e.h[layer], 1, layer, readBy)
			made = readBy
		}
		t, err := p.g.Edit(edge.To)
		if err != nil {
			return err
		}
		if t == nil {
			return missing(edge)
		}
		p.r.addTo(t, layer, part)
		if p.h1 != nil && layer == 1 && !t.IsArtifact() {
			p.dirty[t.ID] = struct{}{}
		}
	}
	p.parts[layer] = part
	tell(e.node, layer, e.h[layer])
	if !p.r.readOverLinks(e) {
		return nil // entities have it in their sums, which this Pass looks at
	}
	return p.startPush(e.node, min(d, 2))
}

// isRead tells whether others read p of an artifact in a layer: those linked with it, and where there is a layer above for entities,
// those.
func (r *Refresher) isRead(e *embedding, layer int) bool {
	return r.readOverLinks(e) || layer < r.layers-1 && slices.ContainsFunc(e.edges, func(edge graphstore.Edge) bool { return r.sums(edge.Rel, layer) })
}

// readOverLinks tells whether other artifacts read p of this one: those that it links to and, if artifacts gather over
// links, those that link to it.
func (r *Refresher) readOverLinks(e *embedding) bool {
	if e.node.Members > 0 && r.gathersLinks() {
		return true
	}
	return slices.ContainsFunc(e.edges, func(edge graphstore.Edge) bool { return edge.Rel == graphstore.RelLink })
}

// readsSumsAlone tells, of two layers, that all that an artifact reads beside its own vectors is in its sums, and that p is h1 everywhere.
func (r *Refresher) readsSumsAlone() bool { return !r.gathers && r.cfg.Epsilon == 0 && r.layers == 2 }

func (r *Refresher) gathersLinks() bool { return r.model.Gathers(RelationIndex(graphstore.RelLink)) }

// keepsHidden tells that h1 of an artifact that only pushes of p reach is what it was, and that Hidden is that. It is not
// where an artifact at the other end of a link may have got another h0.
func (p *Pass) keepsHidden(e *embedding) bool {
	if slices.ContainsFunc(e.neighbours, func(nb neighbour) bool { return nb.rel == graphstore.RelLink }) {
		return false
	}
	return p.r.cfg.Epsilon == 0 || !p.r.isRead(e, 1)
}

// dependants returns the first limit artifacts after cursor, by id, whose embedding reads n, and whether there are
// more.
func (p *Pass) dependants(n *graphstore.Node, cursor graphstore.NodeID, limit int) (ids []graphstore.NodeID, more bool, err error) {
	if n.IsArtifact() {
		ids, err = p.linked(n, cursor)
	} else {
		err = p.g.EdgesAfter(n.ID, incomingRelation(n), cursor, func(e graphstore.Edge) bool {
			ids = append(ids, e.To)
			return len(ids) <= limit
		})
	}
	if len(ids) > limit {
		return ids[:limit], true, err
	}
	return ids, false, err
}

// linked returns the artifacts after cursor, by id, that n links to and, if artifacts gather over links, that link to n.
func (p *Pass) linked(n *graphstore.Node, cursor graphstore.NodeID) ([]graphstore.NodeID, error) {
	readers := []graphstore.Relation{graphstore.RelLink}
	if p.r.gathersLinks() {
		readers = append(readers, graphstore.RelLink|graphstore.Inverse)
	}
	var ids []graphstore.NodeID
	for _, rel := range readers {
		if err := p.g.EdgesAfter(n.ID, rel, cursor, func(e graphstore.Edge) bool {
			ids = append(ids, e.To)
			return true
		}); err != nil {
			return nil, err
		}
	}
	live := ids[:0]
	for _, id := range ids {
		t, err := p.g.Node(id)
		if err != nil {
			return nil, err
		}
		if t != nil && !t.Placeholder {
			live = append(live, id)
		}
	}
	slices.Sort(live)
	return slices.Compact(live), nil
}
