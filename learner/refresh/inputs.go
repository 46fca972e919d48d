package refresh

import (
	"fmt"

	"kilim/graphstore"
	"kilim/learner/sage"
)

// neighbour is an edge of an artifact with the node at its other end.
type neighbour struct {
	rel  graphstore.Relation
	node *graphstore.Node
}

// outward reads the entities and link targets of an artifact, in the order of
// the scan (relation, target), which fixes the order in which means are summed.
func outward(g Reader, id graphstore.NodeID) ([]neighbour, error) {
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

// gather averages, per relation, what vector gives of each neighbour. A
// neighbour without that vector is left out.
func gather(nbs []neighbour, width int, vector func(*graphstore.Node) []float32) []sage.Message {
	var msgs []sage.Message
	for i := 0; i < len(nbs); {
		rel, n := nbs[i].rel, 0
		mean := make([]float32, width)
		for ; i < len(nbs) && nbs[i].rel == rel; i++ {
			v := vector(nbs[i].node)
			if len(v) == 0 {
				continue
			}
			for j, x := range v {
				mean[j] += x
			}
			n++
		}
		if n == 0 {
			continue
		}
		for j := range mean {
			mean[j] /= float32(n)
		}
		msgs = append(msgs, sage.Message{Relation: relationIndex(rel), Mean: mean})
	}
	return msgs
}

func features(n *graphstore.Node) []float32 { return n.Features }
func hidden(n *graphstore.Node) []float32   { return n.Hidden }

// fromSum adds the mean of a running sum over the artifacts that point at n.
func (r *Refresher) fromSum(msgs []sage.Message, n *graphstore.Node, sum []int64) []sage.Message {
	if n.Members == 0 || len(sum) == 0 {
		return msgs
	}
	mean := make([]float32, r.model.Width())
	meanOf(sum, n.Members, mean)
	return append(msgs, sage.Message{Relation: relationIndex(inwardRelation(n)), Mean: mean})
}

// inwardRelation is the relation by which n sees the artifacts that point at it.
func inwardRelation(n *graphstore.Node) graphstore.Relation {
	if n.Type == graphstore.Artifact {
		return graphstore.RelLink | graphstore.Inverse
	}
	return graphstore.Relation(n.Type) | graphstore.Inverse
}

// rows returns n rows of a width in one block.
func rows(n, width int) [][]float32 {
	block := make([]float32, n*width)
	out := make([][]float32, n)
	for i := range out {
		out[i] = block[i*width : (i+1)*width : (i+1)*width]
	}
	return out
}

// firstLayer computes h1 of nodes that are seen only through their running
// sums: entities and placeholders.
func (r *Refresher) firstLayer(nodes []*graphstore.Node) [][]float32 {
	in := make([]sage.Input, len(nodes))
	for i, n := range nodes {
		in[i] = sage.Input{Self: n.Features, Messages: r.fromSum(nil, n, n.Sum1)}
	}
	out := rows(len(nodes), r.model.Width())
	if len(nodes) > 0 {
		r.model.Layer(0, in, out)
	}
	return out
}

// embedding is one artifact on its way through the layers.
type embedding struct {
	id         graphstore.NodeID
	node       *graphstore.Node
	neighbours []neighbour
	h1         []float32
}

func (r *Refresher) firstLayerOf(batch []*embedding) {
	in := make([]sage.Input, len(batch))
	out := rows(len(batch), r.model.Width())
	for i, e := range batch {
		msgs := gather(e.neighbours, r.model.Width(), features)
		in[i] = sage.Input{Self: e.node.Features, Messages: r.fromSum(msgs, e.node, e.node.Sum1)}
		e.h1 = out[i]
	}
	if len(batch) > 0 {
		r.model.Layer(0, in, out)
	}
}

func (r *Refresher) secondLayerOf(batch []*embedding) [][]float32 {
	in := make([]sage.Input, len(batch))
	h2 := rows(len(batch), r.model.Width())
	out := rows(len(batch), r.model.EmbeddingDim())
	for i, e := range batch {
		msgs := gather(e.neighbours, r.model.Width(), hidden)
		in[i] = sage.Input{Self: e.h1, Messages: r.fromSum(msgs, e.node, e.node.Sum2)}
	}
	if len(batch) > 0 {
		r.model.Layer(1, in, h2)
	}
	for i, e := range batch {
		r.model.Output(h2[i], e.node.Features, out[i])
	}
	return out
}

// Transient embeds an artifact that is not in the graph: features as for
// Input, edges to the nodes it would be joined to. It changes nothing.
func (r *Refresher) Transient(g Reader, feat []float32, edges []graphstore.EdgeSpec) ([]float32, error) {
	self := &graphstore.Node{Type: graphstore.Artifact, Features: make([]float32, r.model.Width())}
	r.model.Input(feat, int(graphstore.Artifact), self.Features)
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
			n.Hidden = r.firstLayer([]*graphstore.Node{n})[0]
		}
		e.neighbours = append(e.neighbours, neighbour{spec.Rel, n})
	}
	sortNeighbours(e.neighbours)
	r.firstLayerOf([]*embedding{e})
	return r.secondLayerOf([]*embedding{e})[0], nil
}

// inputOf is h0 of an entity by its label, and of a placeholder, which has none.
func (r *Refresher) inputOf(t graphstore.Type, label string) []float32 {
	out := make([]float32, r.model.Width())
	if t == graphstore.Artifact {
		r.model.Input(nil, int(t), out)
		return out
	}
	f := make([]float32, r.label.Dim())
	r.label.Label(label, f)
	r.model.Input(f, int(t), out)
	return out
}
