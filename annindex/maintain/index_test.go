package maintain

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"kilim/annindex"
	"kilim/annindex/recall"
)

const dim, ids, k = 4, 50, 5

// poor is an index whose Search finds the k farthest; its SearchExact is right.
type poor struct{ annindex.Index }

func (p poor) Search(vec []float32, k int, keep func(uint64) bool) ([]annindex.Hit, error) {
	away := make([]float32, len(vec))
	for i, x := range vec {
		away[i] = -x
	}
	hits, err := p.SearchExact(away, k, keep)
	for i := range hits {
		hits[i].Score = -hits[i].Score
	}
	return hits, err
}

func flat(t *testing.T) annindex.Index {
	t.Helper()
	ix, err := annindex.New(annindex.Config{Engine: "flat", Dim: dim})
	if err != nil {
		t.Fatal(err)
	}
	return ix
}

func vector(rng *rand.Rand) []float32 {
	v := make([]float32, dim)
	for i := range v {
		v[i] = float32(rng.NormFloat64())
	}
	return v
}

// log keeps what was logged.
type log struct {
	lock sync.Mutex
	bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.Buffer.Write(p)
}

func (l *log) String() string {
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.Buffer.String()
}

func (l *log) count(s string) int { return strings.Count(l.String(), s) }

// running returns an Index of some vectors whose Run is running; the n-th call of its Config.Make returns of(n).
func running(t *testing.T, of func(n int) (annindex.Index, error)) (*Index, *rand.Rand, *log) {
	t.Helper()
	made, said := 0, &log{}
	x, err := New(Config{
		Make:  func() (annindex.Index, error) { made++; return of(made) },
		Watch: recall.Config{Share: 1, Window: 5, Bound: 0.9},
		Log:   slog.New(slog.NewTextHandler(said, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for id := range uint64(ids) {
		if err := x.Put(id, vector(rng)); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { x.Run(ctx); close(done) }()
	t.Cleanup(func() { stop(); <-done })
	return x, rng, said
}

// search calls Search and SearchMany until the Stats are as until wants them.
func (x *Index) search(t *testing.T, rng *rand.Rand, until func(Stats) bool) {
	t.Helper()
	for !until(x.Stats()) {
		if err := t.Context().Err(); err != nil {
			t.Fatal(err)
		}
		if _, err := x.Search(vector(rng), k, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := x.SearchMany([][]float32{vector(rng), vector(rng)}, k); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPoorIndexIsReplaced(t *testing.T) {
	t.Parallel()
	x, rng, _ := running(t, func(n int) (annindex.Index, error) {
		if n == 1 {
			return poor{flat(t)}, nil
		}
		return flat(t), nil
	})
	if r := x.Stats().Recall; !math.IsNaN(r) {
		t.Errorf("recall %v before any check", r)
	}
	was := make([]float32, dim)
	x.Vector(7, was)
	x.search(t, rng, func(s Stats) bool { return s.Rebuilds == 1 })
	x.search(t, rng, func(s Stats) bool { return s.Recall == 1 })
	is := make([]float32, dim)
	if !x.Vector(7, is) || !slices.Equal(was, is) || x.Len() != ids {
		t.Errorf("vector 7 was %v, is %v of %d", was, is, x.Len())
	}
	s := x.Stats()
	if s.Checks < 6 || s.CheckTime <= 0 || s.FailedChecks != 0 || s.FailedRebuilds != 0 {
		t.Errorf("stats %+v", s)
	}
	q := vector(rng)
	got, err := x.Search(q, k, nil)
	want, errExact := x.SearchExact(q, k, nil)
	if err != nil || errExact != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, want %v (%v, %v)", got, want, err, errExact)
	}
}

// TestPutsAreChecked holds that an index which nobody searches is watched by what is put.
func TestPutsAreChecked(t *testing.T) {
	t.Parallel()
	x, err := New(Config{
		Make:  func() (annindex.Index, error) { return poor{flat(t)}, nil },
		Watch: recall.Config{Share: 1}, Asked: k, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { x.Run(ctx); close(done) }()
	defer func() { stop(); <-done }()
	rng := rand.New(rand.NewPCG(2, 1))
	for id := uint64(0); x.Stats().Checks < 3; id++ {
		if err := errors.Join(ctx.Err(), x.Put(id%ids, vector(rng))); err != nil {
			t.Fatal(err)
		}
	}
	if s := x.Stats(); math.IsNaN(s.Recall) || s.FailedChecks > 0 {
		t.Errorf("stats %+v", s)
	}
}

// TestFreshIndexIsLeft: when the rebuilt index has a low recall too, onLowRecall warns once and does not rebuild again
// until minChanged of the vectors have changed.
func TestFreshIndexIsLeft(t *testing.T) {
	t.Parallel()
	x, rng, said := running(t, func(int) (annindex.Index, error) { return poor{flat(t)}, nil })
	x.search(t, rng, func(s Stats) bool { return s.Rebuilds == 1 })
	checks := x.Stats().Checks
	x.search(t, rng, func(s Stats) bool { return s.Checks > checks+30 && said.count("it is fresh") > 0 })
	if s := x.Stats(); s.Rebuilds != 1 || said.count("finds too little though it is fresh") != 1 {
		t.Errorf("stats %+v, log %s", s, said)
	}
	for id := range uint64(ids / 10) {
		if err := x.Delete(id); err != nil {
			t.Fatal(err)
		}
	}
	x.search(t, rng, func(s Stats) bool { return s.Rebuilds == 2 })

	// Restore counts every vector as changed.
	var file bytes.Buffer
	if err := errors.Join(x.Snapshot(&file), x.Restore(&file)); err != nil {
		t.Fatal(err)
	}
	x.search(t, rng, func(s Stats) bool { return s.Rebuilds == 3 })
}

func TestRebuildThatFails(t *testing.T) {
	t.Parallel()
	x, rng, said := running(t, func(n int) (annindex.Index, error) {
		if n > 1 {
			return nil, errors.New("no memory")
		}
		return poor{flat(t)}, nil
	})
	x.search(t, rng, func(s Stats) bool { return s.FailedRebuilds > 0 && said.count("no memory") > 0 })
	if s := x.Stats(); s.Rebuilds != 0 || x.Len() != ids {
		t.Errorf("stats %+v, %d vectors, log %s", s, x.Len(), said)
	}
	if _, err := New(Config{Make: func() (annindex.Index, error) { return nil, errors.New("none") }}); err == nil {
		t.Error("an index that can't be made: no error")
	}
	if _, err := New(Config{Make: func() (annindex.Index, error) { return flat(t), nil }, Watch: recall.Config{Share: 2}}); err == nil {
		t.Error("a watch with a Share above 1: no error")
	}
}
