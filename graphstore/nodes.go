package graphstore

import (
	"cmp"
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
	n, err := r.readNode(id)
	if err != nil {
		return nil, fmt.Errorf("graphstore: read node %016x: %w", uint64(id), err)
	}
	if n != nil {
		r.s.nodes.offer(id, r.snap.gen, n, n.bytes())
	}
	return n, nil
}

// readNode reads a node's rows from badger.
func (r *Reader) readNode(id NodeID) (*Node, error) {
	row, err := getRow(r.snap.txn, idKey(keyNode, id))
	if err != nil || row == nil {
		return nil, err
	}
	n, parts, err := decodeNode(id, row)
	if err != nil {
		return nil, err
	}
	for i := range nodeParts {
		p := &nodeParts[i]
		if p.flag&parts == 0 {
			continue
		}
		row, err := getRow(r.snap.txn, p.key(id))
		if err == nil {
			err = p.take(n, row)
		}
		if err != nil {
			return nil, err
		}
	}
	return n, nil
}

// committedNode is the node as the snapshot has it, whatever the Tx did.
func (r *Reader) committedNode(id NodeID) (*Node, error) {
	below := Reader{s: r.s, snap: r.snap}
	return below.Node(id)
}

// scannedNode is a node of the snapshot or, with own set, the id of one that the Tx has changed, put or removed.
type scannedNode struct {
	id  NodeID
	n   *Node
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
		return scanNodes(r.snap.txn, func(n *Node) error { return emit(scannedNode{id: n.ID, n: n}) })
	}, func(s scannedNode) error {
		if s.own {
			s.n = r.ov.nodes[s.id]
		}
		if s.n != nil && !fn(s.n) {
			return errStop
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("graphstore: scan nodes: %w", err)
	}
	return nil
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
	t.ov.below[id] = n
	n = n.clone()
	t.ov.nodes[id] = n
	return n, nil
}

func (t *Tx) own(id NodeID) (*Node, bool) {
	n, ok := t.ov.nodes[id]
	return n, ok
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
	if n.Third != nil {
		c.Third = &Third{Hidden: slices.Clone(n.Third.Hidden), Sum: slices.Clone(n.Third.Sum)}
	}
	return &c
}

// bytes is about what the node takes of memory.
func (n *Node) bytes() int {
	size := 256 + len(n.Key) + 4*(len(n.Features)+len(n.Hidden)+len(n.Embedding)) + 8*(len(n.Sum1)+len(n.Sum2))
	if n.Third != nil {
		size += 64 + 4*len(n.Third.Hidden) + 8*len(n.Third.Sum)
	}
	for _, l := range n.Labels {
		size += 32 + len(l.Text)
	}
	return size
}
