package refresh

import (
	"fmt"

	"kilim/graphstore"
	"kilim/learner/model/infer"
	"kilim/learner/tensor/sparse"
)

// neighbour is an edge of an artifact with the node at its other end.
type neighbour struct {
	rel  graphstore.Relation
	node *graphstore.Node
}

// outNeighbours reads the entities and link targets of an artifact, in the order of the scan (relation, target), which
// fixes the order in which means are summed.
func outNeighbours(g Reader, id graphstore.NodeID) ([]neighbour, error) {
	var edges []graphstore.Edge
	err := g.Edges(id, func(e graphstore.Edge) bool {
		if e.Rel != graphstore.RelMedia && e.Rel&graphstore.Inverse == 0 {
			edges = append(edges, e)
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	out := make([]neighbour, 0, len(edges))
	for _, e := range edges {
		n, err := g.Node(e.To)
		if err != nil {
			return nil, err
		}
		if n == nil {
			return nil, fmt.Errorf("refresh: node %d is joined to %d, which does not exist", id, e.To)
		}
		out = append(out, neighbour{e.Rel, n})
	}
	return out, nil
}

// meanMessages averages, per relation, the vectors of neighbours: each block over the neighbours that have it. vector
// returns that of a node.
func meanMessages(nbs []neighbour, width int, vector func(*graphstore.Node) []float32) []infer.Message {
	var msgs []infer.Message
	var counts []float32
	for i := 0; i < len(nbs); {
		rel := nbs[i].rel
		var mean []float32
		counts = counts[:0]
		for ; i < len(nbs) && nbs[i].rel == rel; i++ {
			v := vector(nbs[i].node)
			for b := 0; b*width < len(v); b++ {
				block := v[b*width : (b+1)*width]
				if !present(block) {
					continue
				}
				for len(counts) <= b {
					counts = append(counts, 0)
					mean = append(mean, make([]float32, width)...)
				}
				counts[b]++
				to := mean[b*width : (b+1)*width]
				for j, x := range block {
					to[j] += x
				}
			}
		}
		if len(mean) == 0 {
			continue
		}
		for b, n := range counts {
			if n > 1 {
				for j := b * width; j < (b+1)*width; j++ {
					mean[j] /= n
				}
			}
		}
		msgs = append(msgs, infer.Message{Relation: RelationIndex(rel), Mean: mean})
	}
	return msgs
}

// features returns h0 of a node.
func features(n *graphstore.Node) []float32 {
	if n.IsArtifact() {
		h0, _ := infer.Halves(n.Features)
		return h0
	}
	return n.Features
}

func hidden(n *graphstore.Node) []float32 { return n.Hidden }

// withSumMessage adds to msgs the mean of a running sum over the artifacts that point at n.
func (r *Refresher) withSumMessage(msgs []infer.Message, n *graphstore.Node, sum []int64) []infer.Message {
	if len(sum) == 0 {
		return msgs
	}
	return append(msgs, infer.Message{Relation: RelationIndex(incomingRelation(n)), Mean: meanOf(sum, r.model.Width())})
}

// incomingRelation is the relation by which n reads the artifacts that point at it.
func incomingRelation(n *graphstore.Node) graphstore.Relation {
	if n.Type == graphstore.Artifact {
		return graphstore.RelLink | graphstore.Inverse
	}
	return graphstore.Relation(n.Type) | graphstore.Inverse
}

// firstLayer computes h1 of entities and placeholders, which read their neighbours through their running sums only.
func (r *Refresher) firstLayer(nodes []*graphstore.Node) [][]float32 {
	if len(nodes) == 0 {
		return nil
	}
	in := make([]infer.Input, len(nodes))
	for i, n := range nodes {
		in[i] = infer.Input{Self: n.Features, Messages: r.withSumMessage(nil, n, n.Sum1)}
	}
	return r.model.Layer(0, in)
}

// embedding is the computation of one artifact's embedding.
type embedding struct {
	id         graphstore.NodeID
	node       *graphstore.Node
	neighbours []neighbour
	h1         []float32
}

func (r *Refresher) firstLayerOf(batch []*embedding) {
	if len(batch) == 0 {
		return
	}
	in := make([]infer.Input, len(batch))
	for i, e := range batch {
		msgs := meanMessages(e.neighbours, r.model.Width(), features)
		in[i] = infer.Input{Self: features(e.node), Messages: r.withSumMessage(msgs, e.node, e.node.Sum1)}
	}
	for i, h1 := range r.model.Layer(0, in) {
		batch[i].h1 = h1
	}
}

func (r *Refresher) secondLayerOf(batch []*embedding) [][]float32 {
	if len(batch) == 0 {
		return nil
	}
	in, own := make([]infer.Input, len(batch)), make([][]float32, len(batch))
	for i, e := range batch {
		msgs := meanMessages(e.neighbours, r.model.Width(), hidden)
		in[i] = infer.Input{Self: e.h1, Messages: r.withSumMessage(msgs, e.node, e.node.Sum2)}
		own[i] = e.node.Features
	}
	return r.model.Output(r.model.Layer(1, in), own)
}

// Inputs returns, for each artifact, its input vector and what its embedding needs of its features beside that, in two
// halves (infer.Halves): what Attach stores and Drift compares. An artifact among many costs a tenth of one alone.
func (r *Refresher) Inputs(features []infer.Features) [][]float32 {
	return r.model.Artifacts(features, int(graphstore.Artifact))
}

// Transient embeds an artifact that is not in the graph, from its features and from edges to the nodes that it would be
// joined to. It changes nothing.
func (r *Refresher) Transient(g Reader, f infer.Features, edges []graphstore.EdgeSpec) ([]float32, error) {
	self := &graphstore.Node{Type: graphstore.Artifact, Features: r.Inputs([]infer.Features{f})[0]}
	e := &embedding{node: self}
	for _, spec := range edges {
		if spec.Rel == graphstore.RelMedia {
			continue
		}
		n, err := g.Node(graphstore.ID(spec.Type, spec.Key))
		if err != nil {
			return nil, err
		}
		if n == nil {
			n = &graphstore.Node{Type: spec.Type, Key: spec.Key, Features: r.inputOf(spec.Type, spec.Label)}
			n.Placeholder = n.Type == graphstore.Artifact
			n.Hidden = r.firstLayer([]*graphstore.Node{n})[0]
		}
		e.neighbours = append(e.neighbours, neighbour{spec.Rel, n})
	}
	sortNeighbours(e.neighbours)
	r.firstLayerOf([]*embedding{e})
	return r.secondLayerOf([]*embedding{e})[0], nil
}

// inputOf returns h0 of an entity by its label, and of a placeholder, which has none.
func (r *Refresher) inputOf(t graphstore.Type, label string) []float32 {
	if t == graphstore.Artifact {
		return r.model.Node(sparse.Vector{}, int(t))
	}
	return r.model.Node(r.label.Label(label), int(t))
}
