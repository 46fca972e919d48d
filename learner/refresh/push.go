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
func (p *Pass) collectDependants(set map[graphstore.NodeID]struct{}, budget int) error {
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
		deps, more, err := dependants(p.g, n, push.Cursor, budget)
		if err != nil {
			return err
		}
		for _, id := range deps {
			scans--
			if pass, ok := p.r.lastEmbedded[id]; ok && pass >= startedIn {
				continue
			}
			if _, ok := set[id]; !ok {
				set[id] = struct{}{}
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

// finishPush ends a push. If h1 of its node has meanwhile moved beyond Epsilon again, it starts the next.
func (p *Pass) finishPush(n *graphstore.Node) error {
	if err := p.dropPush(n.ID); err != nil {
		return err
	}
	if n.IsArtifact() {
		return nil // pushIfMoved compares h1 whenever the artifact is embedded
	}
	h1 := p.r.firstLayer([]*graphstore.Node{n})[0]
	d := rms(h1, n.Hidden, p.r.model.Width())
	if !(d > p.r.cfg.Epsilon) {
		return nil
	}
	n, err := p.g.Edit(n.ID)
	if err != nil {
		return err
	}
	n.Hidden = h1
	return p.startPush(n, d)
}

func (p *Pass) dropPush(id graphstore.NodeID) error {
	if !p.r.queue.has(id) {
		return nil
	}
	p.r.queue.remove(id)
	return p.g.DeletePush(id)
}

// pushIfMoved starts a push of an artifact's new h1 to those linked with it, if it is new or moved beyond Epsilon.
func (p *Pass) pushIfMoved(e *embedding) error {
	_, attached := p.attached[e.id]
	linked := e.node.Members > 0
	for _, nb := range e.neighbours {
		linked = linked || nb.rel == graphstore.RelLink
	}
	if !linked {
		// No node reads p, so it may follow h1 without a push.
		e.node.Hidden = e.h1
		return nil
	}
	d := rms(e.h1, e.node.Hidden, p.r.model.Width())
	if !attached && !(d > p.r.cfg.Epsilon) {
		return nil
	}
	for _, nb := range e.neighbours {
		if nb.rel != graphstore.RelLink {
			continue
		}
		t, err := p.g.Edit(nb.node.ID)
		if err != nil {
			return err
		}
		t.Sum2 = addFixed(t.Sum2, e.node.Hidden, -1, p.r.model.Width())
		t.Sum2 = addFixed(t.Sum2, e.h1, 1, p.r.model.Width())
	}
	e.node.Hidden = e.h1
	return p.startPush(e.node, min(d, 2))
}

// dependants returns the first limit artifacts after cursor, by id, whose embedding reads n, and whether there are
// more.
func dependants(g Reader, n *graphstore.Node, cursor graphstore.NodeID, limit int) (ids []graphstore.NodeID, more bool, err error) {
	if n.IsArtifact() {
		ids, err = linked(g, n, cursor)
	} else {
		err = g.EdgesAfter(n.ID, incomingRelation(n), cursor, func(e graphstore.Edge) bool {
			ids = append(ids, e.To)
			return len(ids) <= limit
		})
	}
	if len(ids) > limit {
		return ids[:limit], true, err
	}
	return ids, false, err
}

// linked returns the artifacts after cursor, by id, that link to n or that n links to.
func linked(g Reader, n *graphstore.Node, cursor graphstore.NodeID) ([]graphstore.NodeID, error) {
	var ids []graphstore.NodeID
	for _, rel := range []graphstore.Relation{graphstore.RelLink | graphstore.Inverse, graphstore.RelLink} {
		if err := g.EdgesAfter(n.ID, rel, cursor, func(e graphstore.Edge) bool {
			ids = append(ids, e.To)
			return true
		}); err != nil {
			return nil, err
		}
	}
	live := ids[:0]
	for _, id := range ids {
		t, err := g.Node(id)
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
