package refresh

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"kilim/graphstore"
	"kilim/learner/model/infer"
	"kilim/learner/tensor/sparse"
)

// neighbour is an edge of an artifact with the node at its other end.
type neighbour struct {
	rel  graphstore.Relation
	node *graphstore.Node
}

// outEdges reads the edges of an artifact to entities and link targets, whose running sums have its vectors. Their order
// is that of the scan (relation, target), which fixes the order in which means are summed.
func outEdges(g Reader, id graphstore.NodeID) (edges []graphstore.Edge, err error) {
	edges = make([]graphstore.Edge, 0, usualEdges)
	err = g.Edges(id, func(e graphstore.Edge) bool {
		if e.Rel&graphstore.Inverse != 0 {
			return false // inverse relations come last: an artifact that many link to is not scanned to its end
		}
		if e.Rel != graphstore.RelMedia {
			edges = append(edges, e)
		}
		return true
	})
	return edges, err
}

// usualEdges is room for the edges that most artifacts have.
const usualEdges = 16

// gather reads the nodes at the ends of those edges over which the model gathers.
func (r *Refresher) gather(g Reader, edges []graphstore.Edge) ([]neighbour, error) {
	out := make([]neighbour, 0, len(edges))
	for _, e := range edges {
		if !r.model.Gathers(RelationIndex(e.Rel)) {
			continue
		}
		n, err := g.Node(e.To)
		if err != nil {
			return nil, err
		}
		if n == nil {
			return nil, missing(e)
		}
		out = append(out, neighbour{e.Rel, n})
	}
	return out, nil
}

func missing(e graphstore.Edge) error {
	return fmt.Errorf("refresh: node %d is joined to %d, which does not exist", e.From, e.To)
}

// meanMessages averages, per relation, what neighbours give of their vectors of a layer: each block over the neighbours that have it. vector
// returns that of a node. Most artifacts have one neighbour of a relation, which gives the mean as it is.
func (r *Refresher) meanMessages(l int, nbs []neighbour, vector func(*graphstore.Node) []float32) []infer.Message {
	var msgs []infer.Message
	width := r.model.MessageWidth(l)
	for len(nbs) > 0 {
		n := 1
		for n < len(nbs) && nbs[n].rel == nbs[0].rel {
			n++
		}
		relation := RelationIndex(nbs[0].rel)
		given := func(n *graphstore.Node) []float32 { return r.model.Give(l, relation, vector(n)) }
		mean := trimmed(given(nbs[0].node), width)
		if n > 1 {
			mean = meanOver(nbs[:n], width, given)
		}
		if len(mean) > 0 {
			msgs = append(msgs, infer.Message{Relation: relation, Mean: mean})
		}
		nbs = nbs[n:]
	}
	return msgs
}

// trimmed is a vector without absent blocks at its end.
func trimmed(v []float32, width int) []float32 {
	for len(v) > 0 && !present(v[len(v)-width:]) {
		v = v[:len(v)-width]
	}
	return v
}

