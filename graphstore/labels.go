package graphstore

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// keptLabels is how many labels a node keeps. All of them would grow the row of a node that each archive writes in its own way
// without bound, and each commit that touches the node writes its row.
//
// The labels kept are those that most artifacts use, the smaller text among equals. They are a function of the edges that there
// are: in what order these came, and what went before, does not matter. To be exact, each of the other labels has its count in
// a row of its own, and a second row by which the most used of them is found, when a label that is kept falls behind it.
const keptLabels = 64

// outranks orders labels by their use.
func (l Label) outranks(other Label) bool {
	return cmp.Or(cmp.Compare(other.Count, l.Count), strings.Compare(labelKey(l.Text), labelKey(other.Text))) < 0
}

// labelKeySize bounds a label in a key; of a longer one a hash follows its beginning.
const labelKeySize = 256

func labelKey(text string) string {
	if len(text) <= labelKeySize {
		return text
	}
	sum := sha256.Sum256([]byte(text))
	return text[:labelKeySize] + string(sum[:16])
}

// otherLabel is the count of a label that its node does not keep, 0 if it is kept or not in use.
type otherLabel struct {
	count uint32
	// committed is the count in the snapshot.
	committed uint32
}

// countLabels counts the uses of labels of a node up or down.
func (t *Tx) countLabels(n *Node, texts []string, sign int) error {
	for _, text := range texts {
		if err := t.countLabel(n, text, sign); err != nil {
			return fmt.Errorf("label %q of %s %q: %w", text, n.Type, n.Key, err)
		}
	}
	if len(n.Labels) == 0 {
		n.Labels = nil
	}
	return nil
}

func (t *Tx) countLabel(n *Node, text string, sign int) error {
	i, kept := n.labelAt(text)
	if !kept {
		count, err := t.takeOther(n, text)
		if err != nil {
			return err
		}
		n.Labels = slices.Insert(n.Labels, i, Label{text, count})
	}
	count := int64(n.Labels[i].Count) + int64(sign)
	if count < 0 || count > math.MaxUint32 {
		return fmt.Errorf("it would be in use by %d artifacts", count)
	}
	n.Labels[i].Count = uint32(count)
	if count == 0 {
		n.Labels = slices.Delete(n.Labels, i, i+1)
	}
	if kept && sign < 0 && n.OtherLabels > 0 {
		// The most used of the others may now outrank it.
		best, err := t.bestOther(n.ID)
		if err != nil {
			return err
		}
		if best.Count, err = t.takeOther(n, best.Text); err != nil {
			return err
		}
		i, _ := n.labelAt(best.Text)
		n.Labels = slices.Insert(n.Labels, i, best)
	}
	for len(n.Labels) > t.s.keptLabels {
		if err := t.demote(n); err != nil {
			return err
		}
	}
	return nil
}

func (n *Node) labelAt(text string) (int, bool) {
	return slices.BinarySearchFunc(n.Labels, text, func(l Label, text string) int { return strings.Compare(l.Text, text) })
}

// takeOther takes a label out of those that n does not keep, and returns its count: 0 if it was none of them.
func (t *Tx) takeOther(n *Node, text string) (uint32, error) {
	if n.OtherLabels == 0 {
		return 0, nil
	}
	o, err := t.otherLabel(n.ID, text)
	if err != nil || o.count == 0 {
		return 0, err
	}
	count := o.count
	o.count = 0
	n.OtherLabels--
	return count, nil
}

// demote moves the least used of the labels that n keeps to the others.
func (t *Tx) demote(n *Node) error {
	least := 0
	for i := range n.Labels {
		if n.Labels[least].outranks(n.Labels[i]) {
			least = i
		}
	}
	l := n.Labels[least]
	o, err := t.otherLabel(n.ID, l.Text)
	if err != nil {
		return err
	}
	o.count = l.Count
	n.OtherLabels++
	n.Labels = slices.Delete(n.Labels, least, least+1)
	return nil
}

// otherLabel is the Tx's own count of a label that is not kept.
func (t *Tx) otherLabel(id NodeID, text string) (*otherLabel, error) {
	own := t.ov.otherLabels[id]
	if own == nil {
		own = map[string]*otherLabel{}
		t.ov.otherLabels[id] = own
	}
	if o := own[text]; o != nil {
		return o, nil
	}
	o := &otherLabel{}
	if !t.ov.isAbsentBelow(id) {
		row, err := getRow(t.snap.txn, labelCountKey(id, text))
		if err != nil {
			return nil, err
		}
		if row != nil {
			if _, o.committed, err = decodeLabel(row); err != nil {
				return nil, err
			}
		}
	}
	o.count = o.committed
	own[text] = o
	return o, nil
}

// bestOther is the most used of the labels that a node does not keep, of which there must be one.
func (t *Tx) bestOther(id NodeID) (best Label, err error) {
	own := t.ov.otherLabels[id]
	better := func(l Label) {
		if l.Count > 0 && (best.Count == 0 || l.outranks(best)) {
			best = l
		}
	}
	for text, o := range own {
		better(Label{text, o.count})
	}
	err = scanRows(t.snap.txn, labelOrderPrefix(id), func(_, v []byte) error {
		text, count, err := decodeLabel(v)
		if err != nil {
			return err
		}
		if own[text] != nil {
			return nil // which counts instead
		}
		better(Label{text, count})
		return errStop
	})
	if err != nil && !errors.Is(err, errStop) {
		return best, err
	}
	if best.Count == 0 {
		return best, errors.New("none of the other labels is there")
	}
	return best, nil
}

// writes are the rows of the labels that a Tx has counted.
func (o *otherLabel) writes(id NodeID, text string) []op {
	if o.count == o.committed {
		return nil
	}
	var ops []op
	if o.committed > 0 {
		ops = append(ops, op{key: labelOrderKey(id, text, o.committed)})
	}
	if o.count == 0 {
		return append(ops, op{key: labelCountKey(id, text)})
	}
	return append(ops, op{labelCountKey(id, text), encodeLabel(text, o.count)}, op{labelOrderKey(id, text, o.count), encodeLabel(text, o.count)})
}

func encodeLabel(text string, count uint32) []byte {
	return binary.AppendUvarint(appendBytes(newRow(8+len(text)), text), uint64(count))
}

func decodeLabel(row []byte) (text string, count uint32, err error) {
	d := decodeRow(row)
	text, count = d.string(), d.uint32()
	return text, count, d.end()
}

// labelCountKey is where the count of a label is found.
func labelCountKey(id NodeID, text string) []byte {
	return append(append(idKey(keyLabel, id), keyLabelCount), labelKey(text)...)
}

// labelOrderKey is in the order of Label.outranks.
func labelOrderKey(id NodeID, text string, count uint32) []byte {
	return append(binary.BigEndian.AppendUint32(labelOrderPrefix(id), ^count), labelKey(text)...)
}

func labelOrderPrefix(id NodeID) []byte { return append(idKey(keyLabel, id), keyLabelOrder) }
