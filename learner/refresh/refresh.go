package refresh

import (
	"errors"
	"fmt"

	"kilim/graphstore"
	"kilim/internal/waiting"
	"kilim/learner/model/infer"
	"kilim/learner/tensor/sparse"
)

// Reader is the part of the graph that a forward pass reads.
type Reader interface {
	// Node returns nil for an unknown id. The node may not be modified.
	Node(id graphstore.NodeID) (*graphstore.Node, error)
	// Edges calls fn for each edge from id, by relation and target, until fn returns false.
	Edges(id graphstore.NodeID, fn func(graphstore.Edge) bool) error
	// EdgesOf is Edges for one relation.
	EdgesOf(id graphstore.NodeID, rel graphstore.Relation, fn func(graphstore.Edge) bool) error
	// EdgesAfter is EdgesOf for targets greater than after.
	EdgesAfter(id graphstore.NodeID, rel graphstore.Relation, after graphstore.NodeID, fn func(graphstore.Edge) bool) error
}

// Graph is the graph as one atomic batch reads and changes it.
type Graph interface {
	Reader
	// Edit returns the batch's own copy of a node, written with the batch.
	Edit(id graphstore.NodeID) (*graphstore.Node, error)
	PutPush(graphstore.Push) error
	DeletePush(id graphstore.NodeID) error
}

// Model is the forward pass, as package infer computes it. Its functions are pure, safe for concurrent use, and give a
// row the same bits whatever other rows are in a batch.
type Model interface {
	// Layers is the depth, 2 or 3.
	Layers() int
	// Width is the length of a block of the vectors that a layer reads: 0 stands for h0, 1 for h1, 2 for h2. A vector has a block for
	// each modality.
	Width(layer int) int
	// MessageWidth is the length of a block of what nodes give to those who read them, and of a Message.
	MessageWidth(layer int) int
	// Give returns what a node with a vector v, which a layer reads, gives to those who read it over a relation (RelationIndex): with the
	// same bits on every processor, and v itself where MessageWidth is Width. It may be kept, but not modified.
	Give(layer, relation int, v []float32) []float32
	// Gathers tells whether an artifact reads the nodes that it points at over a relation (RelationIndex). Those that point
	// at a node are read by it in any case.
	Gathers(relation int) bool
	// Node returns h0 of an entity or a placeholder, from the features of its label (the zero Vector: none).
	Node(label sparse.Vector, typ int) []float32
	// Artifacts returns, for each artifact, h0 and what Output needs of its features, in two halves (infer.Halves).
	Artifacts(f []infer.Features, typ int) [][]float32
	// Layer returns the vectors of a layer below the last. The means that it reads may be off by an RMS of off; what that makes of the
	// vectors must be in them, so that Embed can tell.
	Layer(layer int, in []infer.Input, off float32) [][]float32
	// Embed is the last layer. It returns the embeddings of artifacts, of what that reads and of their features; and, where the means that it
	// reads may be off by an RMS above 0, how far each embedding may be off then.
	Embed(in []infer.Input, features [][]float32, off float32) (embeddings [][]float32, drifts []float64)
}

// LabelEncoder makes the features of an entity's label. They may depend on nothing but the label.
type LabelEncoder interface {
	Label(label string) sparse.Vector
}

// Config says how exact the refresh is.
type Config struct {
	// Epsilon is the RMS change of a first-layer vector, per coordinate of a block, above which it is pushed to its
	// dependants. 0 is exact.
	Epsilon float32
	// MediaNodes has artifacts read the contents of their media as nodes, see Content.
	MediaNodes bool
}

// Refresher has the model and the queue of pending pushes. It serves one Pass at a time and is not safe for concurrent
// use.
type Refresher struct {
	cfg   Config
	model Model
	// layers are the Model's.
	layers int
	label  LabelEncoder
	// gathers: the model gathers over some relation.
	gathers bool
	// weighs: what a node gives depends on the relation.
	weighs bool
	queue  pushQueue
	// rechecks are the nodes that Recheck was given and no Pass has looked at.
	rechecks     []graphstore.NodeID
	rechecksWait waiting.Since
	// passes counts the Passes; a Pass's number counts from 1.
	passes uint64
	// lastEmbedded is, while pushes are pending, the number of the last Pass that embedded an artifact. That Pass has
	// read all pushes started until then: when all entities of an artifact push, it is embedded once, not once for
	// each.
	lastEmbedded map[graphstore.NodeID]uint64
}

// New returns a Refresher without pending pushes.
func New(cfg Config, model Model, label LabelEncoder) (*Refresher, error) {
	if !(cfg.Epsilon >= 0) {
		return nil, fmt.Errorf("refresh: epsilon %v: must be 0 or more", cfg.Epsilon)
	}
	if model == nil || label == nil {
		return nil, errors.New("refresh: a model and a labeler are needed")
	}
	r := &Refresher{cfg: cfg, model: model, layers: model.Layers(), label: label}
	if r.layers < 2 || r.layers > mostLayers {
		return nil, fmt.Errorf("refresh: a model of %d layers: must be 2 or %d", r.layers, mostLayers)
	}
	r.weighs = model.MessageWidth(0) != model.Width(0)
	for rel := range graphstore.Relation(Relations / 2) {
		r.gathers = r.gathers || model.Gathers(RelationIndex(rel))
	}
	return r, nil
}

// Load takes up the pushes that the store has pending.
func (r *Refresher) Load(pending []graphstore.Push) {
	for _, p := range pending {
		r.queue.put(p)
		r.queue.withInputs(p.Node)
	}
}

// Waits have since when pushes are on their way and nodes are to be rechecked.
func (r *Refresher) Waits() []*waiting.Since {
	return []*waiting.Since{&r.queue.waits, &r.rechecksWait}
}

// Pending is the number of nodes whose latest push has not reached all of their dependants, or that are to be rechecked.
func (r *Refresher) Pending() int { return r.queue.len() + len(r.rechecks) }

// Moved is an artifact whose embedding was recomputed.
type Moved struct {
	ID graphstore.NodeID
	// New is true when the artifact had no embedding before.
	New bool
	// Distance is the Euclidean distance of the new embedding from the old, both unit vectors: 0 (unmoved) to 2. It is
	// infinite when New.
	Distance float64
}

// RelationIndex numbers relations for the model: the inverse of a relation is a relation of its own.
func RelationIndex(rel graphstore.Relation) int {
	i := int(rel&^graphstore.Inverse) * 2
	if rel&graphstore.Inverse != 0 {
		i++
	}
	return i
}

// Relations is the number of relation indices, which the model must have.
const Relations = 64
