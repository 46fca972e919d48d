package graphstore

import (
	"fmt"
	"maps"
)

// Reader reads one state of the graph: a committed one in View, and in a Tx
// the one it began with, changed by its own writes.
type Reader struct {
	s    *Store
	snap *snapshot
	// ov holds the writes of a Tx; nil in a View.
	ov *overlay
	// state are the counters; nil means those of the snapshot.
	state *state
	// broken is why nothing can be read or written any more.
	broken error
}

// Meta returns what PutMeta stored, nil if there is nothing.
func (r *Reader) Meta(key string) ([]byte, error) {
	return r.blob(stringKey(keyMeta, key), "meta row")
}

func (r *Reader) blob(key []byte, what string) ([]byte, error) {
	row, err := r.row(key)
	if err == nil && row == nil {
		return nil, nil
	}
	var b []byte
	if err == nil {
		b, err = decodeBlob(row)
	}
	if err != nil {
		return nil, fmt.Errorf("graphstore: read %s %q: %w", what, key[1:], err)
	}
	return b, nil
}

// EncoderDim is the length of an encoder's vectors, false for an unknown encoder.
func (r *Reader) EncoderDim(name string) (int, bool) {
	if r.broken != nil {
		return 0, false
	}
	if r.ov != nil {
		if dim, ok := r.ov.dims[name]; ok {
			return dim, true
		}
	}
	dim, ok := r.snap.dims[name]
	return dim, ok
}

// EncoderDims is the length of every known encoder's vectors, by name.
func (r *Reader) EncoderDims() map[string]int {
	out := map[string]int{}
	if r.broken != nil {
		return out
	}
	maps.Copy(out, r.snap.dims)
	if r.ov != nil {
		maps.Copy(out, r.ov.dims)
	}
	return out
}

// Counts is the size of the graph that r reads.
func (r *Reader) Counts() Counts {
	if r.state != nil {
		return r.state.counts
	}
	if r.snap == nil {
		return Counts{}
	}
	return r.snap.state.counts
}
