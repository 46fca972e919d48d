package theme

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"kilim/learner/tensor/gemm"
	"kilim/learner/tensor/par"
)

// Config is what a Basis is made with.
type Config struct {
	// Landmarks is how many Works precondition the solution. They bound its memory and decide how long it takes, not what it is.
	Landmarks int
	// Ridge is the penalty on the length of the solution: the kernel of a full record with itself is 1.
	Ridge float64
	// Tolerance is how large the residual of a term's solution may be, as a share of its labels.
	Tolerance float64
	// Threads compute; the result is the same to the bit for any number of them.
	Threads int
	// Solved, which may be nil, is told by each thread how many of the terms to be solved it took on, and how long that was: whoever
	// fits beside other work rests in it.
	Solved func(terms, of int, took time.Duration)
}

// DefaultConfig is what daemon/experiments/themes measures. The ridge is the peer's. A tolerance of 0.04 ranks as the exact solution
// does; 0.02 is another step.
func DefaultConfig() Config {
	return Config{Landmarks: 1024, Ridge: 0.5, Tolerance: 0.02, Threads: 1}
}

func (c Config) validate() error {
	var faults []error
	for _, f := range []struct {
		name  string
		value int
	}{{"landmarks", c.Landmarks}, {"threads", c.Threads}} {
		if f.value < 1 {
			faults = append(faults, fmt.Errorf("theme: %s %d: must be at least 1", f.name, f.value))
		}
	}
	if !(c.Ridge > 0) {
		faults = append(faults, fmt.Errorf("theme: ridge %g: must be above 0", c.Ridge))
	}
	if !(c.Tolerance > 0 && c.Tolerance < 1) {
		faults = append(faults, fmt.Errorf("theme: tolerance %g: must be above 0 and below 1", c.Tolerance))
	}
	return errors.Join(faults...)
}

// Basis is all of a fit that does not depend on labels: the Works, what they consist of, and the preconditioner of their kernels.
// It is not changed once made.
type Basis struct {
	cfg       Config
	space     *space
	place     map[string]int32 // of a Work among the rows, by its id
	x         *matrix          // Works x features
	byFeature *matrix          // its transpose
	*preconditioner
}

// NewBasis makes a Basis of the Works whose labels are known, in whatever order.
func NewBasis(cfg Config, works []Work) (*Basis, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if len(works) == 0 {
		return nil, errors.New("theme: there is no work to fit")
	}
	// The first, the landmarks, are a sample that neither arrival nor the alphabet decides.
	works = slices.SortedFunc(slices.Values(works), func(a, b Work) int {
		return cmp.Or(cmp.Compare(idHash(a.ID), idHash(b.ID)), cmp.Compare(a.ID, b.ID))
	})
	space, err := newSpace(works)
	if err != nil {
		return nil, err
	}
	b := &Basis{cfg: cfg, space: space, place: make(map[string]int32, len(works))}
	vectors := make([]vector, len(works))
	for i := range works {
		if _, twice := b.place[works[i].ID]; twice {
			return nil, fmt.Errorf("theme: work %q is there twice", works[i].ID)
		}
		b.place[works[i].ID] = int32(i)
		vectors[i] = space.vector(&works[i])
	}
	b.x = matrixOf(space.len(), vectors)
	b.byFeature = b.x.transposed()
	pool, err := par.New(cfg.Threads)
	if err != nil {
		return nil, fmt.Errorf("theme: %w", err)
	}
	defer pool.Close()
	b.preconditioner, err = precondition(pool, vectors, b.byFeature, min(cfg.Landmarks, len(works)), cfg.Ridge)
	return b, err
}

// system are the equations on a pool.
func (b *Basis) system(pool *par.Pool) *system {
	return &system{x: b.x, byFeature: b.byFeature, ridge: b.cfg.Ridge, tolerance: b.cfg.Tolerance, engine: gemm.New(pool), preconditioner: b.preconditioner}
}
