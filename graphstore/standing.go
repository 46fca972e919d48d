package graphstore

import "fmt"

// EachStanding calls fn with what PutStanding stored of all standing queries, by rising name.
func (r *Reader) EachStanding(fn func(name string, row []byte) error) error {
	return r.rows([]byte{keyStanding}, func(k, v []byte) error {
		row, err := decodeBlob(v)
		if err != nil {
			return fmt.Errorf("graphstore: read standing query %q: %w", k[1:], err)
		}
		return fn(string(k[1:]), row)
	})
}

// Standing returns what PutStanding stored, nil if there is nothing.
func (r *Reader) Standing(name string) ([]byte, error) {
	return r.blob(standingKey(name), "standing query")
}

// PutStanding stores what was told of a standing query. Whoever tells of them deletes it by DeleteStanding, in the commit that says that it is gone.
func (t *Tx) PutStanding(name string, row []byte) error {
	if t.broken != nil {
		return t.broken
	}
	if err := t.s.checkSize(fmt.Sprintf("standing query %q", name), len(name)+len(row)); err != nil {
		return err
	}
	t.ov.rows[string(standingKey(name))] = encodeBlob(row)
	return nil
}

// DeleteStanding removes it, if it is there.
func (t *Tx) DeleteStanding(name string) error {
	if t.broken != nil {
		return t.broken
	}
	t.ov.rows[string(standingKey(name))] = nil
	return nil
}

func standingKey(name string) []byte { return append([]byte{keyStanding}, name...) }
