// Package ann holds what packages annindex and hnsw have in common: Hit and the order of hits (Better, Compare), the
// rules for input (CheckVector, CheckMany, CheckK), the errors (ErrUnknown, ErrSnapshot, Refuse) and the checksum of
// snapshots. Package annindex documents and exports what its callers may use. Package ann must not know any engine.
package ann

import (
	"errors"
	"fmt"
	"hash/crc32"
	"math"

	"kilim/annindex/internal/dist"
)

// Hit is an answer: an id and its inner product with the query.
type Hit struct {
	ID    uint64
	Score float32
}

var (
	// ErrUnknown is returned for an id that is not in the index.
	ErrUnknown = errors.New("annindex: unknown id")
	// ErrSnapshot is returned for a snapshot that can't be used.
	ErrSnapshot = errors.New("annindex: snapshot refused")
)

// Refuse returns an error that wraps ErrSnapshot and says why a snapshot can't be used.
func Refuse(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrSnapshot, fmt.Sprintf(format, args...))
}

// Castagnoli returns the table of the checksums in snapshots.
func Castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// maxLength keeps every inner product, and every partial sum of one, finite in
// float32: by Cauchy and Schwarz it is at most the product of the lengths.
const maxLength = 1e19

// CheckVector returns an error that names what is wrong with a vector, or nil.
func CheckVector(vec []float32, dim int) error {
	if len(vec) != dim {
		return fmt.Errorf("annindex: vector of %d numbers, the index has dimension %d", len(vec), dim)
	}
	// A NaN or an infinity anywhere in vec makes square one too. A vector within these bounds is
	// well within those below, whatever the rounding. Nearly all vectors return here.
	if square := dist.Dot(vec, vec); square > 1e-30 && square < 1e37 {
		return nil
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

// CheckMany returns an error that names what is wrong with k or a query, or nil.
func CheckMany(vecs [][]float32, k, dim int) error {
	if err := CheckK(k); err != nil {
		return err
	}
	for i, v := range vecs {
		if err := CheckVector(v, dim); err != nil {
			return fmt.Errorf("query %d: %w", i, err)
		}
	}
	return nil
}

// CheckK returns an error if k, the number of answers, is below 1.
func CheckK(k int) error {
	if k < 1 {
		return fmt.Errorf("annindex: k %d: must be 1 or more", k)
	}
	return nil
}

// Better tells whether a comes before b in an answer: by the higher score, then by the smaller id.
func Better(a, b Hit) bool {
	if a.Score != b.Score {
		return a.Score > b.Score
	}
	return a.ID < b.ID
}

// Compare is Better as a comparison for package slices.
func Compare(a, b Hit) int {
	switch {
	case Better(a, b):
		return -1
	case Better(b, a):
		return 1
	}
	return 0
}
