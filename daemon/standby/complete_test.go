package standby

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kilim/daemon/pipeline"
	"kilim/daemon/pipeline/turns"
	"kilim/learner/encode/feature"
	"kilim/learner/train/registry"
)

// mostRests ends a test whose build never ends.
const mostRests = 3000

// duringRests has builds call fn, with the number of the call, whenever they would leave time to others.
func (l *life) duringRests(fn func(n int) error) {
	n := 0
	l.manager.sleep = func(ctx context.Context, _ time.Duration) error {
		if n++; n > mostRests {
			return fmt.Errorf("the build has not ended after %d rests", mostRests)
		}
		return errors.Join(context.Cause(ctx), fn(n))
	}
}

// serves waits until an instance of a number serves, or for the end of the build, of which it returns the cause. Whoever feeds meanwhile
// bounds how long that is.
func (l *life) serves(number int) error {
	for l.manager.Status().Serving.Number != number {
		if err := l.failure(); err != nil {
			return err
		}
		time.Sleep(time.Millisecond)
	}
	return nil
}

// TestBuildEndsUnderASteadyFeed changes one artifact whenever the build rests, by which all features and lists are stale, and
// lets the instance that serves do all there is to do for it: the build, which has a part of the time, ends all the same, and
// what it has left over is done after it.
func TestBuildEndsUnderASteadyFeed(t *testing.T) {
	t.Parallel()
	changes, live := history(11, 900, 12)
	l, err := open(t, t.TempDir(), newTopic(), nil)
	if err != nil {
		t.Fatal(err)
	}
	fed := 60
	l.duringRests(func(int) error {
		fed = min(fed+1, len(changes)-1)
		return errors.Join(l.apply(changes, fed, 1), l.await(func() bool { return l.manager.Engine().Status().RefreshQueue == 0 }))
	})
	l.run()
	l.must(l.apply(changes, fed, 20), l.await(l.settled(1)), l.manager.Promote(2))
	l.must(l.serves(2))
	if fed == len(changes)-1 {
		t.Errorf("the build took more than %d changes", fed)
	}
	l.must(l.apply(changes, len(changes), 20), l.await(l.settled(2)))
	l.audit("in the end", live, fromTheStart(t, 2, live), 1, 2)
	l.check()
	l.must(l.end())
}

// gated is an encoder that answers while its gate is open.
type gated struct {
	eye
	open    atomic.Bool
	changed turns.Condition
}

func (g *gated) set(open bool) {
	g.open.Store(open)
	g.changed.Broadcast()
}

func (g *gated) Encode(ctx context.Context, items []feature.Item) []feature.Result {
	for changed := g.changed.Changed(); !g.open.Load(); changed = g.changed.Changed() {
		select {
		case <-ctx.Done():
		case <-changed:
			continue
		}
		out := make([]feature.Result, len(items))
		for i := range out {
			out[i].Err = ctx.Err()
		}
		return out
	}
	return g.eye.Encode(ctx, items)
}

