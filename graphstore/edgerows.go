package graphstore

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/dgraph-io/badger/v4"
)

// All edges of an artifact to others are one row, with what they say: they are written together, by its record. Seen from its
// other end, an edge is a row of its own, for a node may have any number of members, who come and go one by one.

// detail is what an edge says beside joining its ends: how the artifact writes
// the target, and how it is related. Both are sorted and without repeats. It
// is stored with the forward direction; immutable once made.
type detail struct {
	labels, linkTypes []string
}

func (a *detail) equal(b *detail) bool {
	return slices.Equal(a.labels, b.labels) && slices.Equal(a.linkTypes, b.linkTypes)
}

// size is what an edge with this detail takes of the row at most.
func (a *detail) size() int {
	size := 9 + 2*binary.MaxVarintLen32
	for _, list := range [][]string{a.labels, a.linkTypes} {
		for _, s := range list {
			size += binary.MaxVarintLen32 + len(s)
		}
	}
	return size
}

// encodeEdges wants an artifact's edges in scan order.
func encodeEdges(edges []edgeChange) []byte {
	size := binary.MaxVarintLen32
	for i := range edges {
		size += edges[i].detail.size()
	}
	b := binary.AppendUvarint(newRow(size), uint64(len(edges)))
	for i := range edges {
		b = append(b, byte(edges[i].rel))
		b = binary.BigEndian.AppendUint64(b, uint64(edges[i].to))
		for _, list := range [][]string{edges[i].detail.labels, edges[i].detail.linkTypes} {
			b = binary.AppendUvarint(b, uint64(len(list)))
			for _, s := range list {
				b = appendBytes(b, s)
			}
		}
	}
	return b
}

func decodeEdges(row []byte) ([]edgeChange, error) {
	d := decodeRow(row)
	edges := make([]edgeChange, d.count(11))
	details := make([]detail, len(edges))
	for i := range edges {
		e := &edges[i]
		e.rel = Relation(d.byte())
		if to := d.take(8); to != nil {
			e.to = NodeID(binary.BigEndian.Uint64(to))
		}
		e.detail = &details[i]
		for _, list := range []*[]string{&e.detail.labels, &e.detail.linkTypes} {
			for range d.count(1) {
				*list = append(*list, d.string())
			}
		}
		if d.err == nil && (e.rel&Inverse != 0 || i > 0 && edges[i-1].compare(e.edgeEnd) >= 0) {
			d.fail(fmt.Errorf("edge %d is out of order", i))
		}
	}
	return edges, d.end()
}

// ops are the rows of what a Tx did to the edges at a node.
func (t *Tx) edgeOps(ops []op, from NodeID, p *pendingEdges) ([]op, error) {
	forward := false
	for _, c := range p.changes {
		switch {
		case c.rel&Inverse == 0:
			forward = true
		case !c.removed:
			ops = append(ops, op{key: edgeKey(Edge{from, c.rel, c.to}), value: bareRow})
		case !t.ov.isAbsentBelow(from):
			ops = append(ops, op{key: edgeKey(Edge{from, c.rel, c.to})})
		}
	}
	if !forward {
		return ops, nil
	}
	edges, err := t.outgoing(from)
	switch {
	case err != nil:
		return nil, err
	case len(edges) > 0:
		ops = append(ops, op{key: idKey(keyEdge, from), value: encodeEdges(edges)})
	case !t.ov.isAbsentBelow(from):
		ops = append(ops, op{key: idKey(keyEdge, from)})
	}
	return ops, nil
}

// outgoing returns the edges of an artifact to others, with their details, in
// scan order.
func (r *Reader) outgoing(id NodeID) ([]edgeChange, error) {
	var below []edgeChange
	if !r.ov.isAbsentBelow(id) {
		var err error
		if below, err = r.edgesRow(id); err != nil {
			return nil, fmt.Errorf("graphstore: read the edges of node %016x: %w", uint64(id), err)
		}
	}
	pending := r.ov.pending(id, allRelations)
	pending = pending[:inversesAt(pending)]
	if len(pending) == 0 {
		return below, nil
	}
	out := make([]edgeChange, 0, len(below)+len(pending))
	err := merge(pending, compareChanges, func(emit func(edgeChange) error) error { return emitAll(below, emit) },
		func(c edgeChange) error {
			if !c.removed {
				out = append(out, c)
			}
			return nil
		})
	return out, err
}

// inversesAt is where in changes that are in scan order the inverse relations begin.
func inversesAt(changes []edgeChange) int {
	at, _ := slices.BinarySearchFunc(changes, edgeEnd{rel: Inverse}, edgeChange.compare)
	return at
}

func emitAll(edges []edgeChange, emit func(edgeChange) error) error {
	for _, e := range edges {
		if err := emit(e); err != nil {
			return err
		}
	}
	return nil
}

// edgesRow reads an artifact's edges to others from badger.
func (r *Reader) edgesRow(id NodeID) ([]edgeChange, error) {
	row, err := getRow(r.snap.txn, idKey(keyEdge, id))
	if err != nil || row == nil {
		return nil, err
	}
	return decodeEdges(row)
}

// scanEdgeRows emits the edges of a node of the snapshot as they are in badger; those of a relation from the other end from on.
func (r *Reader) scanEdgeRows(n *Node, rel relationFilter, from NodeID, emit func(edgeChange) error) error {
	if n.IsArtifact() && (rel == allRelations || Relation(rel)&Inverse == 0) {
		edges, err := r.edgesRow(n.ID)
		if err != nil {
			return err
		}
		if err := emitAll(ofRelation(edges, rel, from), emit); err != nil {
			return err
		}
	}
	if n.Members == 0 || rel != allRelations && Relation(rel)&Inverse == 0 {
		return nil
	}
	prefix := idKey(keyEdge, n.ID)
	start := append(slices.Clip(prefix), byte(Inverse))
	if rel != allRelations {
		prefix = append(prefix, byte(rel))
		start = binary.BigEndian.AppendUint64(slices.Clip(prefix), uint64(from))
	}
	it := r.snap.txn.NewIterator(badger.IteratorOptions{Prefix: prefix})
	defer it.Close()
	for it.Seek(start); it.Valid(); it.Next() {
		e, err := parseEdgeKey(it.Item().Key())
		if err != nil {
			return err
		}
		if err := emit(edgeChange{edgeEnd: edgeEnd{e.Rel, e.To}}); err != nil {
			return err
		}
	}
	return nil
}

// ofRelation are those of edges in scan order that are of a relation, from the other end from on.
func ofRelation(edges []edgeChange, rel relationFilter, from NodeID) []edgeChange {
	if rel == allRelations {
		return edges
	}
	at, _ := slices.BinarySearchFunc(edges, edgeEnd{Relation(rel), from}, edgeChange.compare)
	end := at
	for end < len(edges) && edges[end].rel == Relation(rel) {
		end++
	}
	return edges[at:end]
}
