package graphstore

import "fmt"

// Lists returns what PutLists stored, nil if there is nothing.
func (r *Reader) Lists(id NodeID) ([]byte, error) {
	return r.blob(idKey(keyLists, id), "lists")
}

// PutLists stores an artifact's lists.
func (t *Tx) PutLists(id NodeID, lists []byte) error {
	if t.broken != nil {
		return t.broken
	}
	if err := t.s.checkSize(fmt.Sprintf("the lists of %016x", uint64(id)), len(lists)); err != nil {
		return err
	}
	delete(t.ov.deleted, id)
	t.ov.rows[string(idKey(keyLists, id))] = encodeBlob(lists)
	return nil
}

// DeleteLists removes an artifact's lists, if it has any.
func (t *Tx) DeleteLists(id NodeID) error {
	if t.broken != nil {
		return t.broken
	}
	delete(t.ov.deleted, id)
	t.ov.rows[string(idKey(keyLists, id))] = nil
	return nil
}
