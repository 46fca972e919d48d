package annindex

import (
	"fmt"
	"io"
	"slices"

	"kilim/annindex/hnsw"
	"kilim/annindex/internal/ann"
)

// Hit is an answer: an id and its inner product with the query, the cosine of unit vectors.
type Hit = ann.Hit

// Index holds one vector an id. Searches run concurrently with each other and
// with one writer, and never see half a vector. Bad input (another dimension, a
// NaN, an infinity, a vector of zeros, one so long that an inner product may
// overflow, k below 1) is an error that names it and changes nothing.
type Index interface {
	// Put inserts a vector, or moves it if the id is there.
	Put(id uint64, vec []float32) error
	// Delete removes a vector, and returns ErrUnknown for an id that is not there.
	Delete(id uint64) error
	// Search returns the k nearest that keep allows (nil: all), best first, ties by the smaller
	// id; fewer when there are not so many. keep may be called from several goroutines at
	// once and must not call the index.
	Search(vec []float32, k int, keep func(uint64) bool) ([]Hit, error)
	// SearchMany is Search for many queries at once.
	SearchMany(vecs [][]float32, k int) ([][]Hit, error)
	// SearchExact is Search by comparing with every vector: package recall measures Search against it.
	SearchExact(vec []float32, k int, keep func(uint64) bool) ([]Hit, error)
	// Vector copies a vector to out, which has room for Dim numbers, and tells whether it is there.
	Vector(id uint64, out []float32) bool
	Len() int
	Dim() int
	// IDs returns the ids, in order.
	IDs() []uint64
	// Snapshot writes the whole index. Put and Delete wait while it does.
	Snapshot(w io.Writer) error
	// Restore replaces the index by a snapshot of any engine. It refuses one that is torn, changed or of another
	// dimension with ErrSnapshot, and leaves the index as it is.
	Restore(r io.Reader) error
}

var (
	// ErrUnknown is returned for an id that is not in the index.
	ErrUnknown = ann.ErrUnknown
	// ErrSnapshot is returned for a snapshot that can't be used.
	ErrSnapshot = ann.ErrSnapshot
)

// Engines are the names of the engines, the default first.
func Engines() []string { return []string{"hnsw", "flat", "coder"} }

// Metrics are the names of the similarities, the default first.
func Metrics() []string { return []string{"dot", "cosine"} }

// Config says what index to make. The zero value of a field, other than Dim's, is its default.
type Config struct {
	// Engine is one of Engines.
	Engine string
	// Metric is one of Metrics: dot is the inner product of the vectors as they are given; cosine
	// scales vectors and queries to length 1 first.
	Metric string
	// Dim is the number of numbers of a vector.
	Dim int
	// Graph are the parameters of the engine hnsw. New sets Graph.Dim to Dim.
	Graph hnsw.Config
}

// New returns an empty index.
func New(cfg Config) (Index, error) {
	if cfg.Dim < 1 {
		return nil, fmt.Errorf("annindex: dimension %d: must be 1 or more", cfg.Dim)
	}
	var ix Index
	switch cfg.Engine {
	case "hnsw", "":
		cfg.Graph.Dim = cfg.Dim
		g, err := hnsw.New(cfg.Graph)
		if err != nil {
			return nil, err
		}
		ix = graph{g}
	case "flat":
		ix = newFlat(cfg.Dim)
	case "coder":
		ix = newCoder(cfg.Dim)
	default:
		return nil, fmt.Errorf("annindex: engine %q: want one of %v", cfg.Engine, Engines())
	}
	switch cfg.Metric {
	case "dot", "":
		return ix, nil
	case "cosine":
		return cosine{ix}, nil
	}
	return nil, fmt.Errorf("annindex: metric %q: want one of %v", cfg.Metric, Metrics())
}

// top keeps the k best of the hits it is offered, in a heap whose root is the worst.
type top struct {
	k    int
	hits []Hit
}

// offer adds h if it is among the k best so far.
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

// sorted returns the hits best first. It destroys the heap: t is not to be used after it.
func (t *top) sorted() []Hit {
	slices.SortFunc(t.hits, ann.Compare)
	return t.hits
}
