package listgraph

import (
	"errors"
	"fmt"

	"kilim/graphstore"
	"kilim/rerank"
	"kilim/rerank/topk"
)

// Reader is one state of the store.
type Reader struct{ R *graphstore.Reader }

func (g Reader) NodeOf(id string) uint64 { return uint64(graphstore.ID(graphstore.Artifact, id)) }

func (g Reader) Artifact(node uint64) (topk.Artifact, bool, error) {
	n, err := g.R.Node(graphstore.NodeID(node))
	if err != nil || !n.IsArtifact() {
		return topk.Artifact{}, false, err
	}
	return topk.Artifact{ID: n.Key, Embedding: n.Embedding, Drift: n.Drift}, true, nil
}

func (g Reader) Artifacts() int { return g.R.Counts().Artifacts }

func (g Reader) Evidence(node uint64) (*rerank.Evidence, error) {
	b, err := g.R.Evidence(graphstore.NodeID(node))
	if errors.Is(err, graphstore.ErrDamaged) {
		return nil, fmt.Errorf("%w: %w", topk.ErrLost, err)
	}
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, fmt.Errorf("listgraph: node %d has no document with evidence", node)
	}
	e := new(rerank.Evidence)
	if err := e.Unmarshal(b); err != nil {
		return nil, fmt.Errorf("listgraph: evidence of node %d: %w", node, err)
	}
	return e, nil
}

func (g Reader) Entity(node uint64) (topk.Entity, bool, error) {
	n, err := g.R.Node(graphstore.NodeID(node))
	if err != nil || n == nil {
		return topk.Entity{}, false, err
	}
	return topk.Entity{Node: node, Kind: uint8(n.Type), Members: int(n.Members)}, true, nil
}

func (g Reader) Sharing(e topk.Entity, fn func(uint64) bool) error {
	return g.targets(e.Node, graphstore.Relation(e.Kind)|graphstore.Inverse, fn)
}

func (g Reader) LinkedFrom(node uint64, fn func(uint64) bool) error {
	return g.targets(node, graphstore.RelLink|graphstore.Inverse, fn)
}

func (g Reader) targets(node uint64, rel graphstore.Relation, fn func(uint64) bool) error {
	return g.R.EdgesOf(graphstore.NodeID(node), rel, func(e graphstore.Edge) bool { return fn(uint64(e.To)) })
}

func (g Reader) Lists(node uint64) ([]byte, error) { return g.R.Lists(graphstore.NodeID(node)) }

// Published is the row of an artifact in a store that no unit works with, as in the state that served before this one; nil when it has none.
func Published(in *graphstore.Store, id string) (row *topk.Row, err error) {
	err = in.View(func(r *graphstore.Reader) error {
		g := Reader{R: r}
		node := g.NodeOf(id)
		a, ok, err := g.Artifact(node)
		if err != nil || !ok || a.ID != id {
			return err
		}
		row, err = topk.Stored(g, node)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listgraph: lists of %q as last published: %w", id, err)
	}
	return row, nil
}

// Graph is a unit's transaction.
type Graph struct {
	Reader
	tx *graphstore.Tx
}

// Of returns the Graph of a transaction.
func Of(tx *graphstore.Tx) Graph { return Graph{Reader{&tx.Reader}, tx} }

func (g Graph) PutLists(node uint64, row []byte) error {
	return g.tx.PutLists(graphstore.NodeID(node), row)
}

func (g Graph) DeleteLists(node uint64) error { return g.tx.DeleteLists(graphstore.NodeID(node)) }

func (g Graph) SetDrift(node uint64, drift float64) error {
	n, err := g.tx.Edit(graphstore.NodeID(node))
	if err != nil {
		return err
	}
	if n == nil {
		return fmt.Errorf("listgraph: drift of node %d, which does not exist", node)
	}
	n.Drift = drift
	return nil
}
