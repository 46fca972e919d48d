package graphstore

import (
	"encoding/binary"
	"fmt"
)

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

// ThemePast returns what PutThemePast stored, nil if there is nothing.
func (r *Reader) ThemePast(id NodeID, theme string) ([]byte, error) {
	return r.blob(themePastKey(id, theme), "history of a list of a theme")
}

// EachThemePast calls fn with all that PutThemePast stored, by rising id.
func (r *Reader) EachThemePast(fn func(id NodeID, theme string, past []byte) error) error {
	return r.rows([]byte{keyThemePast}, func(k, v []byte) error {
		if len(k) < 9 {
			return fmt.Errorf("graphstore: history of a list of a theme: key of %d bytes, want 9 or more", len(k))
		}
		past, err := decodeBlob(v)
		if err != nil {
			return fmt.Errorf("graphstore: read history of a list of a theme %q: %w", k[1:], err)
		}
		return fn(NodeID(binary.BigEndian.Uint64(k[1:9])), string(k[9:]), past)
	})
}

// PutThemePast stores how an artifact's list of a theme came to be; nil removes that, which whoever deletes the list does in the same commit. It has a row of its own and is
// not beside the list: who keeps lists has all of them in memory, and an older program, which knows no such rows, goes on reading the lists.
func (t *Tx) PutThemePast(id NodeID, theme string, past []byte) error {
	if t.broken != nil {
		return t.broken
	}
	key := themePastKey(id, theme)
	if past == nil {
		t.ov.rows[string(key)] = nil
		return nil
	}
	if err := t.s.checkSize(fmt.Sprintf("the history of the list of theme %q of %016x", theme, uint64(id)), len(key)+len(past)); err != nil {
		return err
	}
	t.ov.rows[string(key)] = encodeBlob(past)
	return nil
}

func themePastKey(id NodeID, theme string) []byte { return append(idKey(keyThemePast, id), theme...) }
