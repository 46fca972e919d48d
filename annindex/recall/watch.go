// Package recall tells how much of the truth an approximate index finds, while it
// serves: it asks a part of the live queries again, of an exact search over the same vectors,
// and keeps a running share of agreement.
//
// What it costs is bounded, not what is asked: the time spent on checks is at most Config.Share
// of the time that passes. Queries that come while there is no time to spend are not checked.
package recall

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"kilim/annindex"
)

// Searcher finds the k nearest, best first: the index that is watched, or the exact search.
type Searcher interface {
	Search(vec []float32, k int, keep func(uint64) bool) ([]annindex.Hit, error)
}

// Config are the parameters of a Watch. The zero value of a number is its default.
type Config struct {
	// Share is the part of one core's time that checks may take. Default 0.01.
	Share float64
	// Window is the number of checks that the estimate follows: it is a mean in which the weight of a
	// check falls by a factor of e in as many. Default 200.
	Window int
	// Bound is the recall below which Below is called, once Window checks were made. Default 0.95.
	Bound float64
	// Checked is called after each check with its recall, the estimate and how long it took.
	Checked func(recall, estimate float64, took time.Duration)
	// Below is called from the watch's goroutine when the estimate is below the bound; the estimate
	// begins anew after it returns. So a rebuild that is done in it is judged by itself.
	Below func(ctx context.Context, estimate float64)
	// Failed is called with the errors of a check.
	Failed func(error)
}

// Watch samples queries and checks them. Its methods may be called concurrently.
type Watch struct {
	cfg    Config
	index  Searcher
	exact  Searcher
	offers chan query
	clock  func() time.Time
	wait   func(context.Context, time.Duration) bool

	lock     sync.Mutex
	checks   int
	estimate float64
}

type query struct {
	vec []float32
	k   int
}

// New returns a watch of index, with exact as its oracle over the same vectors.
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

// sleep waits and returns whether the context is still good.
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

// Offer shows the watch a query that was asked. It never waits, and copies the vector only if
// the query will be checked.
func (w *Watch) Offer(vec []float32, k int) {
	if k < 1 || len(w.offers) == cap(w.offers) {
		return
	}
	select {
	case w.offers <- query{append([]float32(nil), vec...), k}:
	default:
	}
}

// Estimate is the running recall and the number of checks it rests on.
func (w *Watch) Estimate() (recall float64, checks int) {
	w.lock.Lock()
	defer w.lock.Unlock()
	return w.estimate, w.checks
}

// Run checks queries until the context ends.
func (w *Watch) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case q := <-w.offers:
			began := w.clock()
			w.check(ctx, q)
			took := w.clock().Sub(began)
			// So that took is Share of all the time until the next check.
			if !w.wait(ctx, time.Duration(float64(took)*(1/w.cfg.Share-1))) {
				return
			}
		}
	}
}

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
	estimate, low := w.note(recall)
	if w.cfg.Checked != nil {
		w.cfg.Checked(recall, estimate, took)
	}
	if low && w.cfg.Below != nil {
		w.cfg.Below(ctx, estimate)
		w.lock.Lock()
		w.checks, w.estimate = 0, 0
		w.lock.Unlock()
	}
}

// compare is the share of the true answers' worth that the index finds: answers as similar as the last
// true one count, whichever ids they have.
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
	// The index may have been changed between the two: no more than all.
	return math.Min(1, float64(good)/float64(len(want))), nil
}

// note adds a check to the estimate: a plain mean at first, then one that forgets.
func (w *Watch) note(recall float64) (estimate float64, low bool) {
	w.lock.Lock()
	defer w.lock.Unlock()
	w.checks++
	w.estimate += (recall - w.estimate) / float64(min(w.checks, w.cfg.Window))
	return w.estimate, w.checks >= w.cfg.Window && w.estimate < w.cfg.Bound
}
