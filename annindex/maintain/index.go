package maintain

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

// Config says which index New serves and when Index.Run rebuilds it.
type Config struct {
	// Make returns an empty index: New calls it once, and each rebuild once more.
	Make func() (annindex.Index, error)
	// Watch holds the bound of the recall and the cost of the checks. New sets Watch's functions itself.
	Watch recall.Config
	// Asked is how many answers are checked of a vector that is put, as if it were asked for: an index into which much is put and of which
	// little is asked is watched too. 0: vectors that are put are not checked.
	Asked int
	Log   *slog.Logger
}

// minChanged is the share of the vectors that must have been put or deleted since the last rebuild before onLowRecall
// builds again: an index that is nearly fresh does not get better by a rebuild.
const minChanged = 0.1

// Index is an annindex.Index whose recall is checked, and which is rebuilt, while Run runs.
type Index struct {
	*swap.Index
	cfg   Config
	watch *recall.Watch
	// batches counts the calls of SearchMany, so that SearchMany shows the watch now one, now another of its queries.
	batches atomic.Uint64

	// changes counts the vectors put and deleted since the last rebuild. onLowRecall compares it with minChanged.
	changes atomic.Int64
	// warned is true once onLowRecall has logged that a rebuild would not help. Only onLowRecall uses it, in Run's
	// goroutine.
	warned bool
	stats  struct {
		recall                                         atomic.Uint64 // bits of a float64
		checks, failedChecks, rebuilds, failedRebuilds atomic.Uint64
		checkTime                                      atomic.Int64 // nanoseconds
	}
}

var _ annindex.Index = (*Index)(nil)

// New returns an Index over an empty index from cfg.Make.
func New(cfg Config) (*Index, error) {
	first, err := cfg.Make()
	if err != nil {
		return nil, err
	}
	x := &Index{Index: swap.New(first), cfg: cfg}
	x.stats.recall.Store(math.Float64bits(math.NaN()))
	w := cfg.Watch
	w.Checked, w.Below = x.onCheck, x.onLowRecall
	w.Failed = func(err error) {
		x.stats.failedChecks.Add(1)
		cfg.Log.Warn("a check of the index's recall failed", "err", err)
	}
	x.watch, err = recall.New(w, x.Index, exact{x.Index})
	return x, err
}

// exact is the oracle that recall.Watch compares with: the same index's SearchExact.
type exact struct{ index annindex.Index }

func (e exact) Search(vec []float32, k int, keep func(uint64) bool) ([]annindex.Hit, error) {
	return e.index.SearchExact(vec, k, keep)
}

// Run checks queries, and rebuilds the index when the recall is below the bound, until ctx ends.
func (x *Index) Run(ctx context.Context) { x.watch.Run(ctx) }

// Search implements annindex.Index. Search shows the watch only queries without a filter: Watch asks them again without
// one.
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
		x.watch.Offer(vecs[x.batches.Add(1)%uint64(len(vecs))], k)
	}
	return hits, err
}

// Put implements annindex.Index.
func (x *Index) Put(id uint64, vec []float32) error {
	err := x.Index.Put(id, vec)
	if err == nil {
		x.changes.Add(1)
		x.watch.Offer(vec, x.cfg.Asked)
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

// Restore implements annindex.Index. A snapshot does not say how many changes its index went through, so Restore counts
// every vector as changed: onLowRecall may then rebuild at once.
func (x *Index) Restore(r io.Reader) error {
	err := x.Index.Restore(r)
	if err == nil {
		x.changes.Store(int64(x.Len()))
	}
	return err
}

// Stats are counts since New.
type Stats struct {
	// Recall is the running estimate, NaN before the first check.
	Recall float64
	// Checks counts the queries that were compared, FailedChecks those that returned an error instead.
	Checks, FailedChecks uint64
	// CheckTime is the time spent on Checks.
	CheckTime time.Duration
	// Rebuilds counts the rebuilds that ended in a swap, FailedRebuilds those that ended in an error. A rebuild
	// that ended with Run's context is in neither.
	Rebuilds, FailedRebuilds uint64
}

// Stats returns the counts.
func (x *Index) Stats() Stats {
	s := &x.stats
	return Stats{
		Recall: math.Float64frombits(s.recall.Load()), Checks: s.checks.Load(), FailedChecks: s.failedChecks.Load(),
		CheckTime: time.Duration(s.checkTime.Load()), Rebuilds: s.rebuilds.Load(), FailedRebuilds: s.failedRebuilds.Load(),
	}
}

// onCheck is recall.Config.Checked.
func (x *Index) onCheck(_, estimate float64, took time.Duration) {
	x.stats.recall.Store(math.Float64bits(estimate))
	x.stats.checks.Add(1)
	x.stats.checkTime.Add(int64(took))
}

// onLowRecall is recall.Config.Below: it builds a new index and swaps it in, unless the present one is nearly fresh
// (minChanged).
func (x *Index) onLowRecall(ctx context.Context, estimate float64) {
	log := x.cfg.Log.With("recall", estimate, "bound", x.cfg.Watch.Bound, "vectors", x.Len())
	changes := x.changes.Load()
	if float64(changes) < minChanged*float64(x.Len()) {
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
		return // Run's context ended: no failure
	case err != nil:
		x.stats.failedRebuilds.Add(1)
		log.Error("the index could not be built anew; the old one goes on serving", "err", err)
		return
	}
	x.changes.Add(-changes) // changes made during the rebuild stay counted: the new index went through them
	x.warned = false
	x.stats.rebuilds.Add(1)
	log.Info("the index was built anew", "took", time.Since(start).Round(time.Millisecond))
}
