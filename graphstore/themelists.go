package graphstore

import "fmt"

// ThemeLists returns what PutThemeLists stored, nil if there is nothing.
func (r *Reader) ThemeLists(id NodeID) ([]byte, error) {
	return r.blob(idKey(keyThemeLists, id), "lists of themes")
}

// EachThemeLists calls fn with all that PutThemeLists stored, by rising id.
func (r *Reader) EachThemeLists(fn func(id NodeID, lists []byte) error) error {
	return r.rows([]byte{keyThemeLists}, func(k, v []byte) error {
		id, err := parseIDKey(k)
		var lists []byte
		if err == nil {
			lists, err = decodeBlob(v)
		}
		if err != nil {
			return fmt.Errorf("graphstore: read lists of themes %q: %w", k[1:], err)
		}
		return fn(id, lists)
	})
}

// PutThemeLists stores an artifact's lists of themes. They outlive the artifact: whoever keeps them says in topics of their own that
// they are gone, and deletes them by DeleteThemeLists in the same commit.
func (t *Tx) PutThemeLists(id NodeID, lists []byte) error {
	if t.broken != nil {
		return t.broken
	}
	if err := t.s.checkSize(fmt.Sprintf("the lists of themes of %016x", uint64(id)), len(lists)); err != nil {
		return err
	}
	t.ov.rows[string(idKey(keyThemeLists, id))] = encodeBlob(lists)
	return nil
}

// DeleteThemeLists removes an artifact's lists of themes, if it has any.
func (t *Tx) DeleteThemeLists(id NodeID) error {
	if t.broken != nil {
		return t.broken
	}
	t.ov.rows[string(idKey(keyThemeLists, id))] = nil
	return nil
}
