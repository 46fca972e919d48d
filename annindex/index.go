package annindex

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// Hit is an answer: an id and its cosine with the query.
type Hit struct {
	ID    uint64
	Score float32
}

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
	ErrUnknown = errors.New("annindex: unknown id")
	// ErrSnapshot is returned for a snapshot that can't be used.
	ErrSnapshot = errors.New("annindex: snapshot refused")
)

// Engines are the names that New knows.
func Engines() []string { return []string{"flat", "coder"} }

// New returns an empty index.
func New(engine string, dim int) (Index, error) {
	if dim < 1 {
		return nil, fmt.Errorf("annindex: dimension %d: must be 1 or more", dim)
	}
	switch engine {
	case "flat":
		return newFlat(dim), nil
	case "coder":
		return newCoder(dim), nil
	}
	return nil, fmt.Errorf("annindex: engine %q: want one of %v", engine, Engines())
}

// maxLength keeps every inner product, and every partial sum of one, finite in
// float32: by Cauchy and Schwarz it is at most the product of the lengths.
const maxLength = 1e19

func checkVector(vec []float32, dim int) error {
	if len(vec) != dim {
		return fmt.Errorf("annindex: vector of %d numbers, the index has dimension %d", len(vec), dim)
	}
	var square float64
	for i, x := range vec {
		f := float64(x)
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Errorf("annindex: vector[%d] is %v", i, x)
		}
		square += f * f
	}
	if square == 0 {
		return errors.New("annindex: a vector of zeros has no direction")
	}
	if length := math.Sqrt(square); length > maxLength {
		return fmt.Errorf("annindex: a vector of length %g: at most %g", length, maxLength)
	}
	return nil
}

func checkMany(vecs [][]float32, k, dim int) error {
	if err := checkK(k); err != nil {
		return err
	}
	for i, v := range vecs {
		if err := checkVector(v, dim); err != nil {
			return fmt.Errorf("query %d: %w", i, err)
		}
	}
	return nil
}

func checkK(k int) error {
	if k < 1 {
		return fmt.Errorf("annindex: k %d: must be 1 or more", k)
	}
	return nil
}

// better is the order of answers.
func better(a, b Hit) bool {
	if a.Score != b.Score {
		return a.Score > b.Score
	}
	return a.ID < b.ID
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
			if !better(t.hits[parent], t.hits[i]) {
				break
			}
			t.hits[parent], t.hits[i] = t.hits[i], t.hits[parent]
			i = parent
		}
		return
	}
	if !better(h, t.hits[0]) {
		return
	}
	t.hits[0] = h
	for i := 0; ; {
		worst := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(t.hits); c++ {
			if better(t.hits[worst], t.hits[c]) {
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
	slices.SortFunc(t.hits, func(a, b Hit) int {
		if better(a, b) {
			return -1
		}
		return 1
	})
	return t.hits
}
