package main

import (
	"slices"

	"kilim/graphstore"
	"kilim/learner/refresh"
)

// graph is a typed graph in memory, as package refresh reads and edits it. It has no transactions and keeps no pushes: a
// run that ends has nothing to go on from.
type graph struct {
	nodes []*node // that of id i is nodes[i-1]
}

var _ refresh.Graph = (*graph)(nil)

type node struct {
	graphstore.Node
	ends []ends // by relation
}

// ends are the nodes at the other end of a node's edges of one relation, ascending.
type ends struct {
	rel graphstore.Relation
	ids []graphstore.NodeID
}

// add adds a node without edges. Ids count from 1.
func (g *graph) add(typ graphstore.Type, key string) graphstore.NodeID {
	id := graphstore.NodeID(len(g.nodes) + 1)
	g.nodes = append(g.nodes, &node{Node: graphstore.Node{ID: id, Type: typ, Key: key}})
	return id
}

// at returns a node, nil for an unknown id.
func (g *graph) at(id graphstore.NodeID) *node {
	if id < 1 || id > graphstore.NodeID(len(g.nodes)) {
		return nil
	}
	return g.nodes[id-1]
}

// connect adds an edge, disconnect removes one. Both ends must be there.
func (g *graph) connect(e graphstore.Edge) {
	from, to := g.at(e.From), g.at(e.To)
	from.of(e.Rel).insert(e.To)
	to.of(e.Rel | graphstore.Inverse).insert(e.From)
	to.Members++
}

func (g *graph) disconnect(e graphstore.Edge) {
	from, to := g.at(e.From), g.at(e.To)
	from.of(e.Rel).remove(e.To)
	to.of(e.Rel | graphstore.Inverse).remove(e.From)
	to.Members--
}

func (n *node) find(rel graphstore.Relation) (at int, ok bool) {
	return slices.BinarySearchFunc(n.ends, rel, func(e ends, rel graphstore.Relation) int { return int(e.rel) - int(rel) })
}

func (n *node) of(rel graphstore.Relation) *ends {
	at, ok := n.find(rel)
	if !ok {
		n.ends = slices.Insert(n.ends, at, ends{rel: rel})
	}
	return &n.ends[at]
}

func (e *ends) insert(id graphstore.NodeID) {
	if at, ok := slices.BinarySearch(e.ids, id); !ok {
		e.ids = slices.Insert(e.ids, at, id)
	}
}

func (e *ends) remove(id graphstore.NodeID) {
	if at, ok := slices.BinarySearch(e.ids, id); ok {
		e.ids = slices.Delete(e.ids, at, at+1)
	}
}

func (g *graph) Node(id graphstore.NodeID) (*graphstore.Node, error) {
	if n := g.at(id); n != nil {
		return &n.Node, nil
	}
	return nil, nil
}

func (g *graph) Edit(id graphstore.NodeID) (*graphstore.Node, error) { return g.Node(id) }

func (g *graph) Edges(id graphstore.NodeID, fn func(graphstore.Edge) bool) error {
	n := g.at(id)
	if n == nil {
		return nil
	}
	for _, e := range n.ends {
		for _, to := range e.ids {
			if !fn(graphstore.Edge{From: id, Rel: e.rel, To: to}) {
				return nil
			}
		}
	}
	return nil
}

func (g *graph) EdgesOf(id graphstore.NodeID, rel graphstore.Relation, fn func(graphstore.Edge) bool) error {
	return g.EdgesAfter(id, rel, 0, fn)
}

func (g *graph) EdgesAfter(id graphstore.NodeID, rel graphstore.Relation, after graphstore.NodeID, fn func(graphstore.Edge) bool) error {
	n := g.at(id)
	if n == nil {
		return nil
	}
	at, ok := n.find(rel)
	if !ok {
		return nil
	}
	ids := n.ends[at].ids
	from, _ := slices.BinarySearch(ids, after+1)
	for _, to := range ids[from:] {
		if !fn(graphstore.Edge{From: id, Rel: rel, To: to}) {
			return nil
		}
	}
	return nil
}

func (g *graph) PutPush(graphstore.Push) error { return nil }

func (g *graph) DeletePush(graphstore.NodeID) error { return nil }
