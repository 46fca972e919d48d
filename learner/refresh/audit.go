package refresh

import (
	"fmt"

	"kilim/graphstore"
)

// Audit recomputes an artifact's embedding with its neighbours' current first-layer vectors instead of those that they
// last pushed. It returns the Euclidean distance of the stored embedding from that: the error that Epsilon and pending
// pushes cause. No cosine with the embedding is off by more. Audit reads two edges around the artifact and changes
// nothing.
func (r *Refresher) Audit(g Reader, id graphstore.NodeID) (float64, error) {
	n, err := g.Node(id)
	if err != nil {
		return 0, err
	}
	if !n.IsArtifact() {
		return 0, fmt.Errorf("refresh: audit: node %d is not an artifact", id)
	}
	e := &embedding{id: id, node: n}
	if err = e.read(r, g); err != nil {
		return 0, err
	}
	for i := range e.neighbours {
		now := *e.neighbours[i].node
		if now.Hidden, err = r.currentHidden(g, &now); err != nil {
			return 0, err
		}
		e.neighbours[i].node = &now
	}
	self, width := *n, r.model.Width(1)
	self.Sum2 = nil
	var linking []graphstore.NodeID
	if err := g.EdgesOf(id, graphstore.RelLink|graphstore.Inverse, func(edge graphstore.Edge) bool {
		linking = append(linking, edge.To)
		return true
	}); err != nil {
		return 0, err
	}
	for _, from := range linking {
		other, err := g.Node(from)
		if err != nil {
			return 0, err
		}
		h1, err := r.currentHidden(g, other)
		if err != nil {
			return 0, err
		}
		self.Sum2 = addVector(self.Sum2, h1, 1, width)
	}
	e.node = &self
	return distance(n.Embedding, r.exactly(e)), nil
}

// currentHidden computes h1 of a node from its neighbours as they are now.
func (r *Refresher) currentHidden(g Reader, n *graphstore.Node) ([]float32, error) {
	if !n.IsArtifact() {
		return r.firstLayer([]*graphstore.Node{n})[0], nil
	}
	e := &embedding{id: n.ID, node: n}
	if err := e.read(r, g); err != nil {
		return nil, err
	}
	r.firstLayerOf([]*embedding{e})
	return e.h1, nil
}
