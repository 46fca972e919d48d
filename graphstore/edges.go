package graphstore

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/dgraph-io/badger/v4"
)

// relationFilter is a Relation, or allRelations.
type relationFilter int

const allRelations relationFilter = -1

// cachedDegree is the most edges for which a neighbourhood is kept decoded.
// Those of hubs are long, and seldom read twice before they change.
const cachedDegree = 256

// Edges calls fn for each edge of a node, ordered by relation and then by the
// other end, until fn returns false. It is one prefix scan. fn may read, and
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
			return r.scanEdgeRows(id, rel, from, false, emit)
		}
		edges = make([]Edge, 0, n.Degree)
		if err := r.scanEdgeRows(id, allRelations, 0, false, func(c edgeChange) error {
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

// scanEdgeRows emits the edges of a node as they are in badger, with their details if asked for.
func (r *Reader) scanEdgeRows(id NodeID, rel relationFilter, from NodeID, details bool, emit func(edgeChange) error) error {
	prefix := idKey(keyEdge, id)
	if rel != allRelations {
		prefix = append(prefix, byte(rel))
	}
	it := r.snap.txn.NewIterator(badger.IteratorOptions{Prefix: prefix, PrefetchValues: details, PrefetchSize: 64})
	defer it.Close()
	if from > 0 {
		it.Seek(binary.BigEndian.AppendUint64(prefix, uint64(from)))
	} else {
		it.Rewind()
	}
	for ; it.Valid(); it.Next() {
		e, err := parseEdgeKey(it.Item().Key())
		if err != nil {
			return err
		}
		c := edgeChange{edgeEnd: edgeEnd{e.Rel, e.To}}
		if details && e.Rel&Inverse == 0 {
			if err := it.Item().Value(func(sealed []byte) error {
				v, err := unseal(it.Item().Key(), sealed)
				if err == nil {
					c.detail, err = decodeDetail(v)
				}
				return err
			}); err != nil {
				return fmt.Errorf("edge (%s) to %016x: %w", e.Rel, uint64(e.To), err)
			}
		}
		if err := emit(c); err != nil {
			return err
		}
	}
	return nil
}

// outgoing returns the edges of an artifact to others, with their details, in
// scan order.
func (r *Reader) outgoing(id NodeID) ([]edgeChange, error) {
	var out []edgeChange
	err := merge(r.ov.pending(id, allRelations), compareChanges, func(emit func(edgeChange) error) error {
		if r.ov.isAbsentBelow(id) {
			return nil
		}
		return r.scanEdgeRows(id, allRelations, 0, true, emit)
	}, func(c edgeChange) error {
		if c.rel&Inverse != 0 {
			return errStop // inverse relations sort last
		}
		if !c.removed {
			out = append(out, c)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("graphstore: scan edges of node %016x: %w", uint64(id), err)
	}
	return out, nil
}

// detail is what an edge says beside joining its ends: how the artifact writes
// the target, and how it is related. Both are sorted and without repeats. It
// is stored with the forward direction; immutable once made.
type detail struct {
	labels, linkTypes []string
}

func (a *detail) equal(b *detail) bool {
	return slices.Equal(a.labels, b.labels) && slices.Equal(a.linkTypes, b.linkTypes)
}

func encodeDetail(d *detail) []byte {
	b := newRow(32)
	for _, list := range [][]string{d.labels, d.linkTypes} {
		b = binary.AppendUvarint(b, uint64(len(list)))
		for _, s := range list {
			b = appendBytes(b, s)
		}
	}
	return b
}

func decodeDetail(row []byte) (*detail, error) {
	d := decodeRow(row)
	var out detail
	for _, list := range []*[]string{&out.labels, &out.linkTypes} {
		for range d.count(1) {
			*list = append(*list, d.string())
		}
	}
	return &out, d.end()
}
