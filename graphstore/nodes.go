package graphstore

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
)

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

// committedNode is the node as the snapshot has it, whatever the Tx did.
func (r *Reader) committedNode(id NodeID) (*Node, error) {
	below := Reader{s: r.s, snap: r.snap}
	return below.Node(id)
}

// scannedNode is a node's row or, with own set, the id of one that the Tx has changed, put or removed.
type scannedNode struct {
	id  NodeID
	row []byte
	own bool
}

func (a scannedNode) compare(b scannedNode) int { return cmp.Compare(a.id, b.id) }

// EachNode calls fn for every node, by ascending id, until it returns false.
// Nodes read this way don't fill the cache.
func (r *Reader) EachNode(fn func(*Node) bool) error {
	if r.broken != nil {
		return r.broken
	}
	var own []scannedNode
	if r.ov != nil {
		for id := range r.ov.nodes {
			own = append(own, scannedNode{id: id, own: true})
		}
		slices.SortFunc(own, scannedNode.compare)
	}
	err := merge(own, scannedNode.compare, func(emit func(scannedNode) error) error {
		return scanRows(r.snap.txn, []byte{keyNode}, func(k, v []byte) error {
			id, err := parseIDKey(k)
			if err != nil {
				return err
			}
			return emit(scannedNode{id: id, row: v})
		})
	}, func(s scannedNode) error {
		n, err := r.scanned(s)
		if err == nil && n != nil && !fn(n) {
			err = errStop
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("graphstore: scan nodes: %w", err)
	}
	return nil
}

// scanned is the node of an entry of a scan, nil when the Tx has removed it.
func (r *Reader) scanned(s scannedNode) (*Node, error) {
	if s.own {
		return r.ov.nodes[s.id], nil
	}
	n, err := decodeNode(s.id, s.row)
	if err != nil {
		return nil, fmt.Errorf("node %016x: %w", uint64(s.id), err)
	}
	return n, nil
}

// Edit returns the Tx's own copy of a node, which is written at Commit; nil if
// there is no such node. The copy is the same at each call and is what Node
// returns from then on. It must not be modified after Commit: readers share it then.
func (t *Tx) Edit(id NodeID) (*Node, error) {
	if n, ok := t.own(id); ok || t.broken != nil {
		return n, t.broken
	}
	n, err := t.Node(id)
	if err != nil || n == nil {
		return nil, err
	}
	n = n.clone()
	t.ov.nodes[id] = n
	return n, nil
}

func (t *Tx) own(id NodeID) (*Node, bool) {
	n, ok := t.ov.nodes[id]
	return n, ok
}

const flagPlaceholder = 1

func encodeNode(n *Node) []byte {
	size := 64 + len(n.Key) + 4*(len(n.Features)+len(n.Hidden)+len(n.Embedding)) + 8*(len(n.Sum1)+len(n.Sum2))
	for _, l := range n.Labels {
		size += len(l.Text) + 8
	}
	var flags byte
	if n.Placeholder {
		flags |= flagPlaceholder
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
	b = appendFloat64(b, n.EncodedAt)
	b = appendFloat64(b, n.Drift)
	b = appendFloat32s(b, n.Features)
	b = appendInt64s(b, n.Sum1)
	b = appendInt64s(b, n.Sum2)
	b = appendFloat32s(b, n.Hidden)
	return appendFloat32s(b, n.Embedding)
}

func decodeNode(id NodeID, row []byte) (*Node, error) {
	d := decodeRow(row)
	n := &Node{ID: id, Type: Type(d.byte())}
	n.Placeholder = d.byte()&flagPlaceholder != 0
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
	n.EncodedAt = d.float64()
	n.Drift = d.float64()
	n.Features = d.float32s()
	n.Sum1 = d.int64s()
	n.Sum2 = d.int64s()
	n.Hidden = d.float32s()
	n.Embedding = d.float32s()
	return n, d.end()
}

// clone copies everything that may be modified in place.
func (n *Node) clone() *Node {
	c := *n
	c.Labels = slices.Clone(n.Labels)
	c.Features = slices.Clone(n.Features)
	c.Sum1 = slices.Clone(n.Sum1)
	c.Sum2 = slices.Clone(n.Sum2)
	c.Hidden = slices.Clone(n.Hidden)
	c.Embedding = slices.Clone(n.Embedding)
	return &c
}

// bytes is about what the node takes of memory.
func (n *Node) bytes() int {
	size := 256 + len(n.Key) + 4*(len(n.Features)+len(n.Hidden)+len(n.Embedding)) + 8*(len(n.Sum1)+len(n.Sum2))
	for _, l := range n.Labels {
		size += 32 + len(l.Text)
	}
	return size
}
