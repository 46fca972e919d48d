// Package tend serves an index and looks after it: a part of the live queries is asked again in the
// background, exactly (package recall), and when too little of the truth was found the index is built anew beside the
// serving one and takes its place (package swap).
package tend

import (
	"context"
	"io"
	"log/slog"
	"math"
	"sync/atomic"
	"time"

	"kilim/annindex"
	"kilim/annindex/recall"
	"kilim/annindex/swap"
)

// Config says what is tended, and how.
type Config struct {
	// Make returns an empty index.
	Make func() (annindex.Index, error)
	// Watch are the bound and the costs; its functions are not used.
	Watch recall.Config
	Log   *slog.Logger
}

// turnover is the share of the vectors that must have been put or deleted since the index was built before it is built
// again. A graph that is nearly fresh does not get better by that.
const turnover = 0.1

// Index is an annindex.Index whose recall is watched while Run runs.
type Index struct {
	*swap.Index
	cfg   Config
	watch *recall.Watch
	turn  atomic.Uint64 // which query of many is shown to the watch

	// changes counts what was put and deleted since the index was built.
	changes atomic.Int64
	// warned is set by Run when it said that a new index would not help.
	warned bool
	stats  struct {
		recall                            atomic.Uint64 // bits of a float64
		checks, failed, rebuilds, stopped atomic.Uint64
		checking                          atomic.Int64 // nanoseconds
	}
}

var _ annindex.Index = (*Index)(nil)

// New makes an empty index.
func New(cfg Config) (*Index, error) {
	first, err := cfg.Make()
	if err != nil {
		return nil, err
	}
	x := &Index{Index: swap.New(first), cfg: cfg}
	x.stats.recall.Store(math.Float64bits(math.NaN()))
	w := cfg.Watch
	w.Checked, w.Below = x.checked, x.below
	w.Failed = func(err error) {
		x.stats.failed.Add(1)
		cfg.Log.Warn("a check of the index's recall failed", "err", err)
	}
	x.watch, err = recall.New(w, x.Index, exact{x.Index})
	return x, err
}

// exact is the oracle of an index: itself, asked exactly.
type exact struct{ index annindex.Index }

func (e exact) Search(vec []float32, k int, keep func(uint64) bool) ([]annindex.Hit, error) {
	return e.index.SearchExact(vec, k, keep)
}

// Run checks queries, and rebuilds, until the context ends.
func (x *Index) Run(ctx context.Context) { x.watch.Run(ctx) }

// Search implements annindex.Index.
func (x *Index) Search(vec []float32, k int, keep func(uint64) bool) ([]annindex.Hit, error) {
	hits, err := x.Index.Search(vec, k, keep)
	if err == nil && keep == nil {
		x.watch.Offer(vec, k)
	}
	return hits, err
}

// SearchMany implements annindex.Index.
func (x *Index) SearchMany(vecs [][]float32, k int) ([][]annindex.Hit, error) {
	hits, err := x.Index.SearchMany(vecs, k)
	if err == nil && len(vecs) > 0 {
		x.watch.Offer(vecs[x.turn.Add(1)%uint64(len(vecs))], k)
	}
	return hits, err
}

// Put implements annindex.Index.
func (x *Index) Put(id uint64, vec []float32) error {
	err := x.Index.Put(id, vec)
	if err == nil {
		x.changes.Add(1)
	}
	return err
}

// Delete implements annindex.Index.
func (x *Index) Delete(id uint64) error {
	err := x.Index.Delete(id)
	if err == nil {
		x.changes.Add(1)
	}
	return err
}

// Restore implements annindex.Index.
func (x *Index) Restore(r io.Reader) error {
	err := x.Index.Restore(r)
	if err == nil {
		x.changes.Store(int64(x.Len())) // nobody knows how much it has been through
	}
	return err
}

// Stats are counts since the index was made.
type Stats struct {
	// Recall is the running estimate, NaN before the first check.
	Recall float64
	// Checks are those that were made, Failed those that could not be.
	Checks, Failed uint64
	// Checking is the time spent on them.
	Checking time.Duration
	// Rebuilds are those that ended in a new index, Stopped those that did not.
	Rebuilds, Stopped uint64
}

// Stats returns the counts.
func (x *Index) Stats() Stats {
	s := &x.stats
	return Stats{
		Recall: math.Float64frombits(s.recall.Load()), Checks: s.checks.Load(), Failed: s.failed.Load(),
		Checking: time.Duration(s.checking.Load()), Rebuilds: s.rebuilds.Load(), Stopped: s.stopped.Load(),
	}
}

func (x *Index) checked(_, estimate float64, took time.Duration) {
	x.stats.recall.Store(math.Float64bits(estimate))
	x.stats.checks.Add(1)
	x.stats.checking.Add(int64(took))
}

// below builds the index anew, unless it is as good as new.
func (x *Index) below(ctx context.Context, estimate float64) {
	log := x.cfg.Log.With("recall", estimate, "bound", x.cfg.Watch.Bound, "vectors", x.Len())
	changes := x.changes.Load()
	if float64(changes) < turnover*float64(x.Len()) {
		if !x.warned {
			x.warned = true
			log.Warn("the index finds too little though it is fresh: give it a larger ef, M or efConstruction", "changes", changes)
		}
		return
	}
	log.Info("the index finds too little: building it anew")
	start := time.Now()
	next, err := x.cfg.Make()
	if err == nil {
		err = x.Rebuild(ctx, next)
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return // the daemon stops
	case err != nil:
		x.stats.stopped.Add(1)
		log.Error("the index could not be built anew; the old one goes on serving", "err", err)
		return
	}
	x.changes.Add(-changes) // those that came meanwhile are changes of the new one
	x.warned = false
	x.stats.rebuilds.Add(1)
	log.Info("the index was built anew", "took", time.Since(start).Round(time.Millisecond))
}
