package graphstore

import "slices"

// edgeDiff brings an artifact's node and edges to what is wanted, on the Tx's own copies of
// the nodes, which editAll has made, and records each difference in Change.
type edgeDiff struct {
	t *Tx
	Change
	// err is the first failure of counting labels.
	err error
}

func (d *edgeDiff) label(n *Node, texts []string, sign int) {
	if d.err == nil {
		d.err = d.t.countLabels(n, texts, sign)
	}
}

// putNode makes the artifact's node, or turns its placeholder into the artifact.
func (d *edgeDiff) putNode(key string) {
	n := d.t.ov.nodes[d.Artifact]
	switch {
	case n == nil:
		d.Created = true
		d.create(&Node{ID: d.Artifact, Type: Artifact, Key: key})
	case n.Placeholder:
		d.Created = true
		d.t.state.counts.node(n, -1)
		n.Placeholder = false
		d.t.state.counts.node(n, 1)
	default:
		d.Replaced = true
	}
}

// create adds a node that find did not find.
func (d *edgeDiff) create(n *Node) *Node {
	d.t.ov.nodes[n.ID] = n
	d.t.state.counts.node(n, 1)
	d.NewNodes = append(d.NewNodes, n.ID)
	return n
}

// apply brings the artifact's edges from have to want; both are in scan order.
func (d *edgeDiff) apply(want []wantedEdge, have []edgeChange) {
	for len(want) > 0 || len(have) > 0 {
		order := 0
		switch {
		case len(have) == 0:
			order = -1
		case len(want) == 0:
			order = 1
		default:
			order = want[0].compare(have[0].edgeEnd)
		}
		if order == 0 {
			d.update(&want[0], &have[0])
		}
		if order < 0 {
			d.add(&want[0])
		}
		if order > 0 {
			d.remove(&have[0])
		}
		if order <= 0 {
			want = want[1:]
		}
		if order >= 0 {
			have = have[1:]
		}
	}
}

func (d *edgeDiff) add(w *wantedEdge) {
	ov := d.t.ov
	to := ov.nodes[w.to]
	if to == nil {
		to = d.create(&Node{ID: w.to, Type: w.typ, Key: w.key, Placeholder: w.typ == Artifact})
	}
	to.Degree++
	to.Members++
	d.label(to, w.detail.labels, 1)
	ov.nodes[d.Artifact].Degree++
	d.setEdge(w.edgeEnd, w.detail)
	d.t.state.counts.edge(w.rel, 1)
	d.Added = append(d.Added, Edge{d.Artifact, w.rel, w.to})
}

func (d *edgeDiff) remove(h *edgeChange) {
	ov := d.t.ov
	to := ov.nodes[h.to]
	last := to.last()
	to.Degree--
	to.Members--
	d.label(to, h.detail.labels, -1)
	ov.nodes[d.Artifact].Degree--
	ov.changeEdge(d.Artifact, edgeChange{edgeEnd: h.edgeEnd, removed: true})
	ov.changeEdge(h.to, edgeChange{edgeEnd: edgeEnd{h.rel | Inverse, d.Artifact}, removed: true})
	d.t.state.counts.edge(h.rel, -1)
	d.Removed = append(d.Removed, Edge{d.Artifact, h.rel, h.to})
	if to.Degree == 0 && !to.IsArtifact() {
		d.t.state.counts.node(to, -1)
		d.gone(to, last)
	}
}

// update gives an edge that stays the wanted detail.
func (d *edgeDiff) update(w *wantedEdge, h *edgeChange) {
	if w.detail.equal(h.detail) {
		return
	}
	to := d.t.ov.nodes[w.to]
	d.label(to, h.detail.labels, -1)
	d.label(to, w.detail.labels, 1)
	d.setEdge(w.edgeEnd, w.detail)
}

func (d *edgeDiff) setEdge(e edgeEnd, says *detail) {
	d.t.ov.changeEdge(d.Artifact, edgeChange{edgeEnd: e, detail: says})
	d.t.ov.changeEdge(e.to, edgeChange{edgeEnd: edgeEnd{e.rel | Inverse, d.Artifact}})
}

// gone removes a node that was counted out; last is its value before the change.
func (d *edgeDiff) gone(n, last *Node) {
	d.t.ov.nodes[n.ID] = nil
	d.GoneNodes = append(d.GoneNodes, n.ID)
	if d.Gone == nil {
		d.Gone = map[NodeID]*Node{}
	}
	d.Gone[n.ID] = last
}

func (d *edgeDiff) done() (Change, error) {
	slices.Sort(d.NewNodes)
	slices.Sort(d.GoneNodes)
	return d.Change, d.err
}

// last is the node as it is now, kept while n changes in its Degree, Members and Labels.
func (n *Node) last() *Node {
	c := *n
	c.Labels = slices.Clone(n.Labels)
	return &c
}
