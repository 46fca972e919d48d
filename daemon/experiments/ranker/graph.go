package main

import (
	"fmt"

	"kilim/graphstore"
	"kilim/rerank"
	"kilim/rerank/topk"
)

// growing is an archive of which some have come: the topk.Graph of the lists that a daemon would keep. It counts the rows that are stored.
type growing struct {
	*archive
	node    map[uint64]int // of those that have come
	members map[uint64][]uint64
	links   map[uint64][]uint64
	rows    map[uint64][]byte
	written int
}

func newGrowing(a *archive) *growing {
	return &growing{archive: a, node: map[uint64]int{}, members: map[uint64][]uint64{}, links: map[uint64][]uint64{}, rows: map[uint64][]byte{}}
}

// come takes an artifact up, and returns its node.
func (g *growing) come(i int) uint64 {
	e := g.evidence[i]
	g.node[e.Node] = i
	for _, entity := range e.Entities {
		g.members[entity] = append(g.members[entity], e.Node)
	}
	for _, to := range e.Links {
		g.links[to] = append(g.links[to], e.Node)
	}
	return e.Node
}

// NodeOf implements topk.Graph, as all below.
func (g *growing) NodeOf(id string) uint64 { return uint64(graphstore.ID(graphstore.Artifact, id)) }

func (g *growing) Artifact(node uint64) (topk.Artifact, bool, error) {
	i, ok := g.node[node]
	if !ok {
		return topk.Artifact{}, false, nil
	}
	return topk.Artifact{ID: g.ids[i], Embedding: g.vectors[i]}, true, nil
}

func (g *growing) Artifacts() int { return len(g.node) }

func (g *growing) Evidence(node uint64) (*rerank.Evidence, error) {
	i, ok := g.node[node]
	if !ok {
		return nil, fmt.Errorf("no artifact has node %d", node)
	}
	return g.evidence[i], nil
}

func (g *growing) Entity(node uint64) (topk.Entity, bool, error) {
	n := len(g.members[node])
	return topk.Entity{Node: node, Members: n}, n > 0, nil
}

func (g *growing) Sharing(e topk.Entity, fn func(uint64) bool) error {
	return each(g.members[e.Node], fn)
}

func (g *growing) LinkedFrom(node uint64, fn func(uint64) bool) error { return each(g.links[node], fn) }

func each(nodes []uint64, fn func(uint64) bool) error {
	for _, node := range nodes {
		if !fn(node) {
			break
		}
	}
	return nil
}

func (g *growing) Lists(node uint64) ([]byte, error) { return g.rows[node], nil }

func (g *growing) PutLists(node uint64, row []byte) error {
	g.rows[node] = row
	g.written++
	return nil
}

func (g *growing) DeleteLists(node uint64) error {
	delete(g.rows, node)
	return nil
}

func (g *growing) SetDrift(uint64, float64) error { return nil }
