package graphstore

import (
	"bytes"
	"encoding/binary"
	"errors"
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

// errStop ends a scan early; it does not leave the package.
var errStop = errors.New("stop")

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
	err := merge(id, pending, func(emit func(edgeChange) error) error {
		return r.committedEdges(id, rel, from, emit)
	}, func(c edgeChange) error {
		if !fn(Edge{From: id, Rel: c.rel, To: c.to}) {
			return errStop
		}
		return nil
	})
	if err != nil && err != errStop {
		return fmt.Errorf("graphstore: scan edges of node %016x: %w", uint64(id), err)
	}
	return nil
}

// merge shows what base emits, changed by pending; both are in scan order.
func merge(id NodeID, pending []edgeChange, base func(emit func(edgeChange) error) error, fn func(edgeChange) error) error {
	show := func(c edgeChange) error {
		if c.removed {
			return nil
		}
		return fn(c)
	}
	err := base(func(c edgeChange) error {
		for len(pending) > 0 {
			order := pending[0].compare(c.edgeEnd)
			if order > 0 {
				break
			}
			p := pending[0]
			pending = pending[1:]
			if order == 0 {
				return show(p)
			}
			if err := show(p); err != nil {
				return err
			}
		}
		return fn(c)
	})
	for _, p := range pending {
		if err != nil {
			return err
		}
		err = show(p)
	}
	return err
}

