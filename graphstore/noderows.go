package graphstore

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/dgraph-io/badger/v4"
)

// A node is one row, and has further ones for what changes at other times than the rest. A commit writes those that have changed:
// a newcomer changes the sums of all that it shares with others, of these few in their vectors; and it moves the
// embeddings of some artifacts by a little.
const (
	flagPlaceholder = 1
	flagEmbedding   = 2
	flagVectors     = 4
	flagThird       = 8
)

// nodePart is a further row of a node.
type nodePart struct {
	// suffix is what follows the node's key, and flag stands in its first row when the node has this one.
	suffix, flag byte
	what         string
	// has tells whether a node has the row, by what the node says.
	has func(n *Node) bool
	// same compares what is in the rows of two states of a node, bit for bit.
	same   func(a, b *Node) bool
	encode func(n *Node) []byte
	decode func(n *Node, d *decoder)
}

// nodeParts are in the order of their keys.
var nodeParts = [...]nodePart{
	{keyEmbedding, flagEmbedding, "embedding",
		func(n *Node) bool {
			return len(n.Embedding) > 0 || n.measures() != [4]uint64{}
		},
		func(a, b *Node) bool {
			return a.measures() == b.measures() && sameBits(a.Embedding, b.Embedding)
		},
		func(n *Node) []byte {
			b := newRow(48 + 4*len(n.Embedding))
			for _, bits := range n.measures() {
				b = binary.LittleEndian.AppendUint64(b, bits)
			}
			return appendFloat32s(b, n.Embedding)
		},
		func(n *Node, d *decoder) {
			n.EncodedAt, n.Drift, n.DriftBound, n.Epsilon = d.float64(), d.float64(), d.float64(), d.float64()
			n.Embedding = d.float32s()
		},
	},
	{keyNodeVectors, flagVectors, "vectors",
		(*Node).vectorsApart,
		(*Node).sameVectors,
		func(n *Node) []byte { return n.appendVectors(newRow(16 + 4*(len(n.Features)+len(n.Hidden)))) },
		(*Node).decodeVectors,
	},
	{keyNodeThird, flagThird, "third layer",
		func(n *Node) bool {
			t := n.third()
			return len(t.Hidden) > 0 || len(t.Sum) > 0
		},
		func(a, b *Node) bool {
			x, y := a.third(), b.third()
			return sameBits(x.Hidden, y.Hidden) && slices.Equal(x.Sum, y.Sum)
		},
		func(n *Node) []byte {
			t := n.third()
			return appendInt64s(appendFloat32s(newRow(16+4*len(t.Hidden)+widthOf(t.Sum)*len(t.Sum)), t.Hidden), t.Sum)
		},
		func(n *Node, d *decoder) { n.Third = &Third{Hidden: d.float32s(), Sum: d.int64s()} },
	},
}

// measures are the bits of the numbers beside the embedding, in the order of its row.
func (n *Node) measures() [4]uint64 {
	return [4]uint64{math.Float64bits(n.EncodedAt), math.Float64bits(n.Drift), math.Float64bits(n.DriftBound), math.Float64bits(n.Epsilon)}
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
	for i := range nodeParts {
		p := &nodeParts[i]
		had, has := below != nil && p.has(below), n != nil && p.has(n)
		switch {
		case had && !has:
			ops = append(ops, op{key: p.key(id)})
		case has && !(had && p.same(n, below)):
			ops = append(ops, op{key: p.key(id), value: p.encode(n)})
		}
	}
	return ops
}

func (p *nodePart) key(id NodeID) []byte { return append(idKey(keyNode, id), p.suffix) }

// take reads the row into n; nil is none.
func (p *nodePart) take(n *Node, row []byte) error {
	if row == nil {
		return p.missing()
	}
	d := decodeRow(row)
	p.decode(n, d)
	if err := d.end(); err != nil {
		return fmt.Errorf("%s: %w", p.what, err)
	}
	return nil
}

func (p *nodePart) missing() error { return fmt.Errorf("the row of its %s is missing", p.what) }

