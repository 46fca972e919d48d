package recall

import (
	"context"
	"errors"
	"math"
	"sync/atomic"
	"testing"
	"time"

	"kilim/annindex"
)

// fixed is a Searcher whose answers have these scores.
type fixed struct {
	scores []float32
	err    error
}

func (f *fixed) Search(_ []float32, k int, _ func(uint64) bool) (hits []annindex.Hit, err error) {
	for i, s := range f.scores[:min(k, len(f.scores))] {
		hits = append(hits, annindex.Hit{ID: uint64(i), Score: s})
	}
	return hits, f.err
}

func TestEstimate(t *testing.T) {
	t.Parallel()
	index, exact := &fixed{scores: []float32{.9, .8, .7, .1}}, &fixed{scores: []float32{.9, .8, .7, .6}}
	below := 0
	var seen []float64
	w, err := New(Config{Window: 4, Bound: 0.8, Below: func(context.Context, float64) { below++ },
		Checked: func(r, _ float64, _ time.Duration) { seen = append(seen, r) }}, index, exact)
	if err != nil {
		t.Fatal(err)
	}
	q := query{[]float32{1}, 4}
	for range 3 {
		w.check(context.Background(), q)
	}
	if e, n := w.estimate, w.checks; e != 0.75 || n != 3 || below != 0 {
		t.Fatalf("estimate %v of %d checks, below %d times", e, n, below)
	}
	w.check(context.Background(), q)
	if e, n := w.estimate, w.checks; e != 0 || n != 0 || below != 1 {
		t.Fatalf("after the bound: estimate %v of %d checks, below %d times", e, n, below)
	}
	index.scores = exact.scores
	for range 100 {
		w.check(context.Background(), q)
	}
	if math.Abs(w.estimate-1) > 1e-9 || below != 1 {
		t.Fatalf("estimate %v, below %d times", w.estimate, below)
	}
	if seen[0] != 0.75 || seen[len(seen)-1] != 1 {
		t.Fatalf("recalls %v", seen)
	}
	exact.scores = nil
	if r, err := w.compare(q); r != 1 || err != nil {
		t.Fatalf("an empty index: %v, %v", r, err)
	}
}

// TestShare runs a Watch on a clock that moves by a millisecond each time it is read, and expects it to wait 99 times
// as long as a check took.
func TestShare(t *testing.T) {
	t.Parallel()
	index := &fixed{scores: []float32{1}}
	w, err := New(Config{}, index, index)
	if err != nil {
		t.Fatal(err)
	}
	var now time.Time
	w.clock = func() time.Time { now = now.Add(time.Millisecond); return now }
	ctx, stop := context.WithCancel(context.Background())
	waits := 0
	w.wait = func(_ context.Context, d time.Duration) bool {
		// Run and check read the clock four times, so a check takes three milliseconds.
		if d < 296*time.Millisecond || d > 298*time.Millisecond {
			t.Errorf("waits %v after 3ms", d)
		}
		if waits++; waits == 3 {
			stop()
			return false
		}
		w.Offer([]float32{1}, 1)
		return true
	}
	w.Offer([]float32{1}, 1)
	w.Offer([]float32{2}, 1) // no room: dropped
	w.Run(ctx)
	if w.checks != 3 {
		t.Fatalf("%d checks", w.checks)
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	good, bad := &fixed{}, &fixed{err: errors.New("broken")}
	var failed atomic.Int64
	for _, pair := range [][2]*fixed{{good, bad}, {bad, good}} {
		w, err := New(Config{Failed: func(error) { failed.Add(1) }}, pair[0], pair[1])
		if err != nil {
			t.Fatal(err)
		}
		w.check(context.Background(), query{[]float32{1}, 1})
		if w.checks != 0 {
			t.Error("a failed check counts")
		}
	}
	if failed.Load() != 2 {
		t.Errorf("%d failures told", failed.Load())
	}
	for _, cfg := range []Config{{Share: 2}, {Share: math.NaN()}, {Window: -1}, {Bound: 1.5}} {
		if _, err := New(cfg, good, good); err == nil {
			t.Errorf("%+v: no error", cfg)
		}
	}
	if _, err := New(Config{}, nil, good); err == nil {
		t.Error("no index: no error")
	}
}
