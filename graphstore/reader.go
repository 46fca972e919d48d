package graphstore

import (
	"errors"
	"fmt"
	"maps"

	"github.com/dgraph-io/badger/v4"
)

// Reader reads one state of the graph: a committed one in View, and in a Tx
// the one it began with, changed by its own writes.
type Reader struct {
	s    *Store
	snap *snapshot
	// ov holds the writes of a Tx; nil in a View.
	ov *overlay
	// state are the counters; nil means those of the snapshot.
	state *state
	// broken is why nothing can be read or written any more.
	broken error
}

// getRow returns a copy of a row, nil if there is none.
func getRow(txn *badger.Txn, key []byte) ([]byte, error) {
	item, err := txn.Get(key)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	row, err := item.ValueCopy(nil)
	if err == nil && len(row) == 0 {
		// The collector may have moved the value between Get and ValueCopy.
		// Badger hides that it could not read it; the second try finds it.
		if item, err = txn.Get(key); err == nil {
			row, err = item.ValueCopy(nil)
		}
		if err == nil && len(row) == 0 {
			err = errEmptyRow
		}
	}
	return row, err
}

// row reads through the overlay; nil if there is none.
func (r *Reader) row(key []byte) ([]byte, error) {
	if r.broken != nil {
		return nil, r.broken
	}
	if r.ov != nil {
		if row, ok := r.ov.rows[string(key)]; ok {
			return row, nil
		}
	}
	return getRow(r.snap.txn, key)
}

// Node returns a node, nil if there is none. It is shared: see Node.
func (r *Reader) Node(id NodeID) (*Node, error) {
	if r.broken != nil {
		return nil, r.broken
	}
	if r.ov != nil {
		if n, ok := r.ov.nodes[id]; ok {
			return n, nil
		}
		if r.ov.isAbsentBelow(id) {
			return nil, nil
		}
	}
	if n, ok := r.s.nodes.get(id, r.snap.gen); ok {
		return n, nil
	}
	row, err := getRow(r.snap.txn, idKey(keyNode, id))
	if err != nil {
		return nil, fmt.Errorf("graphstore: read node %016x: %w", uint64(id), err)
	}
	if row == nil {
		return nil, nil
	}
	n, err := decodeNode(id, row)
	if err != nil {
		return nil, fmt.Errorf("graphstore: read node %016x: %w", uint64(id), err)
	}
	r.s.nodes.offer(id, r.snap.gen, n, n.bytes())
	return n, nil
}

// Artifact returns an artifact's content, nil if it is not there.
func (r *Reader) Artifact(id string) (*Doc, error) {
	node := ID(Artifact, id)
	doc, err := r.doc(node)
	if err != nil || doc == nil || doc.ID != id {
		return nil, err
	}
	row, err := r.row(idKey(keyRaw, node))
	if err == nil && row == nil {
		err = errors.New("its content is missing")
	}
	if err == nil {
		doc.Raw, err = decodeBlob(row)
	}
	if err != nil {
		return nil, fmt.Errorf("graphstore: read artifact %q: %w", id, err)
	}
	return doc, nil
}

// Evidence returns an artifact's evidence without reading its content; nil if
// the artifact is not there or has none.
func (r *Reader) Evidence(id NodeID) ([]byte, error) {
	doc, err := r.doc(id)
	if err != nil || doc == nil {
		return nil, err
	}
	return doc.Evidence, nil
}

// doc reads an artifact without its content.
func (r *Reader) doc(node NodeID) (*Doc, error) {
	row, err := r.row(idKey(keyDoc, node))
	if err != nil {
		return nil, fmt.Errorf("graphstore: read artifact %016x: %w", uint64(node), err)
	}
	if row == nil {
		return nil, nil
	}
	doc, err := decodeDoc(row)
	if err != nil {
		return nil, fmt.Errorf("graphstore: read artifact %016x: %w", uint64(node), err)
	}
	return doc, nil
}

// Lists returns what PutLists stored, nil if there is nothing.
func (r *Reader) Lists(id NodeID) ([]byte, error) {
	return r.blob(idKey(keyLists, id), "lists")
}

// Meta returns what PutMeta stored, nil if there is nothing.
func (r *Reader) Meta(key string) ([]byte, error) {
	return r.blob(stringKey(keyMeta, key), "meta row")
}

func (r *Reader) blob(key []byte, what string) ([]byte, error) {
	row, err := r.row(key)
	if err == nil && row == nil {
		return nil, nil
	}
	var b []byte
	if err == nil {
		b, err = decodeBlob(row)
	}
	if err != nil {
		return nil, fmt.Errorf("graphstore: read %s %q: %w", what, key[1:], err)
	}
	return b, nil
}

// Offset returns where to go on reading a partition; ok is false when nothing
// was stored for it.
func (r *Reader) Offset(topic string, partition int) (next int64, ok bool, err error) {
	row, err := r.row(partitionKey(keyOffset, topic, partition))
	if err == nil && row == nil {
		return 0, false, nil
	}
	var v uint64
	if err == nil {
		v, err = decodeNumber(row)
	}
	if err != nil {
		return 0, false, fmt.Errorf("graphstore: read offset of %s/%d: %w", topic, partition, err)
	}
	return int64(v), true, nil
}

// EncoderDim is the length of an encoder's vectors, false for an unknown encoder.
func (r *Reader) EncoderDim(name string) (int, bool) {
	if r.broken != nil {
		return 0, false
	}
	if r.ov != nil {
		if dim, ok := r.ov.dims[name]; ok {
			return dim, true
		}
	}
	dim, ok := r.snap.dims[name]
	return dim, ok
}

// EncoderDims is the length of every known encoder's vectors, by name.
func (r *Reader) EncoderDims() map[string]int {
	out := map[string]int{}
	if r.broken != nil {
		return out
	}
	maps.Copy(out, r.snap.dims)
	if r.ov != nil {
		maps.Copy(out, r.ov.dims)
	}
	return out
}

// Counts is the size of the graph that r reads.
func (r *Reader) Counts() Counts {
	if r.state != nil {
		return r.state.counts
	}
	if r.snap == nil {
		return Counts{}
	}
	return r.snap.state.counts
}
