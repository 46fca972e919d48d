package graphstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/dgraph-io/badger/v4"
)

// A node is one row, and a second one with its embedding where it has one. A commit writes those that have changed: what a
// newcomer sets off moves the embeddings of some artifacts by a little, each a quarter of the bytes that are known of an artifact.
const (
	flagPlaceholder = 1
	// flagEmbedding: the node has a second row.
	flagEmbedding = 2
)

// hasEmbeddingRow tells whether n says anything that stands in its second row.
func (n *Node) hasEmbeddingRow() bool {
	return len(n.Embedding) > 0 || math.Float64bits(n.EncodedAt)|math.Float64bits(n.Drift) != 0
}

// nodeOps turns a node into the rows that differ from those of below, which is the node as the snapshot has it; each is nil
// when there is none.
func nodeOps(ops []op, id NodeID, below, n *Node) []op {
	switch {
	case n == nil && below != nil:
		ops = append(ops, op{key: idKey(keyNode, id)})
	case n != nil && (below == nil || !n.sameRow(below)):
		ops = append(ops, op{key: idKey(keyNode, id), value: encodeNode(n)})
	}
	had, has := below != nil && below.hasEmbeddingRow(), n != nil && n.hasEmbeddingRow()
	switch {
	case had && !has:
		ops = append(ops, op{key: embeddingKey(id)})
	case has && !(had && n.sameEmbeddingRow(below)):
		ops = append(ops, op{key: embeddingKey(id), value: encodeEmbedding(n)})
	}
	return ops
}

// sameRow compares what is in the first rows of two states of a node, bit for bit.
func (n *Node) sameRow(other *Node) bool {
	return n.Placeholder == other.Placeholder && n.Degree == other.Degree && n.Members == other.Members &&
		n.OtherLabels == other.OtherLabels && n.hasEmbeddingRow() == other.hasEmbeddingRow() && slices.Equal(n.Labels, other.Labels) &&
		slices.Equal(n.Sum1, other.Sum1) && slices.Equal(n.Sum2, other.Sum2) &&
		sameBits(n.Features, other.Features) && sameBits(n.Hidden, other.Hidden)
}

func (n *Node) sameEmbeddingRow(other *Node) bool {
	return math.Float64bits(n.EncodedAt) == math.Float64bits(other.EncodedAt) &&
		math.Float64bits(n.Drift) == math.Float64bits(other.Drift) && sameBits(n.Embedding, other.Embedding)
}

// sameBits tells 0 and -0 apart, and NaN not from itself.
func sameBits(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
}

func encodeNode(n *Node) []byte {
	size := 64 + len(n.Key) + 4*(len(n.Features)+len(n.Hidden)) + 8*(len(n.Sum1)+len(n.Sum2))
	for _, l := range n.Labels {
		size += len(l.Text) + 8
	}
	var flags byte
	if n.Placeholder {
		flags |= flagPlaceholder
	}
	if n.hasEmbeddingRow() {
		flags |= flagEmbedding
	}
	b := append(newRow(size), byte(n.Type), flags)
	b = appendBytes(b, n.Key)
	b = binary.AppendUvarint(b, uint64(n.Degree))
	b = binary.AppendUvarint(b, uint64(n.Members))
	b = binary.AppendUvarint(b, uint64(len(n.Labels)))
	for _, l := range n.Labels {
		b = appendBytes(b, l.Text)
		b = binary.AppendUvarint(b, uint64(l.Count))
	}
	b = binary.AppendUvarint(b, uint64(n.OtherLabels))
	b = appendFloat32s(b, n.Features)
	b = appendInt64s(b, n.Sum1)
	b = appendInt64s(b, n.Sum2)
	return appendFloat32s(b, n.Hidden)
}

// decodeNode tells also whether the node has a second row.
func decodeNode(id NodeID, row []byte) (n *Node, embedded bool, err error) {
	d := decodeRow(row)
	n = &Node{ID: id, Type: Type(d.byte())}
	flags := d.byte()
	n.Placeholder = flags&flagPlaceholder != 0
	n.Key = d.string()
	n.Degree = d.uint32()
	n.Members = d.uint32()
	if labels := d.count(2); labels > 0 {
		n.Labels = make([]Label, labels)
		for i := range n.Labels {
			n.Labels[i] = Label{Text: d.string(), Count: d.uint32()}
		}
	}
	n.OtherLabels = d.uint32()
	n.Features = d.float32s()
	n.Sum1 = d.int64s()
	n.Sum2 = d.int64s()
	n.Hidden = d.float32s()
	return n, flags&flagEmbedding != 0, d.end()
}

func encodeEmbedding(n *Node) []byte {
	b := newRow(32 + 4*len(n.Embedding))
	b = appendFloat64(b, n.EncodedAt)
	b = appendFloat64(b, n.Drift)
	return appendFloat32s(b, n.Embedding)
}

// decodeEmbedding takes up the node's second row, nil when there is none.
func (n *Node) decodeEmbedding(row []byte) error {
	if row == nil {
		return errors.New("the row of its embedding is missing")
	}
	d := decodeRow(row)
	n.EncodedAt = d.float64()
	n.Drift = d.float64()
	n.Embedding = d.float32s()
	return d.end()
}

// scanNodes calls fn for each node, by ascending id.
func scanNodes(txn *badger.Txn, fn func(*Node) error) error {
	var n *Node // whose second row is awaited
	if err := scanRows(txn, []byte{keyNode}, func(k, v []byte) error {
		id, embedding, err := parseNodeKey(k)
		switch {
		case err != nil:
			return err
		case embedding && (n == nil || n.ID != id):
			return fmt.Errorf("node %016x: the row of an embedding that it does not have", uint64(id))
		case embedding:
			whole := n
			n = nil
			if err := whole.decodeEmbedding(v); err != nil {
				return fmt.Errorf("node %016x: embedding: %w", uint64(id), err)
			}
			return fn(whole)
		case n != nil:
			return fmt.Errorf("node %016x: %w", uint64(n.ID), n.decodeEmbedding(nil))
		}
		next, embedded, err := decodeNode(id, v)
		if err != nil {
			return fmt.Errorf("node %016x: %w", uint64(id), err)
		}
		if embedded {
			n = next
			return nil
		}
		return fn(next)
	}); err != nil {
		return err
	}
	if n != nil {
		return fmt.Errorf("node %016x: %w", uint64(n.ID), n.decodeEmbedding(nil))
	}
	return nil
}
