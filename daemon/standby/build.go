package standby

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"kilim/daemon/pipeline"
	"kilim/graphstore"
	"kilim/learner/train/registry"
)

const (
	// copyBatch is how many documents CopyFrom gets for one commit. It is also how many changes the cutover may still have to
	// copy, for which ingest has to wait.
	copyBatch = 256
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

	changes changes // in from
	// unjudged: the model is to be judged, and was not yet.
	unjudged bool

	lock  sync.Mutex
	phase string
	ratio float64
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
	b := &build{manager: m, id: *m.cur.Next, from: m.serving.Load(), phase: PhaseFilling}
	ctx, b.cancel = context.WithCancelCause(ctx)
	m.build = b
	return ctx, b
}

// building is the build at work; nil: none.
func (m *Manager) building() *build {
	m.lock.Lock()
	defer m.lock.Unlock()
	return m.build
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
		b.from.follow(nil)
		if !serves {
			b.standby.stopWorkers()
			err = errors.Join(err, b.standby.close())
		}
	}()
	m.startWorkers(ctx, b.standby)
	m.log.Info("building a standby", "instance", b.id.Number, "epoch", b.id.Epoch, "artifacts", b.from.store.Counts().Artifacts)
	// From here on every change is noted, so that what backfill has copied before the change is copied again.
	b.from.follow(b.changes.add)
	if err := b.backfill(building); err != nil {
		return err
	}
	model, err := m.cfg.Models.Get(b.id.Epoch)
	if err != nil {
		return err
	}
	b.unjudged = model.Adapted && model.State == registry.Candidate
	if err := b.complete(building); err != nil {
		return err
	}
	if err := b.judge(building); err != nil {
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

// judge compares a model that was adapted to other encoders, and is no more than that, with the one that serves: only now are
// there vectors of its encoders to compare by. A model that was trained, has served, or was asked for by its epoch, is not judged.
func (b *build) judge(ctx context.Context) error {
	model, err := b.manager.cfg.Models.Get(b.id.Epoch)
	if err != nil || !model.Adapted || model.State != registry.Candidate {
		return err
	}
	if err := b.manager.cfg.Fitting.Judge(ctx, model, b.from.engine.Load(), b.standby.engine.Load()); err != nil {
		return err
	}
	b.unjudged = false
	return b.complete(ctx) // what came meanwhile
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
		_, err := b.standby.engine.Load().Standby().CopyFrom(b.from.store, ids)
		return err
	}); err != nil {
		return err
	}
	// An artifact that the build copied before an interruption may have been deleted since, when nobody followed.
	if err := b.eachPage(ctx, b.standby.store, func(ids []string) error {
		gone, err := b.gone(ids)
		if err == nil {
			_, err = b.standby.engine.Load().Standby().CopyFrom(b.from.store, gone)
		}
		return err
	}); err != nil {
		return err
	}
	return b.standby.engine.Load().Standby().EndBackfill()
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
		if err := b.standby.engine.Load().WaitRoom(ctx); err != nil {
			return err
		}
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
		if err := b.throttle(ctx, time.Since(start)); err != nil {
			return err
		}
	}
}
