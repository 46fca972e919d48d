package pipeline

import (
	"errors"
	"fmt"

	"kilim/graphstore"
	"kilim/rerank"
	"kilim/rerank/topk"
)

// listReader is one state of the store as package topk reads it.
type listReader struct{ r *graphstore.Reader }

func (g listReader) NodeOf(id string) uint64 { return uint64(graphstore.ID(graphstore.Artifact, id)) }

func (g listReader) Artifact(node uint64) (topk.Artifact, bool, error) {
	n, err := g.r.Node(graphstore.NodeID(node))
	if err != nil || !n.IsArtifact() {
		return topk.Artifact{}, false, err
	}
	return topk.Artifact{ID: n.Key, Embedding: n.Embedding, Drift: n.Drift}, true, nil
}

func (g listReader) Artifacts() int { return g.r.Counts().Artifacts }

func (g listReader) Evidence(node uint64) (*rerank.Evidence, error) {
	b, err := g.r.Evidence(graphstore.NodeID(node))
	if errors.Is(err, graphstore.ErrDamaged) {
		return nil, fmt.Errorf("%w: %w", topk.ErrLost, err)
	}
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, fmt.Errorf("pipeline: node %d has no document with evidence", node)
	}
	e := new(rerank.Evidence)
	if err := e.Unmarshal(b); err != nil {
		return nil, fmt.Errorf("pipeline: evidence of node %d: %w", node, err)
	}
	return e, nil
}

func (g listReader) Entity(node uint64) (topk.Entity, bool, error) {
	n, err := g.r.Node(graphstore.NodeID(node))
	if err != nil || n == nil {
		return topk.Entity{}, false, err
	}
	return topk.Entity{Node: node, Kind: uint8(n.Type), Members: int(n.Members)}, true, nil
}

func (g listReader) Sharing(e topk.Entity, fn func(uint64) bool) error {
	return g.targets(e.Node, graphstore.Relation(e.Kind)|graphstore.Inverse, fn)
}

func (g listReader) LinkedFrom(node uint64, fn func(uint64) bool) error {
	return g.targets(node, graphstore.RelLink|graphstore.Inverse, fn)
}

func (g listReader) targets(node uint64, rel graphstore.Relation, fn func(uint64) bool) error {
	return g.r.EdgesOf(graphstore.NodeID(node), rel, func(e graphstore.Edge) bool { return fn(uint64(e.To)) })
}

func (g listReader) Lists(node uint64) ([]byte, error) { return g.r.Lists(graphstore.NodeID(node)) }

func (g listReader) ListedBy(node uint64, fn func(uint64) bool) error {
	return g.r.ListedBy(graphstore.NodeID(node), func(by graphstore.NodeID) bool { return fn(uint64(by)) })
}

// listGraph is a unit's transaction as package topk reads and writes it.
type listGraph struct {
	listReader
	tx *graphstore.Tx
}

func (g listGraph) PutLists(node uint64, row []byte) error {
	return g.tx.PutLists(graphstore.NodeID(node), row)
}

func (g listGraph) DeleteLists(node uint64) error { return g.tx.DeleteLists(graphstore.NodeID(node)) }

func (g listGraph) SetListedBy(node, by uint64, on bool) error {
	return g.tx.SetListedBy(graphstore.NodeID(node), graphstore.NodeID(by), on)
}

func (g listGraph) SetDrift(node uint64, drift float64) error {
	n, err := g.tx.Edit(graphstore.NodeID(node))
	if err != nil {
		return err
	}
	if n == nil {
		return fmt.Errorf("pipeline: drift of node %d, which does not exist", node)
	}
	n.Drift = drift
	return nil
}
