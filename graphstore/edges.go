package graphstore

import (
	"fmt"
	"math"
	"slices"
)

// relationFilter is a Relation, or allRelations.
type relationFilter int

const allRelations relationFilter = -1

// cachedDegree is the most edges for which a neighbourhood is kept decoded.
// Those of hubs are long, and seldom read twice before they change.
const cachedDegree = 256

// Edges calls fn for each edge of a node, ordered by relation and then by the
// other end, until fn returns false. fn may read, and
// in a Tx write; whether the scan shows what fn writes is not said.
func (r *Reader) Edges(id NodeID, fn func(Edge) bool) error {
	return r.scanEdges(id, allRelations, 0, fn)
}

// EdgesOf is Edges for one relation, in one direction.
func (r *Reader) EdgesOf(id NodeID, rel Relation, fn func(Edge) bool) error {
	return r.scanEdges(id, relationFilter(rel), 0, fn)
}

// EdgesAfter is EdgesOf for the other ends greater than after. It seeks: going on in the
// neighbourhood of a hub costs no more than what is read.
func (r *Reader) EdgesAfter(id NodeID, rel Relation, after NodeID, fn func(Edge) bool) error {
	if after == math.MaxUint64 {
		return r.broken
	}
	return r.scanEdges(id, relationFilter(rel), after+1, fn)
}

// scanEdges shows the edges of a relation from the other end from on; from is 0 for all relations.
func (r *Reader) scanEdges(id NodeID, rel relationFilter, from NodeID, fn func(Edge) bool) error {
	if r.broken != nil {
		return r.broken
	}
	pending := r.ov.pending(id, rel)
	if from > 0 {
		at, _ := slices.BinarySearchFunc(pending, edgeEnd{Relation(rel), from}, edgeChange.compare)
		pending = pending[at:]
	}
	err := merge(pending, compareChanges, func(emit func(edgeChange) error) error {
		return r.committedEdges(id, rel, from, emit)
	}, func(c edgeChange) error {
		if !c.removed && !fn(Edge{From: id, Rel: c.rel, To: c.to}) {
			return errStop
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("graphstore: scan edges of node %016x: %w", uint64(id), err)
	}
	return nil
}

// committedEdges emits the edges of a node as the snapshot has them, without details.
func (r *Reader) committedEdges(id NodeID, rel relationFilter, from NodeID, emit func(edgeChange) error) error {
	if r.ov.isAbsentBelow(id) {
		return nil
	}
	edges, ok := r.s.edges.get(id, r.snap.gen)
	if !ok {
		n, err := r.committedNode(id)
		if err != nil || n == nil {
			return err
		}
		if n.Degree > cachedDegree {
			return r.scanEdgeRows(n, rel, from, emit)
		}
		edges = make([]Edge, 0, n.Degree)
		if err := r.scanEdgeRows(n, allRelations, 0, func(c edgeChange) error {
			edges = append(edges, Edge{From: id, Rel: c.rel, To: c.to})
			return nil
		}); err != nil {
			return err
		}
		r.s.edges.offer(id, r.snap.gen, edges, 128+24*len(edges))
	}
	if rel != allRelations {
		at, _ := slices.BinarySearchFunc(edges, edgeEnd{Relation(rel), from}, func(e Edge, end edgeEnd) int { return edgeEnd{e.Rel, e.To}.compare(end) })
		edges = edges[at:]
	}
	for _, e := range edges {
		if rel != allRelations && e.Rel != Relation(rel) {
			break
		}
		if err := emit(edgeChange{edgeEnd: edgeEnd{e.Rel, e.To}}); err != nil {
			return err
		}
	}
	return nil
}