// meanOver averages the vectors of all neighbours, each block over those that have it.
func meanOver(nbs []neighbour, width int, vector func(*graphstore.Node) []float32) (mean []float32) {
	var counts []float32
	for i := range nbs {
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
	for b, n := range counts {
		if n > 1 {
			for j := b * width; j < (b+1)*width; j++ {
				mean[j] /= n
			}
		}
	}
	return mean
}

// features returns h0 of a node.
func features(n *graphstore.Node) []float32 {
	if n.IsArtifact() {
		h0, _ := infer.Halves(n.Features)
		return h0
	}
	return n.Features
}

// incomingRelation is the relation by which n reads the artifacts that point at it.
func incomingRelation(n *graphstore.Node) graphstore.Relation {
	if n.Type == graphstore.Artifact {
		return graphstore.RelLink | graphstore.Inverse
	}
	return graphstore.Relation(n.Type) | graphstore.Inverse
}

// reading is what a layer reads at a node: its own vector, those of neighbours, and a running sum of those that point at it.
type reading struct {
	self       []float32
	neighbours []neighbour
	vector     func(*graphstore.Node) []float32
	sum        []int64
	sumOver    graphstore.Relation
}

// layerInputs makes what a layer of many nodes reads. The means are made in chunks on all processors: each is a function of its
// node's neighbourhood alone, so their division leaves no trace.
func (r *Refresher) layerInputs(l int, nodes []reading) []infer.Input {
	width := r.model.MessageWidth(l)
	in := make([]infer.Input, len(nodes))
	inChunks(len(nodes), func(from, to int) {
		length := 0
		for _, n := range nodes[from:to] {
			length += meanLength(n.sum, width)
		}
		means := make([]float32, length)
		for i := from; i < to; i++ {
			n := &nodes[i]
			in[i] = infer.Input{Self: n.self, Messages: r.meanMessages(l, n.neighbours, n.vector)}
			if length := meanLength(n.sum, width); length > 0 {
				meanOf(n.sum, width, means[:length])
				in[i].Messages = append(in[i].Messages, infer.Message{Relation: RelationIndex(n.sumOver), Mean: means[:length:length]})
				means = means[length:]
			}
		}
	})
	return in
}

// chunk is how many nodes a goroutine takes at a time: fewer would not be worth starting it.
const chunk = 32

// inChunks calls work for consecutive chunks of n nodes, on all processors.
func inChunks(n int, work func(from, to int)) {
	var next atomic.Int64
	run := func() {
		for {
			from := int(next.Add(1)-1) * chunk
			if from >= n {
				return
			}
			work(from, min(from+chunk, n))
		}
	}
	var wg sync.WaitGroup
	for range min((n+chunk-1)/chunk, runtime.GOMAXPROCS(0)) - 1 {
		wg.Go(run)
	}
	run()
	wg.Wait()
}

// firstLayer computes h1 of entities and placeholders, which read their neighbours through their running sums only.
func (r *Refresher) firstLayer(nodes []*graphstore.Node) [][]float32 {
	if len(nodes) == 0 {
		return nil
	}
	all := make([]reading, len(nodes))
	for i, n := range nodes {
		all[i] = reading{self: n.Features, sum: n.Sum1, sumOver: incomingRelation(n)}
	}
	return r.model.Layer(0, r.layerInputs(0, all), r.cfg.Epsilon)
}

// embedding is the computation of one artifact's embedding.
type embedding struct {
	id   graphstore.NodeID
	node *graphstore.Node
	// edges lead to those who read the artifact by their sums, neighbours are those at the ends of edges that it reads.
	edges      []graphstore.Edge
	neighbours []neighbour
	h          vectors // h[0] is not used: Features has it
}

// read reads the edges and the neighbours.
func (e *embedding) read(r *Refresher, g Reader) (err error) {
	if e.edges, err = outEdges(g, e.id); err != nil {
		return err
	}
	e.neighbours, err = r.gather(g, e.edges)
	return err
}

// layerOf computes a layer below the last.
func (r *Refresher) layerOf(layer int, batch []*embedding) {
	if len(batch) == 0 {
		return
	}
	for i, h := range r.model.Layer(layer, r.layerInputs(layer, readings(layer, batch)), r.cfg.Epsilon) {
		batch[i].h[layer+1] = h
	}
}

func readings(layer int, batch []*embedding) []reading {
	vector := features
	if layer > 0 {
		vector = func(n *graphstore.Node) []float32 { return told(n, layer) }
	}
	all := make([]reading, len(batch))
	for i, e := range batch {
		self := e.h[layer]
		if layer == 0 {
			self = features(e.node)
		}
		all[i] = reading{self, e.neighbours, vector, sumOf(e.node, layer), incomingRelation(e.node)}
	}
	return all
}

// lastLayerOf returns the embeddings, and how far each may be off since those that it reads may have moved by Epsilon and not
// told it; drifts is nil where Epsilon is 0.
func (r *Refresher) lastLayerOf(batch []*embedding) (embeddings [][]float32, drifts []float64) {
	if len(batch) == 0 {
		return nil, nil
	}
	own := make([][]float32, len(batch))
	for i, e := range batch {
		own[i] = e.node.Features
	}
	last := r.layers - 1
	return r.model.Embed(r.layerInputs(last, readings(last, batch)), own, r.cfg.Epsilon)
}

// whole computes one artifact's vectors and embedding from what has been read, and how far the embedding may be off.
func (r *Refresher) whole(e *embedding) (embedded []float32, drift float64) {
	for l := range r.layers - 1 {
		r.layerOf(l, []*embedding{e})
	}
	out, drifts := r.lastLayerOf([]*embedding{e})
	if drifts != nil {
		drift = drifts[0]
	}
	return out[0], drift
}

// Inputs returns, for each artifact, its input vector and what its embedding needs of its features beside that, in two
// halves (infer.Halves): what Attach stores and Drift compares. An artifact among many costs a tenth of one alone.
func (r *Refresher) Inputs(features []infer.Features) [][]float32 {
	return r.model.Artifacts(features, int(graphstore.Artifact))
}

// Transient embeds an artifact that is not in the graph, from its features and from edges to the nodes that it would be
// joined to, and tells how far the embedding may be off. It changes nothing.
func (r *Refresher) Transient(g Reader, f infer.Features, edges []graphstore.EdgeSpec, contents []Content) (vector []float32, drift float64, err error) {
	self := &graphstore.Node{Type: graphstore.Artifact, Features: r.Inputs([]infer.Features{f})[0]}
	e := &embedding{node: self}
	for _, spec := range edges {
		if spec.Rel == graphstore.RelMedia || !r.model.Gathers(RelationIndex(spec.Rel)) {
			continue
		}
		n, err := g.Node(graphstore.ID(spec.Type, spec.Key))
		if err != nil {
			return nil, 0, err
		}
		if n == nil {
			n = r.lonely(&graphstore.Node{Type: spec.Type, Key: spec.Key, Placeholder: spec.Type == graphstore.Artifact, Features: r.inputOf(spec.Type, spec.Label)})
		}
		e.neighbours = append(e.neighbours, neighbour{spec.Rel, n})
	}
	if e.neighbours, err = r.withContents(g, e.neighbours, contents); err != nil {
		return nil, 0, err
	}
	sortNeighbours(e.neighbours)
	vector, drift = r.whole(e)
	return vector, drift, nil
}

// lonely returns a node, which is not in the graph and which nothing points at, with what it would tell.
func (r *Refresher) lonely(n *graphstore.Node) *graphstore.Node {
	h := r.vectorsOf(n)
	for l := 1; l < r.layers; l++ {
		tell(n, l, h[l])
	}
	return n
}

// inputOf returns h0 of an entity by its label, and of a placeholder, which has none.
func (r *Refresher) inputOf(t graphstore.Type, label string) []float32 {
	if t == graphstore.Artifact {
		return r.model.Node(sparse.Vector{}, int(t))
	}
	return r.model.Node(r.label.Label(label), int(t))
}
