package projection

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"kilim/annindex"
)

// TestDue: while batches come a round waits for a while, after one that was long for a long while.
func TestDue(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	k := open(t, t.TempDir(), a, much)
	a.put(t, k, numbers(0, 20)...)
	k.work(t)
	a.put(t, k, numbers(20, 30)...)
	now := k.last.ended
	k.last.cost = time.Minute
	if k.due(now.Add(spacing*time.Minute-1)) || !k.due(now.Add(spacing*time.Minute)) {
		t.Error("rounds are not put off by what one costs")
	}
	k.last.cost, k.last.failed = 0, true
	if k.due(now.Add(busyFor-1)) || !k.due(now.Add(busyFor)) {
		t.Error("a round that failed is not tried again in time")
	}
	k.last.failed = false
	k.archive = busy{a}
	if k.due(now.Add(24 * time.Hour)) {
		t.Error("a round is due amid a feed while nobody looks")
	}
	k.Look()
	if k.due(now.Add(busyFor-1)) || !k.due(now.Add(busyFor)) {
		t.Error("a round does not wait for a feed to end, or for longer than it should")
	}
}

type busy struct{ *archive }

func (busy) Quiet() bool { return false }

// counted counts what is asked of an archive, which a test makes busy and quiet.
type counted struct {
	*archive
	searches, filtered int
	busy               atomic.Bool
}

func (c *counted) Quiet() bool { return !c.busy.Load() }

func (c *counted) Vectors() (Vectors, int) {
	v, state := c.archive.Vectors()
	return searched{v, c}, state
}

type searched struct {
	Vectors
	by *counted
}

func (s searched) Search(vec []float32, k int, keep func(uint64) bool) ([]annindex.Hit, error) {
	s.by.searches++
	if keep != nil {
		s.by.filtered++
	}
	return s.Vectors.Search(vec, k, keep)
}

// TestNobodyLooks: while batches come and nobody looks, nothing is searched for and nothing laid out, and who goes is taken away all the same. When
// somebody looks, or the feed ends, all are placed, by one search each.
func TestNobodyLooks(t *testing.T) {
	t.Parallel()
	a := &counted{archive: newArchive(t)}
	k, err := Open(Config{Folder: t.TempDir(), Memory: much, Log: slog.New(slog.DiscardHandler)}, a)
	if err != nil {
		t.Fatal(err)
	}
	a.put(t, k, numbers(0, 100)...)
	k.work(t)
	was, at := k.Status(), shown(t, k)
	look := func() { k.Look() }
	end := func() { k.looked.Store(nil); a.busy.Store(false) }
	for i, wanted := range []func(){look, end} {
		k.looked.Store(nil)
		a.busy.Store(true)
		a.searches, a.filtered = 0, 0
		before := k.Status().Newcomers
		a.put(t, k, 100+2*i, 101+2*i)
		a.remove(t, k, i, 101+2*i)
		if n := k.work(t); n != 0 || a.searches != 0 {
			t.Errorf("%d layouts and %d searches while nobody looks", n, a.searches)
		}
		if s := k.Status(); s.Points != 99 || s.Edition != was.Edition || s.Newcomers != before || s.Artifacts != 100 {
			t.Errorf("while nobody looks: %+v", s)
		}
		wanted()
		if n := k.work(t); n != 0 || a.searches != 1 || a.filtered != 0 {
			t.Errorf("case %d: %d layouts, %d searches for a newcomer, %d of them with a filter", i, n, a.searches, a.filtered)
		}
		sameArtifacts(t, k, a.archive, "when it is wanted")
	}
	for id, p := range shown(t, k) {
		if q, there := at[id]; there && p != q {
			t.Fatalf("a point moved from %v to %v", q, p)
		}
	}
}

// TestRoundWaits: a round in which a feed begins goes on when somebody looks, and ends when another state serves meanwhile.
func TestRoundWaits(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"somebody looks", "another state", "the end"} {
		a := &counted{archive: newArchive(t)}
		k, err := Open(Config{Folder: t.TempDir(), Memory: much, Log: slog.New(slog.DiscardHandler)}, a)
		if err != nil {
			t.Fatal(err)
		}
		k.laying = 1
		a.busy.Store(true)
		ctx, cancel := context.WithCancel(t.Context())
		switch how {
		case "somebody looks":
			go k.Look()
			err = k.await(ctx)
		case "another state":
			a.state.Add(1)
			if err = k.await(ctx); errors.Is(err, errGivenUp) {
				err = nil
			}
		default:
			cancel()
			if err = k.await(ctx); errors.Is(err, context.Canceled) {
				err = nil
			}
		}
		if cancel(); err != nil {
			t.Errorf("%s: %v", how, err)
		}
	}
}

// TestRunEnds: Run makes the map by itself, and ends in the middle of a layout when it has to.
func TestRunEnds(t *testing.T) {
	t.Parallel()
	a, folder := newArchive(t), t.TempDir()
	k := open(t, folder, a, much)
	a.put(t, k, numbers(0, 200)...)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- k.Run(ctx) }()
	for k.Status().Phase != LayingOut && k.Status().Made == nil {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	k = open(t, folder, a, much)
	k.work(t)
	sameArtifacts(t, k, a, "after an end within a layout")
}
