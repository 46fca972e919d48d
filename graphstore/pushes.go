package graphstore

import (
	"encoding/binary"
	"fmt"
)

// Push says that the nodes which depend on Node have not all seen its latest value; Cursor is the last that has. Refresh
// writes pushes and goes on with them after a restart.
type Push struct {
	Node, Cursor NodeID
	Since        float64
	Weight       float32
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

// PutPush stores a push, in place of an earlier one of the same node.
func (t *Tx) PutPush(p Push) error {
	if t.broken != nil {
		return t.broken
	}
	t.ov.rows[string(idKey(keyPush, p.Node))] = encodePush(p)
	return nil
}

// DeletePush removes the push of a node, if there is one.
func (t *Tx) DeletePush(id NodeID) error {
	if t.broken != nil {
		return t.broken
	}
	t.ov.rows[string(idKey(keyPush, id))] = nil
	return nil
}

func encodePush(p Push) []byte {
	b := newRow(32)
	b = binary.LittleEndian.AppendUint64(b, uint64(p.Cursor))
	b = appendFloat64(b, p.Since)
	return appendFloat64(b, float64(p.Weight))
}

func decodePush(id NodeID, row []byte) (Push, error) {
	d := decodeRow(row)
	p := Push{Node: id, Cursor: NodeID(d.fixed64()), Since: d.float64(), Weight: float32(d.float64())}
	return p, d.end()
}