// partFlags are those of the rows that a node has beside its first.
func (n *Node) partFlags() (flags byte) {
	for i := range nodeParts {
		if nodeParts[i].has(n) {
			flags |= nodeParts[i].flag
		}
	}
	return flags
}

// missing names one of the rows that flags announce.
func missing(flags byte) error {
	for i := range nodeParts {
		if nodeParts[i].flag&flags != 0 {
			return nodeParts[i].missing()
		}
	}
	return nil
}

// sameRow compares what is in the first rows of two states of a node, bit for bit.
func (n *Node) sameRow(other *Node) bool {
	return n.Placeholder == other.Placeholder && n.Degree == other.Degree && n.Members == other.Members &&
		n.OtherLabels == other.OtherLabels && n.partFlags() == other.partFlags() && slices.Equal(n.Labels, other.Labels) &&
		slices.Equal(n.Sum1, other.Sum1) && slices.Equal(n.Sum2, other.Sum2) && (n.vectorsApart() || n.sameVectors(other))
}

// vectorsApart tells whether the vectors beside the embedding have a row of their own: where several share the node. They stand in
// the first row of all others, most of which no record touches after their first.
func (n *Node) vectorsApart() bool { return n.Members > 1 }

func (n *Node) sameVectors(other *Node) bool {
	return sameBits(n.Features, other.Features) && sameBits(n.Hidden, other.Hidden)
}

func (n *Node) appendVectors(b []byte) []byte {
	return appendFloat32s(appendFloat32s(b, n.Features), n.Hidden)
}

func (n *Node) decodeVectors(d *decoder) { n.Features, n.Hidden = d.float32s(), d.float32s() }

// sameBits tells 0 and -0 apart, and NaN not from itself.
func sameBits(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
}

func encodeNode(n *Node) []byte {
	size := 64 + len(n.Key) + 4*(len(n.Features)+len(n.Hidden)) + widthOf(n.Sum1)*len(n.Sum1) + widthOf(n.Sum2)*len(n.Sum2)
	for _, l := range n.Labels {
		size += len(l.Text) + 8
	}
	var flags byte
	if n.Placeholder {
		flags |= flagPlaceholder
	}
	flags |= n.partFlags()
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
	b = appendInt64s(b, n.Sum1)
	b = appendInt64s(b, n.Sum2)
	if n.vectorsApart() {
		return b
	}
	return n.appendVectors(b)
}

// decodeNode reads a node's first row. parts are the flags of its further ones.
func decodeNode(id NodeID, row []byte) (n *Node, parts byte, err error) {
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
	n.Sum1 = d.int64s()
	n.Sum2 = d.int64s()
	if !n.vectorsApart() {
		n.decodeVectors(d)
	}
	parts = flags &^ flagPlaceholder
	if want := n.partFlags(); d.err == nil && parts&^(flagEmbedding|flagThird) != want { // of these the first row says nothing else
		d.fail(fmt.Errorf("flags %#x, of a node with %d members", flags, n.Members))
	}
	return n, parts, d.end()
}

// scanNodes calls fn for each node, by ascending id.
func scanNodes(txn *badger.Txn, fn func(*Node) error) error {
	var n *Node      // the one at hand
	var awaited byte // the flags of its rows to come
	if err := scanRows(txn, []byte{keyNode}, func(k, v []byte) error {
		id, part, err := parseNodeKey(k)
		switch {
		case err != nil:
			return err
		case part == nil && awaited != 0:
			return fmt.Errorf("node %016x: %w", uint64(n.ID), missing(awaited))
		case part == nil:
			n, awaited, err = decodeNode(id, v)
		case n == nil || n.ID != id || awaited&part.flag == 0:
			err = fmt.Errorf("%s that it does not have", part.what)
		default:
			awaited &^= part.flag
			err = part.take(n, v)
		}
		if err != nil {
			return fmt.Errorf("node %016x: %w", uint64(id), err)
		}
		if awaited != 0 {
			return nil
		}
		return fn(n)
	}); err != nil {
		return err
	}
	if awaited != 0 {
		return fmt.Errorf("node %016x: %w", uint64(n.ID), missing(awaited))
	}
	return nil
}