// TestBuildEndsWhileMediaCome brings a picture whenever a build with another encoder rests, which encodes it in the next rest: there is
// always one more that waits than in the instance that serves.
func TestBuildEndsWhileMediaCome(t *testing.T) {
	t.Parallel()
	hawk := eye{feature.Identity{Name: "hawk", Version: 1, Dim: 5}}
	owl := &gated{eye: eye{feature.Identity{Name: "owl", Version: 1, Dim: 7}}}
	var feed []change
	for i := range mostRests {
		feed = append(feed, change{fmt.Sprintf("a%d", i%40), map[string]any{"title": "kilim",
			"media": []any{map[string]any{"kind": "image", "data": []byte(fmt.Sprintf("%0*d", i%11+1, i))}}}})
	}
	dir := t.TempDir()
	live := func(now feature.Encoder) *life {
		models, err := registry.Open(filepath.Join(dir, "models"), registry.Model{Seed: 1}, nil)
		if err != nil {
			t.Fatal(err)
		}
		l, err := openWith(t, dir, newTopic(), models, nil, seeing(now), func(c *Config) {
			with := c.Pipeline
			c.Pipeline = func(m registry.Model, made map[string]feature.Identity) (pipeline.Config, error) {
				cfg, err := with(m, made)
				cfg.Sweep, cfg.Epsilon, cfg.Tolerance = 1000, 1, 1 // only media may hold the build up
				return cfg, err
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	none := func(e *pipeline.Engine) bool { return e.Status().Media["image"].Waiting == 0 }
	l := live(hawk)
	l.run()
	l.must(l.apply(feed, 40, 8), l.await(func() bool { return none(l.manager.Engine()) }), l.end())

	l = live(owl)
	fed := 40
	l.duringRests(func(int) error {
		fed++
		owl.set(true)
		encoded := l.await(func() bool { return none(l.manager.building().standby.engine.Load()) })
		owl.set(false)
		return errors.Join(encoded, l.apply(feed, fed, 1), l.await(func() bool { return none(l.manager.Engine()) }))
	})
	l.run()
	l.must(l.serves(2))
	owl.set(true)
	l.must(l.await(func() bool { return l.settled(1)() && none(l.manager.Engine()) }))
	l.check()
	l.must(l.end())
}

// TestBuildEndsUnderAnyFeed applies batches as fast as they are taken, each of more records than a build copies at a time: it ends
// however the two take turns.
func TestBuildEndsUnderAnyFeed(t *testing.T) {
	t.Parallel()
	const records, mostBatches = copyBatch + copyBatch/4, 200
	var first []change
	for i := range 2 * records {
		first = append(first, change{fmt.Sprint(i), map[string]any{"title": fmt.Sprintf("star %d", i%7)}})
	}
	l, err := open(t, t.TempDir(), newTopic(), nil)
	if err != nil {
		t.Fatal(err)
	}
	l.duringRests(func(int) error { return nil })
	l.run()
	l.must(l.apply(first, len(first), records), l.manager.Promote(2))
	var fed sync.WaitGroup
	changes, failed := first, error(nil)
	fed.Go(func() {
		for batches := 0; l.manager.Status().Serving.Number != 2 && failed == nil; batches++ {
			if batches == mostBatches {
				l.stop(fmt.Errorf("the build has not ended after %d batches", batches))
				return
			}
			for i := range records {
				changes = append(changes, change{fmt.Sprint((len(changes) + i) % len(first)), map[string]any{"title": fmt.Sprintf("hook %d", i%5)}})
			}
			failed = l.apply(changes, len(changes), records)
		}
	})
	served := l.serves(2)
	if served != nil {
		l.stop(served)
	}
	fed.Wait()
	l.must(served, failed, l.await(l.settled(2)), l.end())
}

// TestBatchesWaitForCopies: while batches are held back and many changes are left to copy, a batch waits until twice as many as it
// has records are copied, or few are left, or batches are not held back any more.
func TestBatchesWaitForCopies(t *testing.T) {
	t.Parallel()
	gone, cancel := context.WithCancel(t.Context())
	cancel() // who must wait gives up at once
	filled := func(n int) *changes {
		c := new(changes)
		for i := range n {
			c.add([]string{fmt.Sprint(i)})
		}
		return c
	}
	for _, holding := range []bool{false, true} {
		for _, left := range []int{0, copyBatch, copyBatch + 1, 20 * copyBatch} {
			c := filled(left)
			c.hold(holding)
			held := holding && left > copyBatch
			if err := c.wait(gone, 1); errors.Is(err, context.Canceled) != held {
				t.Errorf("holding %v, %d left: a batch waits with %v, want held %v", holding, left, err, held)
			}
		}
	}
	for _, records := range []int{1, 7, copyBatch, 5 * copyBatch, 1000 * copyBatch} {
		c := filled(20 * copyBatch)
		c.hold(true)
		done := make(chan error)
		go func() { done <- c.wait(t.Context(), records) }()
		for waiting := true; waiting; {
			select {
			case err := <-done:
				waiting = false
				if _, left := c.take(0); err != nil || c.done < 2*records && left > copyBatch {
					t.Errorf("a batch of %d waited until %d were copied and %d left: %v", records, c.done, left, err)
				}
			default:
				ids, _ := c.take(3)
				c.copied(len(ids))
			}
		}
		c = filled(20 * copyBatch)
		c.hold(true)
		go func() { done <- c.wait(t.Context(), records) }()
		c.hold(false)
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// TestStandbyLeavesRoom: when the disk has room for one state, the one that serves takes records, and no other is made beside
// it until there is room for both.
func TestStandbyLeavesRoom(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	models, err := registry.Open(filepath.Join(dir, "models"), registry.Model{Seed: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := models.Add(registry.Model{Seed: 2}); err != nil {
		t.Fatal(err)
	}
	var free atomic.Int64
	free.Store(1 << 40)
	waits := make(chan string, 1)
	l, err := openWith(t, dir, newTopic(), models, nil, func(c *Config) {
		c.Store.FreeSpace = func(string) (int64, error) { return free.Load(), nil }
		c.Store.Logger = slog.New(&listener{func(r slog.Record) {
			if strings.Contains(r.Message, "nothing is written") {
				r.Attrs(func(a slog.Attr) bool {
					select {
					case waits <- a.Value.String():
					default:
					}
					return false
				})
			}
		}})
	})
	if err != nil {
		t.Fatal(err)
	}
	changes, live := history(12, 60, 30)
	l.run()
	l.must(l.apply(changes, 30, 7), l.await(l.settled(1)))
	free.Store(l.manager.serving.Load().store.Margin() * 3 / 2)
	l.must(l.manager.Promote(2))
	l.must(l.await(func() bool { return len(waits) > 0 || l.manager.Status().Serving.Epoch == 2 }))
	select {
	case who := <-waits:
		if !strings.Contains(who, "generations") {
			t.Errorf("who waits for room is %s, want the standby", who)
		}
	default:
		t.Error("a standby was made on a disk without room for two")
	}
	l.must(l.apply(changes, len(changes), 7))
	if s := l.manager.Status(); s.Next == nil || s.Next.Ratio != 0 {
		t.Errorf("made is %+v, want nothing yet", s.Next)
	}
	free.Store(1 << 40)
	l.must(l.await(l.settled(2)))
	l.audit("with room for both", live, fromTheStart(t, 2, live), 1, 2)
	l.must(l.end())
}

// listener is a slog.Handler that calls a function with every record.
type listener struct{ heard func(slog.Record) }

func (l *listener) Enabled(context.Context, slog.Level) bool { return true }

func (l *listener) Handle(_ context.Context, r slog.Record) error {
	l.heard(r)
	return nil
}

func (l *listener) WithAttrs([]slog.Attr) slog.Handler { return l }
func (l *listener) WithGroup(string) slog.Handler      { return l }
