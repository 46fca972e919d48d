package pipeline

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"kilim/graphstore"
)

// patience ends a test that would wait for ever; nothing else depends on it.
const patience = 30 * time.Second

// await lets others run until something is so.
func await(ctx context.Context, t testing.TB, what string, so func() bool) {
	t.Helper()
	for !so() {
		if ctx.Err() != nil {
			t.Fatalf("it never happened: %s", what)
		}
		runtime.Gosched()
	}
}

// acknowledge empties an outbox, and tells nobody.
func (s *site) acknowledge() {
	s.t.Helper()
	var last uint64
	s.must(s.store.View(func(r *graphstore.Reader) error {
		entries, err := r.Outbox(0, 10_000)
		if len(entries) > 0 {
			last = entries[len(entries)-1].Seq
		}
		return err
	}))
	s.must(s.store.Ack(last, nil))
}

// full is a site whose outbox holds more than units wait for, and the next batch.
func full(t *testing.T) (s *site, next []change) {
	cfg := exact()
	cfg.MaxOutbox, cfg.Budget = 3, 0
	s = newSite(t, cfg)
	changes, _ := history(1, 60, 30)
	s.must(s.apply(changes[:40]))
	if depth, _ := s.store.OutboxDepth(); depth <= cfg.MaxOutbox {
		t.Fatalf("%d messages are in the outbox, more than %d are wanted", depth, cfg.MaxOutbox)
	}
	return s, changes[40:41]
}

// yield lets others run, most likely until they wait. Nothing but what a test exercises depends on it.
func yield() {
	for range 10_000 {
		runtime.Gosched()
	}
}

// waits lets a batch come to wait for the outbox.
func (s *site) waits(ctx context.Context) {
	s.t.Helper()
	await(ctx, s.t, "a batch waits", s.engine.turns.BatchWaits)
	yield()
}

// TestCutOverWhileOutboxFull: who waits for the outbox of a state that is retired learns that it is.
func TestCutOverWhileOutboxFull(t *testing.T) {
	t.Parallel()
	old, next := full(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	standby := old.openStandby(t.TempDir(), another())
	defer standby.close()
	standby.copyFrom(old, old.ids(), 7)
	standby.must(standby.engine.Standby().EndBackfill())
	standby.complete()
	applied, background := make(chan error, 1), make(chan error, 1)
	go func() { applied <- old.engine.Apply(ctx, batchOf(old.offset, next)) }()
	go func() { background <- old.engine.Background(ctx) }()
	old.waits(ctx)
	s := standby.engine.Standby()
	standby.must(s.CutOver(old.engine, func() []string { return nil }, func() error { return nil }))
	if err := <-applied; !errors.Is(err, ErrRetired) {
		t.Errorf("the batch ended with %v, want ErrRetired", err)
	}
	if err := <-background; err != nil || ctx.Err() != nil {
		t.Errorf("the background ended with %v, and only because the time was over: %v", err, ctx.Err())
	}
}

// TestAllWhoWaitForTheOutboxWake: one acknowledgement is told to all.
func TestAllWhoWaitForTheOutboxWake(t *testing.T) {
	t.Parallel()
	s, _ := full(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	const waiters = 3
	waited := make(chan error, waiters)
	var begun [waiters]<-chan struct{}
	for i := range begun {
		begun[i] = s.engine.turns.Room.Changed()
		go func() { waited <- s.engine.WaitForOutbox(ctx) }()
	}
	s.acknowledge()
	s.engine.Published()
	for i := range begun {
		<-begun[i] // who waited before the acknowledgement was told of it
		if err := <-waited; err != nil {
			t.Error(err)
		}
	}
}

// TestOutboxIsBoundedByBytes: a unit waits for the publisher when a few messages are large, too.
func TestOutboxIsBoundedByBytes(t *testing.T) {
	t.Parallel()
	s, _ := full(t)
	depth, _ := s.store.OutboxDepth()
	bytes := s.store.OutboxBytes()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for most, waits := range map[int64]bool{bytes - 1: true, bytes: false, 0: false} {
		s.engine.cfg.MaxOutbox, s.engine.cfg.MaxOutboxBytes = depth, most
		if err := s.engine.WaitForOutbox(ended); errors.Is(err, context.Canceled) != waits {
			t.Errorf("%d messages of %d bytes, of which %d may wait: %v", depth, bytes, most, err)
		}
	}
	s.engine.cfg.MaxOutboxBytes = bytes - 1
	s.acknowledge()
	s.must(s.engine.WaitForOutbox(ended))
}

// TestBackgroundGoesOnAfterARevokedBatch: a batch that is given up while it waits lets the background go on, which stepped back
// for it.
func TestBackgroundGoesOnAfterARevokedBatch(t *testing.T) {
	t.Parallel()
	s, next := full(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if s.engine.seen.queue.Load() == 0 {
		t.Fatal("nothing is left for the background")
	}
	batch, revoke := context.WithCancel(ctx)
	applied, background := make(chan error, 1), make(chan error, 1)
	go func() { applied <- s.engine.Apply(batch, batchOf(s.offset, next)) }()
	s.waits(ctx)
	go func() { background <- s.engine.Background(ctx) }()
	yield()
	revoke()
	if err := <-applied; !errors.Is(err, context.Canceled) {
		t.Fatalf("the batch ended with %v", err)
	}
	s.acknowledge()
	s.engine.Published()
	await(ctx, t, "the background does all there is", func() bool { return s.engine.seen.queue.Load() == 0 })
	cancel()
	if err := <-background; err != nil {
		t.Error(err)
	}
}

// TestBatchWithinCutOver: batches may come to the standby as soon as decide lets it serve. The race detector sees what they read.
func TestBatchWithinCutOver(t *testing.T) {
	t.Parallel()
	old := newSite(t, exact())
	changes, _ := history(1, 60, 30)
	old.must(old.apply(changes[:40]))
	standby := old.openStandby(t.TempDir(), another())
	defer standby.close()
	standby.copyFrom(old, old.ids(), 7)
	standby.must(standby.engine.Standby().EndBackfill())
	standby.complete()
	applied := make(chan error, 1)
	s := standby.engine.Standby()
	standby.must(s.CutOver(old.engine, func() []string { return nil }, func() error {
		go func() { applied <- standby.engine.Apply(t.Context(), batchOf(old.offset, changes[40:41])) }()
		return nil
	}))
	if err := <-applied; err != nil {
		t.Error(err)
	}
}

// TestSettled: a state that was closed in the midst of its work is quiet when it is opened, and settled once the work is done.
func TestSettled(t *testing.T) {
	t.Parallel()
	s, err := openSite(t, t.TempDir(), exact(), graphstore.Options{SyncWrites: graphstore.NoSync})
	if err != nil {
		t.Fatal(err)
	}
	changes, _ := history(1, 60, 30)
	s.must(s.apply(changes[:40]))
	if s.engine.Settled() {
		t.Error("settled right after a batch")
	}
	s = s.reopen(s.cfg)
	defer s.close()
	if !s.engine.Quiet() || s.engine.Settled() {
		t.Errorf("quiet: %v, settled: %v with %d things left, want it quiet alone", s.engine.Quiet(), s.engine.Settled(), s.engine.Status().RefreshQueue)
	}
	s.must(s.settle())
	if !s.engine.Settled() {
		t.Errorf("not settled with %d things left", s.engine.Status().RefreshQueue)
	}
}
