package standby

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"kilim/daemon/pipeline"
	"kilim/graphstore"
)

const (
	// copyBatch is how many documents CopyFrom gets for one commit. It is also how many changes the cutover may still have to
	// copy, for which ingest has to wait.
	copyBatch = 256
	// stepTime is how long one unit of a standby's own work takes, about.
	stepTime = 20 * time.Millisecond
	// emptyStep is the time that a step which had nothing to do is taken for by throttle: otherwise complete would spin.
	emptyStep = 50 * time.Millisecond
	// staleDivisor: under a feed, caughtUp lets one in so many of the artifacts be stale at the cutover, for a steady feed
	// may leave as many stale in the instance that serves, and a stricter build would never end.
	staleDivisor = 10
	// backfillShare is the part of a build that the backfill is taken for in its progress.
	backfillShare = 0.4
)

// build makes one standby beside the instance that serves, and cuts over to it.
type build struct {
	manager *Manager
	id      ID
	from    *instance // which serves
	standby *instance
	cancel  context.CancelCauseFunc

	lock sync.Mutex
	// changed are the artifacts that changed in from since they were copied.
	changed map[string]struct{}
	phase   string
	ratio   float64
}

// runBuilds makes what CURRENT asks for, one build after the other, until ctx ends. Its error is one after which nothing may
// go on.
func (m *Manager) runBuilds(ctx context.Context) error {
	for ctx.Err() == nil {
		if !m.retirePrevious(ctx) {
			return nil
		}
		building, b := m.nextBuild(ctx)
		if b == nil {
			select {
			case <-ctx.Done():
			case <-m.wanted:
			}
			continue
		}
		start := time.Now()
		err := b.run(ctx, building)
		b.cancel(nil)
		m.endBuild(ctx, b, err, time.Since(start))
		if errors.Is(err, pipeline.ErrUndecided) {
			return fmt.Errorf("standby: %w", err)
		}
	}
	return nil
}

// nextBuild begins what CURRENT says is to be made. The build is nil when CURRENT asks for nothing, or for what has failed
// and was not asked for again.
func (m *Manager) nextBuild(ctx context.Context) (context.Context, *build) {
	m.lock.Lock()
	defer m.lock.Unlock()
	if m.cur.Next == nil || m.buildErr != nil {
		return nil, nil
	}
	b := &build{manager: m, id: *m.cur.Next, from: m.serving.Load(), changed: map[string]struct{}{}, phase: PhaseFilling}
	ctx, b.cancel = context.WithCancelCause(ctx)
	m.build = b
	return ctx, b
}

// endBuild counts and logs how a build has ended, and removes what an abandoned one has made.
func (m *Manager) endBuild(ctx context.Context, b *build, err error, took time.Duration) {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.build = nil
	log := m.log.With("instance", b.id.Number, "epoch", b.id.Epoch, "took", took.Round(time.Millisecond))
	switch {
	case err == nil:
		m.metrics.observeBuild(resultServes, took)
		log.Info("another instance serves; its lists will be published")
	case m.cur.Next == nil || *m.cur.Next != b.id:
		m.metrics.observeBuild(resultAbandoned, took)
		if err := m.layout.remove(b.id.Number); err != nil {
			log.Warn("an abandoned standby can't be removed now; it will be at the next start", "err", err)
		}
	case ctx.Err() != nil:
		log.Info("the build of a standby is interrupted; it goes on at the next start")
	default:
		m.buildErr = err
		m.metrics.observeBuild(resultFailed, took)
		log.Error("the build of a standby has failed; the present instance serves on", "err", err)
	}
}

// run makes the standby and cuts over to it, until building ends. The workers of the standby are started with ctx, not with
// building: after the cutover they go on, as those of the instance that serves.
func (b *build) run(ctx, building context.Context) (err error) {
	m := b.manager
	if b.standby, err = m.openStandby(b.id); err != nil {
		return err
	}
	serves := false
	defer func() {
		b.from.engine.Follow(nil)
		if !serves {
			b.standby.stopWorkers()
			err = errors.Join(err, b.standby.close())
		}
	}()
	m.startWorkers(ctx, b.standby)
	m.log.Info("building a standby", "instance", b.id.Number, "epoch", b.id.Epoch, "artifacts", b.from.store.Counts().Artifacts)
	// From here on every change is noted, so that what backfill has copied before the change is copied again.
	b.from.engine.Follow(b.addChanged)
	if err := b.backfill(building); err != nil {
		return err
	}
	if err := b.complete(building); err != nil {
		return err
	}
	err = b.cutOver()
	serves = err == nil
	if serves {
		b.from.stopWorkers()
		// If the workers of the standby failed after complete looked, Run has seen the signal while the failure was not yet
		// that of the instance that serves: it must look again.
		m.signalWorkersFailed()
	}
	return err
}

// addChanged adds artifacts to those that are to be copied.
func (b *build) addChanged(ids []string) {
	b.lock.Lock()
	defer b.lock.Unlock()
	for _, id := range ids {
		b.changed[id] = struct{}{}
	}
}