// committedEdges emits the edges below the overlay, without details.
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
			return r.scanRows(id, rel, from, false, emit)
		}
		edges = make([]Edge, 0, n.Degree)
		if err := r.scanRows(id, allRelations, 0, false, func(c edgeChange) error {
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

// committedNode is Node below the overlay.
func (r *Reader) committedNode(id NodeID) (*Node, error) {
	below := Reader{s: r.s, snap: r.snap}
	return below.Node(id)
}

// scanRows reads the rows of a neighbourhood from the snapshot.
func (r *Reader) scanRows(id NodeID, rel relationFilter, from NodeID, details bool, emit func(edgeChange) error) error {
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
			if err := it.Item().Value(func(v []byte) error {
				c.detail, err = decodeDetail(v)
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
	err := merge(id, r.ov.pending(id, allRelations), func(emit func(edgeChange) error) error {
		if r.ov.isAbsentBelow(id) {
			return nil
		}
		return r.scanRows(id, allRelations, 0, true, emit)
	}, func(c edgeChange) error {
		if c.rel&Inverse != 0 {
			return errStop // inverse relations sort last
		}
		out = append(out, c)
		return nil
	})
	if err != nil && err != errStop {
		return nil, fmt.Errorf("graphstore: scan edges of node %016x: %w", uint64(id), err)
	}
	return out, nil
}

// EdgeInfo returns how the artifact at e.From writes e.To, and the types under
// which it links to it; nothing if there is no such edge. e must be seen from
// the artifact.
func (r *Reader) EdgeInfo(e Edge) (labels, linkTypes []string, err error) {
	if r.broken != nil {
		return nil, nil, r.broken
	}
	if e.Rel&Inverse != 0 {
		return nil, nil, fmt.Errorf("graphstore: edge info of relation %s: want the forward direction", e.Rel)
	}
	var d *detail
	if r.ov != nil && r.ov.edges[e.From] != nil {
		if c, ok := r.ov.edges[e.From].changes[edgeEnd{e.Rel, e.To}]; ok {
			if c.removed {
				return nil, nil, nil
			}
			d = c.detail
		}
	}
	if d == nil {
		row, err := getRow(r.snap.txn, edgeKey(e))
		if err == nil && row == nil {
			return nil, nil, nil
		}
		if err == nil {
			d, err = decodeDetail(row)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("graphstore: read edge (%s) %016x to %016x: %w", e.Rel, uint64(e.From), uint64(e.To), err)
		}
	}
	return slices.Clone(d.labels), slices.Clone(d.linkTypes), nil
}

// scanRows calls fn for the rows with a prefix, in the order of keys. Key and
// value are valid during the call only.
func scanRows(txn *badger.Txn, prefix []byte, fn func(k, v []byte) error) error {
	return scanFrom(txn, prefix, prefix, fn)
}

// scanFrom is scanRows from the key start on.
func scanFrom(txn *badger.Txn, prefix, start []byte, fn func(k, v []byte) error) error {
	it := txn.NewIterator(badger.IteratorOptions{Prefix: prefix, PrefetchValues: true, PrefetchSize: 64})
	defer it.Close()
	for it.Seek(start); it.Valid(); it.Next() {
		item := it.Item()
		err := item.Value(func(v []byte) error {
			if len(v) == 0 {
				// See getRow. An empty row is for fn to refuse.
				var err error
				if v, err = getRow(txn, item.KeyCopy(nil)); err != nil && !errors.Is(err, errEmptyRow) {
					return err
				}
			}
			return fn(item.Key(), v)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// rows is scanRows through the overlay, with copies of the keys. It sorts all
// pending rows of the prefix: for whole-store scans only.
func (r *Reader) rows(prefix []byte, fn func(k, v []byte) error) error {
	if r.broken != nil {
		return r.broken
	}
	var keys []string
	if r.ov != nil {
		for k := range r.ov.rows {
			if bytes.HasPrefix([]byte(k), prefix) {
				keys = append(keys, k)
			}
		}
		slices.Sort(keys)
	}
	pendingUntil := func(k []byte) error {
		for len(keys) > 0 && (k == nil || keys[0] < string(k)) {
			own := keys[0]
			keys = keys[1:]
			if v := r.ov.rows[own]; v != nil {
				if err := fn([]byte(own), v); err != nil {
					return err
				}
			}
		}
		return nil
	}
	err := scanRows(r.snap.txn, prefix, func(k, v []byte) error {
		if err := pendingUntil(k); err != nil {
			return err
		}
		if len(keys) > 0 && keys[0] == string(k) {
			own := keys[0]
			keys = keys[1:]
			if v = r.ov.rows[own]; v == nil {
				return nil
			}
		}
		return fn(bytes.Clone(k), v)
	})
	if err == nil {
		err = pendingUntil(nil)
	}
	if err == errStop {
		return nil
	}
	return err
}

// EachNode calls fn for every node, by ascending id, until it returns false.
// Nodes read this way don't fill the cache.
func (r *Reader) EachNode(fn func(*Node) bool) error {
	if r.broken != nil {
		return r.broken
	}
	var own []NodeID
	if r.ov != nil {
		for id := range r.ov.nodes {
			own = append(own, id)
		}
		slices.Sort(own)
	}
	show := func(n *Node) error {
		if n != nil && !fn(n) {
			return errStop
		}
		return nil
	}
	err := scanRows(r.snap.txn, []byte{keyNode}, func(k, v []byte) error {
		id, err := parseIDKey(k)
		if err != nil {
			return err
		}
		for len(own) > 0 && own[0] <= id {
			first := own[0]
			own = own[1:]
			if err := show(r.ov.nodes[first]); err != nil {
				return err
			}
			if first == id {
				return nil
			}
		}
		n, err := decodeNode(id, v)
		if err != nil {
			return fmt.Errorf("node %016x: %w", uint64(id), err)
		}
		return show(n)
	})
	for _, id := range own {
		if err == nil {
			err = show(r.ov.nodes[id])
		}
	}
	if err != nil && err != errStop {
		return fmt.Errorf("graphstore: scan nodes: %w", err)
	}
	return nil
}

// EachArtifact calls fn for every artifact, by ascending node id, until it
// returns false.
func (r *Reader) EachArtifact(fn func(*Doc) bool) error {
	err := r.rows([]byte{keyDoc}, func(k, v []byte) error {
		head, err := decodeDoc(v)
		if err != nil {
			return fmt.Errorf("key %x: %w", k, err)
		}
		doc, err := r.Artifact(head.ID)
		if err != nil {
			return err
		}
		if doc != nil && !fn(doc) {
			return errStop
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("graphstore: scan artifacts: %w", err)
	}
	return nil
}

// ArtifactsAfter returns the ids of artifacts whose nodes are greater than after, by ascending node, at most limit of them.
// It reads neither nodes nor contents.
func (r *Reader) ArtifactsAfter(after NodeID, limit int) ([]string, error) {
	if r.broken != nil {
		return nil, r.broken
	}
	if r.ov != nil {
		return nil, errors.New("graphstore: list artifacts: want a committed state")
	}
	if after == math.MaxUint64 {
		return nil, nil
	}
	var ids []string
	err := scanFrom(r.snap.txn, []byte{keyDoc}, idKey(keyDoc, after+1), func(k, v []byte) error {
		if len(ids) >= limit {
			return errStop
		}
		doc, err := decodeDoc(v)
		if err != nil {
			return fmt.Errorf("key %x: %w", k, err)
		}
		ids = append(ids, doc.ID)
		return nil
	})
	if err != nil && err != errStop {
		return nil, fmt.Errorf("graphstore: list artifacts: %w", err)
	}
	return ids, nil
}

// EachLists calls fn for all that PutLists stored, by ascending id, until it
// returns false.
func (r *Reader) EachLists(fn func(id NodeID, lists []byte) bool) error {
	err := r.rows([]byte{keyLists}, func(k, v []byte) error {
		id, err := parseIDKey(k)
		if err != nil {
			return err
		}
		b, err := decodeBlob(v)
		if err != nil {
			return fmt.Errorf("lists of %016x: %w", uint64(id), err)
		}
		if !fn(id, b) {
			return errStop
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("graphstore: scan lists: %w", err)
	}
	return nil
}

// Holders calls fn for each node that SetListedBy noted as a holder of id, in
// ascending order, until it returns false.
func (r *Reader) ListedBy(id NodeID, fn func(by NodeID) bool) error {
	_, err := r.listedBy(idKey(keyListedBy, id), func(_, by NodeID) bool { return fn(by) }, id)
	return err
}

// EachListedBy calls fn for each pair that SetListedBy noted, in ascending order,
// until it returns false.
func (r *Reader) EachListedBy(fn func(of, by NodeID) bool) error {
	if r.broken != nil {
		return r.broken
	}
	if r.ov == nil || len(r.ov.listedBy) == 0 {
		_, err := r.listedBy([]byte{keyListedBy}, fn)
		return err
	}
	var all []NodeID
	if _, err := (&Reader{s: r.s, snap: r.snap}).listedBy([]byte{keyListedBy}, func(of, _ NodeID) bool {
		if len(all) == 0 || all[len(all)-1] != of {
			all = append(all, of)
		}
		return true
	}); err != nil {
		return err
	}
	for of := range r.ov.listedBy {
		all = append(all, of)
	}
	slices.Sort(all)
	for _, of := range slices.Compact(all) {
		stopped, err := r.listedBy(idKey(keyListedBy, of), fn, of)
		if stopped || err != nil {
			return err
		}
	}
	return nil
}

// listedBy scans pairs; only those of the nodes in of are merged with the overlay.
func (r *Reader) listedBy(prefix []byte, fn func(of, by NodeID) bool, of ...NodeID) (stopped bool, err error) {
	if r.broken != nil {
		return false, r.broken
	}
	var pending []NodeID
	var changes map[NodeID]bool
	if r.ov != nil && len(of) == 1 {
		changes = r.ov.listedBy[of[0]]
		for by := range changes {
			pending = append(pending, by)
		}
		slices.Sort(pending)
	}
	show := func(of, by NodeID) error {
		if !fn(of, by) {
			return errStop
		}
		return nil
	}
	pendingBefore := func(by NodeID, all bool) error {
		for len(pending) > 0 && (all || pending[0] < by) {
			own := pending[0]
			pending = pending[1:]
			if changes[own] {
				if err := show(of[0], own); err != nil {
					return err
				}
			}
		}
		return nil
	}
	it := r.snap.txn.NewIterator(badger.IteratorOptions{Prefix: prefix})
	defer it.Close()
	for it.Rewind(); it.Valid() && err == nil; it.Next() {
		k := it.Item().Key()
		if len(k) != 17 {
			err = fmt.Errorf("listed-by key of %d bytes, want 17", len(k))
			break
		}
		held, by := NodeID(binary.BigEndian.Uint64(k[1:])), NodeID(binary.BigEndian.Uint64(k[9:]))
		if err = pendingBefore(by, false); err != nil {
			break
		}
		if len(pending) > 0 && pending[0] == by {
			pending = pending[1:]
			if !changes[by] {
				continue
			}
		}
		err = show(held, by)
	}
	if err == nil {
		err = pendingBefore(0, true)
	}
	if err == errStop {
		return true, nil
	}
	if err != nil {
		err = fmt.Errorf("graphstore: scan listedBy: %w", err)
	}
	return false, err
}

// Pushes returns the pushes on their way, by ascending node.
func (r *Reader) Pushes() ([]Push, error) {
	var out []Push
	err := r.rows([]byte{keyPush}, func(k, v []byte) error {
		id, err := parseIDKey(k)
		if err != nil {
			return err
		}
		p, err := decodePush(id, v)
		out = append(out, p)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("graphstore: scan pushes: %w", err)
	}
	return out, nil
}
