package pipeline

import (
	"fmt"
	"math"

	"kilim/graphstore"
	"kilim/learner/encode/text"
	"kilim/rerank"
)

// nodes is what evidence and weights read of the graph: a unit's transaction, or a reader.
type nodes interface {
	Node(graphstore.NodeID) (*graphstore.Node, error)
	Artifact(id string) (*graphstore.Doc, error)
	EdgesOf(graphstore.NodeID, graphstore.Relation, func(graphstore.Edge) bool) error
	Edges(graphstore.NodeID, func(graphstore.Edge) bool) error
	Counts() graphstore.Counts
}

// evidenceOf returns what stage 2 knows of an artifact.
func (e *Engine) evidenceOf(g nodes, id graphstore.NodeID) (*rerank.Evidence, error) {
	if ev, ok := e.evidence.Get(id); ok {
		return ev, nil
	}
	n, err := g.Node(id)
	if err != nil {
		return nil, err
	}
	if !n.IsArtifact() {
		return nil, fmt.Errorf("pipeline: evidence of node %d, which is not an artifact", id)
	}
	doc, err := g.Artifact(n.Key)
	if err != nil {
		return nil, err
	}
	if doc == nil {
		return nil, fmt.Errorf("pipeline: artifact %q has a node and no document", n.Key)
	}
	ev := new(rerank.Evidence)
	if err := ev.Unmarshal(doc.Evidence); err != nil {
		return nil, fmt.Errorf("pipeline: artifact %q: %w", n.Key, err)
	}
	return ev, nil
}

// weights are the inverse document frequencies at one state of the archive.
type weights struct {
	g        nodes
	table    *text.Table
	artifact float64
	entities map[uint64]float32
	err      error
}

func newWeights(g nodes, table *text.Table) *weights {
	return &weights{g: g, table: table, artifact: float64(g.Counts().Artifacts), entities: map[uint64]float32{}}
}

func (w *weights) WordIDF(bucket uint32) float32 { return w.table.IDF(bucket) }

// EntityIDF is ln((1+N)/(1+n)) + 1 for an entity that n of N artifacts share. An
// entity that is in no stored artifact (a query's own) has n = 0.
func (w *weights) EntityIDF(node uint64) float32 {
	if v, ok := w.entities[node]; ok {
		return v
	}
	n, err := w.g.Node(graphstore.NodeID(node))
	if err != nil && w.err == nil {
		w.err = err
	}
	members := 0.0
	if n != nil {
		members = float64(n.Members)
	}
	v := float32(math.Log((1+w.artifact)/(1+members)) + 1)
	w.entities[node] = v
	return v
}
