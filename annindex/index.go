package annindex

import (
	"fmt"
	"io"
	"slices"

	"kilim/annindex/internal/ann"
)

// Hit is an answer: an id and its cosine with the query.
type Hit = ann.Hit

// Index holds one vector an id. Searches run concurrently with each other and
// with one writer, and never see half a vector. Bad input (another dimension, a
// NaN, an infinity, a vector of zeros, one so long that an inner product may
// overflow, k below 1) is an error that names it and changes nothing.
type Index interface {
	// Put inserts or moves a vector.
	Put(id uint64, vec []float32) error
	// Delete removes a vector; an id that is not there is ErrUnknown.
	Delete(id uint64) error
	// Search returns the k nearest that keep allows (nil: all), best first, ties by the smaller
	// id; fewer when there are not so many. keep may be called from several goroutines at
	// once and must not call the index.
	Search(vec []float32, k int, keep func(uint64) bool) ([]Hit, error)
	// SearchMany is Search for many queries at once.
	SearchMany(vecs [][]float32, k int) ([][]Hit, error)
	// Vector copies a vector to out, which has room for Dim numbers, and tells whether it is there.
	Vector(id uint64, out []float32) bool
	Len() int
	Dim() int
	// Snapshot writes the whole index; the writer waits while it does. Restore replaces the
	// index by such a writing, of any engine. What is torn, changed or of another
	// dimension is refused with ErrSnapshot, and the index stays as it is.
	Snapshot(w io.Writer) error
	Restore(r io.Reader) error
}

var (
	// ErrUnknown is returned for an id that is not in the index.
	ErrUnknown = ann.ErrUnknown
	// ErrSnapshot is returned for a snapshot that can't be used.
	ErrSnapshot = ann.ErrSnapshot
)

// Engines are the names that New knows.
func Engines() []string { return []string{"hnsw", "flat", "coder"} }

// New returns an empty index.
func New(engine string, dim int) (Index, error) {
	if dim < 1 {
		return nil, fmt.Errorf("annindex: dimension %d: must be 1 or more", dim)
	}
	switch engine {
	case "hnsw":
		return newGraphEngine(dim)
	case "flat":
		return newFlat(dim), nil
	case "coder":
		return newCoder(dim), nil
	}
	return nil, fmt.Errorf("annindex: engine %q: want one of %v", engine, Engines())
}

// top keeps the k best of what it is offered: a heap whose root is the worst.
type top struct {
	k    int
	hits []Hit
}

func (t *top) offer(h Hit) {
	if len(t.hits) < t.k {
		t.hits = append(t.hits, h)
		for i := len(t.hits) - 1; i > 0; {
			parent := (i - 1) / 2
			if !ann.Better(t.hits[parent], t.hits[i]) {
				break
			}
			t.hits[parent], t.hits[i] = t.hits[i], t.hits[parent]
			i = parent
		}
		return
	}
	if !ann.Better(h, t.hits[0]) {
		return
	}
	t.hits[0] = h
	for i := 0; ; {
		worst := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(t.hits); c++ {
			if ann.Better(t.hits[worst], t.hits[c]) {
				worst = c
			}
		}
		if worst == i {
			return
		}
		t.hits[i], t.hits[worst] = t.hits[worst], t.hits[i]
		i = worst
	}
}

// sorted returns the hits best first; t is used up.
func (t *top) sorted() []Hit {
	slices.SortFunc(t.hits, ann.Compare)
	return t.hits
}
