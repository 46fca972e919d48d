package graphstore

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// otherLabels reads the labels that nodes do not keep. The rows of a node by label come before those by count.
func (c *checker) otherLabels() error {
	return c.each([]byte{keyLabel}, "label", func(k, v []byte) error {
		text, count, err := decodeLabel(v)
		if err != nil {
			return err
		}
		if len(k) < 10 {
			return fmt.Errorf("key of %d bytes, want at least 10", len(k))
		}
		id := NodeID(binary.BigEndian.Uint64(k[1:]))
		n := c.nodes[id]
		switch {
		case n == nil:
			return errors.New("of a node that does not exist")
		case string(k) == string(labelCountKey(id, text)):
			if n.others == nil {
				n.others = map[string]uint32{}
			}
			n.others[text] = count
		case string(k) == string(labelOrderKey(id, text, count)):
			if n.others[text] != count {
				return fmt.Errorf("%q is ordered as in use by %d artifacts, and counted as by %d", text, count, n.others[text])
			}
			n.ordered++
		default:
			return fmt.Errorf("%q, in use by %d artifacts, does not belong here", text, count)
		}
		return nil
	})
}

// compareLabels compares the stored labels of a node, those that it keeps and the others, with those counted.
func (c *checker) compareLabels(n *checkedNode) {
	if len(n.others) != int(n.node.OtherLabels) || n.ordered != int(n.node.OtherLabels) {
		c.problem("%s: %d labels are not kept by its row, %d have a count, %d an order", n, n.node.OtherLabels, len(n.others), n.ordered)
	}
	if kept := len(n.node.Labels); kept > c.r.s.keptLabels || len(n.others) > 0 && kept < c.r.s.keptLabels {
		c.problem("%s: %d labels are kept, and %d are not", n, kept, len(n.others))
	}
	var least, most Label // of those kept, of the others
	for text, count := range n.others {
		if l := (Label{text, count}); most.Count == 0 || l.outranks(most) {
			most = l
		}
		c.compareLabel(n, text, count)
	}
	for i, l := range n.node.Labels {
		if least.Count == 0 || least.outranks(l) {
			least = l
		}
		c.compareLabel(n, l.Text, l.Count)
		if i > 0 && n.node.Labels[i-1].Text >= l.Text {
			c.problem("%s: label %q is out of order", n, l.Text)
		}
	}
	if most.Count > 0 && most.outranks(least) {
		c.problem("%s: label %q is kept, and %q, which more artifacts use, is not", n, least.Text, most.Text)
	}
	for text, count := range n.labels {
		c.problem("%s: label %q in use by 0 artifacts stored, by %d counted", n, text, count)
	}
}

// compareLabel compares a stored count, and takes the label off those counted.
func (c *checker) compareLabel(n *checkedNode, text string, count uint32) {
	if n.labels[text] != count {
		c.problem("%s: label %q in use by %d artifacts stored, by %d counted", n, text, count, n.labels[text])
	}
	delete(n.labels, text)
}
