package refresh

import (
	"fmt"

	"kilim/graphstore"
	"kilim/learner/model/infer"
)

// Audit recomputes an artifact's embedding with its neighbours' current vectors instead of those that they last pushed. It returns the
// Euclidean distance of the stored embedding from that: the error that Epsilon and pending pushes cause. No cosine with the embedding is
// off by more. Audit reads as many edges around the artifact as the model has layers, and changes nothing. Of an entity that more than
// auditedMembers share, its second layer reads what these have told it: each of that is within Epsilon.
func (r *Refresher) Audit(g Reader, id graphstore.NodeID) (float64, error) {
	n, err := g.Node(id)
	if err != nil {
		return 0, err
	}
	if !n.IsArtifact() {
		return 0, fmt.Errorf("refresh: audit: node %d is not an artifact", id)
	}
	a := &audit{r: r, g: g, known: map[audited][]float32{}}
	in, err := a.input(n, r.layers-1)
	if err != nil {
		return 0, err
	}
	exact, _ := r.model.Embed([]infer.Input{in}, [][]float32{n.Features}, 0)
	return distance(n.Embedding, exact[0]), nil
}

// auditedMembers bounds what an audit costs: of an entity that thousands share it would compute them all.
const auditedMembers = 16

// audit computes vectors from h0 alone.
type audit struct {
	r     *Refresher
	g     Reader
	known map[audited][]float32
}

// audited is a vector of a node: h of a layer.
type audited struct {
	id    graphstore.NodeID
	layer int
}

// vector computes h of a layer of a node.
func (a *audit) vector(n *graphstore.Node, layer int) ([]float32, error) {
	if layer == 0 {
		return features(n), nil
	}
	key := audited{n.ID, layer}
	if h, ok := a.known[key]; ok {
		return h, nil
	}
	in, err := a.input(n, layer-1)
	if err != nil {
		return nil, err
	}
	h := a.r.model.Layer(layer-1, []infer.Input{in}, 0)[0]
	a.known[key] = h
	return h, nil
}

// input is what a layer reads at a node.
func (a *audit) input(n *graphstore.Node, layer int) (in infer.Input, err error) {
	reads := reading{sumOver: incomingRelation(n), vector: func(n *graphstore.Node) []float32 {
		if layer == 0 {
			return features(n)
		}
		return a.known[audited{n.ID, layer}]
	}}
	if reads.self, err = a.vector(n, layer); err != nil {
		return in, err
	}
	if n.IsArtifact() {
		e := &embedding{id: n.ID, node: n}
		if err := e.read(a.r, a.g); err != nil {
			return in, err
		}
		for _, nb := range e.neighbours {
			if _, err := a.vector(nb.node, layer); err != nil {
				return in, err
			}
		}
		reads.neighbours = e.neighbours
	}
	if reads.sum, err = a.sum(n, layer); err != nil {
		return in, err
	}
	return a.r.layerInputs(layer, []reading{reads})[0], nil
}

// sum adds up h of a layer of those who point at a node.
func (a *audit) sum(n *graphstore.Node, layer int) (sum []int64, err error) {
	if layer == 0 || !n.IsArtifact() && n.Members > auditedMembers {
		return sumOf(n, layer), nil
	}
	var members []graphstore.NodeID
	if err := a.g.EdgesOf(n.ID, incomingRelation(n), func(e graphstore.Edge) bool {
		members = append(members, e.To)
		return true
	}); err != nil {
		return nil, err
	}
	for _, id := range members {
		m, err := a.g.Node(id)
		if err != nil {
			return nil, err
		}
		h, err := a.vector(m, layer)
		if err != nil {
			return nil, err
		}
		sum = a.r.addGiven(sum, h, 1, layer, incomingRelation(n))
	}
	return sum, nil
}
