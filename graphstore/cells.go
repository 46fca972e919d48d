package graphstore

import "fmt"

// EachCell calls fn with all cells of maps that PutCell stored, by rising key.
func (r *Reader) EachCell(fn func(key string, cell []byte) error) error {
	return r.rows([]byte{keyCell}, func(k, v []byte) error {
		cell, err := decodeBlob(v)
		if err != nil {
			return fmt.Errorf("graphstore: read cell %q: %w", k[1:], err)
		}
		return fn(string(k[1:]), cell)
	})
}

// PutCell stores a cell of a map of cultures, periods or places as it was told. Whoever tells cells deletes it by DeleteCell, in the commit that says that it is gone.
func (t *Tx) PutCell(key string, cell []byte) error {
	if t.broken != nil {
		return t.broken
	}
	if err := t.s.checkSize(fmt.Sprintf("cell %q", key), len(key)+len(cell)); err != nil {
		return err
	}
	t.ov.rows[string(cellKey(key))] = encodeBlob(cell)
	return nil
}

// DeleteCell removes a cell, if it is there.
func (t *Tx) DeleteCell(key string) error {
	if t.broken != nil {
		return t.broken
	}
	t.ov.rows[string(cellKey(key))] = nil
	return nil
}

// Cell returns what PutCell stored, nil if there is nothing.
func (r *Reader) Cell(key string) ([]byte, error) { return r.blob(cellKey(key), "cell") }

func cellKey(key string) []byte { return append([]byte{keyCell}, key...) }
