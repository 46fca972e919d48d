package recall

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"kilim/annindex"
)

// Searcher is what a Watch needs of the index, and of the exact search: the k nearest vectors that keep allows (nil:
// all), best first.
type Searcher interface {
	Search(vec []float32, k int, keep func(uint64) bool) ([]annindex.Hit, error)
}

// Config are the parameters of a Watch. The zero value of a number is its default.
type Config struct {
	// Share is the part of one core's time that checks may take. Default 0.01.
	Share float64
	// Window is the number of checks that the estimate follows: the estimate is a mean in which the weight of a
	// check falls by a factor of e in Window checks. Default 200.
	Window int
	// Bound is the recall below which the Watch calls Below, once it has made Window checks. Default 0.95.
	Bound float64
	// Run calls Checked after each check with the check's recall, the estimate and how long the check took.
	Checked func(recall, estimate float64, took time.Duration)
	// Run calls Below when the estimate is below Bound, and begins a new estimate when Below returns: an index that
	// Below rebuilt is judged by its own checks only.
	Below func(ctx context.Context, estimate float64)
	// Run calls Failed with the error of a check.
	Failed func(error)
}

// Watch checks some of the queries that it is offered. Offer may be called concurrently, Run once.
type Watch struct {
	cfg    Config
	index  Searcher
	exact  Searcher
	offers chan query
	clock  func() time.Time
	wait   func(context.Context, time.Duration) bool

	// checks and estimate belong to Run's goroutine.
	checks   int
	estimate float64
}

type query struct {
	vec []float32
	k   int
}

// New returns a Watch of index. exact is the oracle: an exact search over the same vectors.
func New(cfg Config, index, exact Searcher) (*Watch, error) {
	if cfg.Share == 0 {
		cfg.Share = 0.01
	}
	if cfg.Window == 0 {
		cfg.Window = 200
	}
	if cfg.Bound == 0 {
		cfg.Bound = 0.95
	}
	switch {
	case !(cfg.Share > 0 && cfg.Share <= 1):
		return nil, fmt.Errorf("recall: Share %v: must be above 0 and at most 1", cfg.Share)
	case cfg.Window < 1:
		return nil, fmt.Errorf("recall: Window %d: must be 1 or more", cfg.Window)
	case !(cfg.Bound >= 0 && cfg.Bound <= 1):
		return nil, fmt.Errorf("recall: Bound %v: must be 0 to 1", cfg.Bound)
	case index == nil || exact == nil:
		return nil, errors.New("recall: an index and an exact search are needed")
	}
	return &Watch{cfg: cfg, index: index, exact: exact, offers: make(chan query, 1), clock: time.Now, wait: sleep}, nil
}

// sleep waits for d, and returns false if ctx ended before.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// Offer shows the Watch a query that was asked. It never waits, and copies vec only if the offers have room.
func (w *Watch) Offer(vec []float32, k int) {
	if k < 1 || len(w.offers) == cap(w.offers) {
		return
	}
	select {
	case w.offers <- query{append([]float32(nil), vec...), k}:
	default:
	}
}

// Run checks queries until ctx ends.
func (w *Watch) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case q := <-w.offers:
			began := w.clock()
			w.check(ctx, q)
			took := w.clock().Sub(began)
			// took is Share of the time from this check to the next then.
			if !w.wait(ctx, time.Duration(float64(took)*(1/w.cfg.Share-1))) {
				return
			}
		}
	}
}

// check asks a query of both Searchers and tells Config's functions what came of it.
func (w *Watch) check(ctx context.Context, q query) {
	began := w.clock()
	recall, err := w.compare(q)
	took := w.clock().Sub(began)
	if err != nil {
		if w.cfg.Failed != nil {
			w.cfg.Failed(err)
		}
		return
	}
	estimate, low := w.record(recall)
	if w.cfg.Checked != nil {
		w.cfg.Checked(recall, estimate, took)
	}
	if low && w.cfg.Below != nil {
		w.cfg.Below(ctx, estimate)
		w.checks, w.estimate = 0, 0
	}
}

// compare returns the share of the true answers that the index finds. An answer counts if its score is at least that of
// the last true answer, whichever its id: of vectors with equal scores one is as good as the other.
func (w *Watch) compare(q query) (float64, error) {
	got, err := w.index.Search(q.vec, q.k, nil)
	if err != nil {
		return 0, fmt.Errorf("recall: ask the index: %w", err)
	}
	want, err := w.exact.Search(q.vec, q.k, nil)
	if err != nil {
		return 0, fmt.Errorf("recall: ask the exact search: %w", err)
	}
	if len(want) == 0 {
		return 1, nil
	}
	last, good := want[len(want)-1].Score, 0
	for _, h := range got {
		if h.Score >= last {
			good++
		}
	}
	// A change between the two searches may make more answers count than there are true ones.
	return math.Min(1, float64(good)/float64(len(want))), nil
}

// record adds a check's recall to the estimate, a plain mean until Window checks and an exponential one from then on.
// It returns low if Below is to be called.
func (w *Watch) record(recall float64) (estimate float64, low bool) {
	w.checks++
	w.estimate += (recall - w.estimate) / float64(min(w.checks, w.cfg.Window))
	return w.estimate, w.checks >= w.cfg.Window && w.estimate < w.cfg.Bound
}
