package graphstore

import (
	"cmp"
	"slices"
)

// changer carries out one change of an artifact on the Tx's own copies, which
// editAll has made, and keeps account of it.
type changer struct {
	t *Tx
	Change
}

// settle makes the artifact's node, or of its placeholder the artifact.
func (c *changer) settle(key string) {
	n := c.t.ov.nodes[c.Artifact]
	switch {
	case n == nil:
		c.Created = true
		c.create(&Node{ID: c.Artifact, Type: Artifact, Key: key})
	case n.Placeholder:
		c.Created = true
		c.t.state.counts.node(n, -1)
		n.Placeholder = false
		c.t.state.counts.node(n, 1)
	default:
		c.Replaced = true
	}
}

// create adds a node that find did not find.
func (c *changer) create(n *Node) *Node {
	c.t.ov.nodes[n.ID] = n
	c.t.state.counts.node(n, 1)
	c.NewNodes = append(c.NewNodes, n.ID)
	return n
}

// diff brings the artifact's edges from have to want; both are in scan order.
func (c *changer) diff(want []wantedEdge, have []edgeChange) {
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
			c.redetail(&want[0], &have[0])
		}
		if order < 0 {
			c.add(&want[0])
		}
		if order > 0 {
			c.remove(&have[0])
		}
		if order <= 0 {
			want = want[1:]
		}
		if order >= 0 {
			have = have[1:]
		}
	}
}

func (c *changer) add(w *wantedEdge) {
	ov := c.t.ov
	to := ov.nodes[w.to]
	if to == nil {
		to = c.create(&Node{ID: w.to, Type: w.typ, Key: w.key, Placeholder: w.typ == Artifact})
	}
	to.Degree++
	to.Members++
	to.label(w.detail.labels, 1)
	ov.nodes[c.Artifact].Degree++
	c.setEdge(w.edgeEnd, w.detail)
	c.t.state.counts.edge(w.rel, 1)
	c.Added = append(c.Added, Edge{c.Artifact, w.rel, w.to})
}

func (c *changer) remove(h *edgeChange) {
	ov := c.t.ov
	to := ov.nodes[h.to]
	last := to.last()
	to.Degree--
	to.Members--
	to.label(h.detail.labels, -1)
	ov.nodes[c.Artifact].Degree--
	ov.changeEdge(c.Artifact, edgeChange{edgeEnd: h.edgeEnd, removed: true})
	ov.changeEdge(h.to, edgeChange{edgeEnd: edgeEnd{h.rel | Inverse, c.Artifact}, removed: true})
	c.t.state.counts.edge(h.rel, -1)
	c.Removed = append(c.Removed, Edge{c.Artifact, h.rel, h.to})
	if to.Degree == 0 && !to.IsArtifact() {
		c.t.state.counts.node(to, -1)
		c.gone(to, last)
	}
}

// redetail keeps an edge and what it says up to date.
func (c *changer) redetail(w *wantedEdge, h *edgeChange) {
	if w.detail.equal(h.detail) {
		return
	}
	to := c.t.ov.nodes[w.to]
	to.label(h.detail.labels, -1)
	to.label(w.detail.labels, 1)
	c.setEdge(w.edgeEnd, w.detail)
}

func (c *changer) setEdge(e edgeEnd, d *detail) {
	c.t.ov.changeEdge(c.Artifact, edgeChange{edgeEnd: e, detail: d})
	c.t.ov.changeEdge(e.to, edgeChange{edgeEnd: edgeEnd{e.rel | Inverse, c.Artifact}})
}

// gone removes a node that was counted out; last is its value before the change.
func (c *changer) gone(n, last *Node) {
	c.t.ov.nodes[n.ID] = nil
	c.GoneNodes = append(c.GoneNodes, n.ID)
	if c.Gone == nil {
		c.Gone = map[NodeID]*Node{}
	}
	c.Gone[n.ID] = last
}

func (c *changer) done() Change {
	slices.Sort(c.NewNodes)
	slices.Sort(c.GoneNodes)
	return c.Change
}

// last is the node as it is now, kept while n changes in its Degree, Members and Labels.
func (n *Node) last() *Node {
	c := *n
	c.Labels = slices.Clone(n.Labels)
	return &c
}

// label counts the uses of labels up or down.
func (n *Node) label(labels []string, sign int) {
	for _, text := range labels {
		i, found := slices.BinarySearchFunc(n.Labels, text, func(l Label, text string) int { return cmp.Compare(l.Text, text) })
		if !found {
			n.Labels = slices.Insert(n.Labels, i, Label{Text: text})
		}
		n.Labels[i].Count = uint32(int(n.Labels[i].Count) + sign)
		if n.Labels[i].Count == 0 {
			n.Labels = slices.Delete(n.Labels, i, i+1)
		}
	}
	if len(n.Labels) == 0 {
		n.Labels = nil
	}
}