// takeChanged removes up to n artifacts from those that are to be copied, and tells how many are left.
func (b *build) takeChanged(n int) (ids []string, left int) {
	b.lock.Lock()
	defer b.lock.Unlock()
	for id := range b.changed {
		if len(ids) == n {
			break
		}
		ids = append(ids, id)
		delete(b.changed, id)
	}
	return ids, len(b.changed)
}

func (b *build) progress() (phase string, ratio float64) {
	b.lock.Lock()
	defer b.lock.Unlock()
	return b.phase, b.ratio
}

func (b *build) setProgress(phase string, ratio float64) {
	b.lock.Lock()
	defer b.lock.Unlock()
	b.phase, b.ratio = phase, ratio
}

// backfill makes the documents of the standby those of the store that serves, as far as they differ.
func (b *build) backfill(ctx context.Context) error {
	total := max(b.from.store.Counts().Artifacts, 1)
	done := 0
	if err := b.eachPage(ctx, b.from.store, func(ids []string) error {
		done += len(ids)
		b.setProgress(PhaseFilling, backfillShare*min(float64(done)/float64(total), 1))
		_, err := b.standby.engine.Standby().CopyFrom(b.from.store, ids)
		return err
	}); err != nil {
		return err
	}
	// An artifact that the build copied before an interruption may have been deleted since, when nobody called addChanged.
	if err := b.eachPage(ctx, b.standby.store, func(ids []string) error {
		gone, err := b.gone(ids)
		if err == nil {
			_, err = b.standby.engine.Standby().CopyFrom(b.from.store, gone)
		}
		return err
	}); err != nil {
		return err
	}
	return b.standby.engine.Standby().EndBackfill()
}

// gone returns those of ids that the store that serves does not have.
func (b *build) gone(ids []string) (gone []string, err error) {
	err = b.from.store.View(func(r *graphstore.Reader) error {
		for _, id := range ids {
			n, err := r.Node(graphstore.ID(graphstore.Artifact, id))
			if err != nil {
				return err
			}
			if !n.IsArtifact() {
				gone = append(gone, id)
			}
		}
		return nil
	})
	return gone, err
}

// eachPage calls fn for all artifacts of a store, copyBatch at a time, throttled.
func (b *build) eachPage(ctx context.Context, store *graphstore.Store, fn func(ids []string) error) error {
	last := graphstore.NodeID(0)
	for {
		start := time.Now()
		var ids []string
		err := store.View(func(r *graphstore.Reader) (err error) {
			ids, err = r.ArtifactsAfter(last, copyBatch)
			return err
		})
		if err != nil || len(ids) == 0 {
			return err
		}
		last = graphstore.ID(graphstore.Artifact, ids[len(ids)-1])
		if err := fn(ids); err != nil {
			return err
		}
		if err := b.throttle(ctx, time.Since(start), false); err != nil {
			return err
		}
	}
}

// complete has the standby compute its lists, and copies what changes meanwhile, until every artifact has a list, few
// changes are left to copy, and caughtUp.
func (b *build) complete(ctx context.Context) error {
	mostPending := 1
	for {
		start := time.Now()
		ids, behind := b.takeChanged(copyBatch)
		if _, err := b.standby.engine.Standby().CopyFrom(b.from.store, ids); err != nil {
			b.addChanged(ids)
			return err
		}
		left, err := b.standby.engine.Standby().Step(stepTime)
		if err := errors.Join(err, b.standby.workersErr()); err != nil {
			return err
		}
		pending := left.Pending + left.Unlisted
		mostPending = max(mostPending, pending)
		b.setProgress(PhaseCompleting, backfillShare+(1-backfillShare)*(1-float64(pending)/float64(mostPending)))
		if left.Unlisted == 0 && behind <= copyBatch && b.caughtUp(left) {
			return nil
		}
		worked := time.Since(start)
		if len(ids) == 0 && left.Pending == 0 {
			worked = max(worked, emptyStep) // what is missing comes from the encoders, on other goroutines
		}
		if err := b.throttle(ctx, worked, behind > copyBatch); err != nil {
			return err
		}
	}
}

// caughtUp tells whether the standby has no more work left, and no more media to encode, than the instance that serves. To
// ask for none at all would be too much: under a steady feed that instance always has some left, too.
func (b *build) caughtUp(left pipeline.Left) bool {
	ours, theirs := b.standby.engine.Status(), b.from.engine.Status()
	waiting := func(s pipeline.Status) (n int) {
		for _, m := range s.Media {
			n += m.Waiting
		}
		return n
	}
	allowed := theirs.RefreshQueue
	if !b.from.engine.Quiet() {
		allowed = max(allowed, theirs.Artifacts/staleDivisor)
	}
	return left.Pending <= allowed && waiting(ours) <= waiting(theirs)
}

// throttle sleeps after worked, to leave the machine to ingest and queries: three quarters of the time while batches come,
// half of it when the standby falls behind them, else a fifth.
func (b *build) throttle(ctx context.Context, worked time.Duration, behind bool) error {
	d := worked / 4
	if !b.from.engine.Quiet() {
		if d = 3 * worked; behind {
			d = worked
		}
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}
