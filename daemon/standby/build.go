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

// batch is how many documents are taken over in one commit, and how many changes may be left for
// the takeover itself, which ingest has to wait for.
const batch = 256

// unit is how long a draft's unit of work takes, about.
const unit = 20 * time.Millisecond

// idle is how long a step that had nothing to do is taken for.
const idle = 50 * time.Millisecond

// restless is the part of the artifacts, one in so many, that may still be stale when a draft takes over under a feed.
const restless = 10

// build is the making of one generation.
type build struct {
	k      *Keeper
	id     ID
	from   *site
	draft  *site
	cancel context.CancelCauseFunc

	lock sync.Mutex
	// changed are the artifacts that changed in from since they were looked at.
	changed map[string]struct{}
	phase   string
	ratio   float64
}

// work makes what is asked for, one after the other, until ctx ends. Its error is one after which nothing may go on.
func (k *Keeper) work(ctx context.Context) error {
	for ctx.Err() == nil {
		if !k.forget(ctx) {
			return nil
		}
		building, b := k.begin(ctx)
		if b == nil {
			select {
			case <-ctx.Done():
			case <-k.wanted:
			}
			continue
		}
		start := time.Now()
		err := b.run(ctx, building)
		b.cancel(nil)
		if k.end(ctx, b, err, time.Since(start)); errors.Is(err, pipeline.ErrUndecided) {
			return fmt.Errorf("standby: %w", err)
		}
	}
	return nil
}

// begin takes up what CURRENT says is to be made, nil when there is nothing, or nothing that did not fail.
func (k *Keeper) begin(ctx context.Context) (context.Context, *build) {
	k.lock.Lock()
	defer k.lock.Unlock()
	if k.cur.Next == nil || k.failed != nil {
		return nil, nil
	}
	b := &build{k: k, id: *k.cur.Next, from: k.serving.Load(), changed: map[string]struct{}{}, phase: PhaseFilling}
	ctx, b.cancel = context.WithCancelCause(ctx)
	k.build = b
	return ctx, b
}

// end notes how a build has ended.
func (k *Keeper) end(ctx context.Context, b *build, err error, took time.Duration) {
	k.lock.Lock()
	defer k.lock.Unlock()
	k.build = nil
	log := k.log.With("generation", b.id.Number, "epoch", b.id.Epoch, "took", took.Round(time.Millisecond))
	switch {
	case err == nil:
		k.metrics.built(resultServes, took)
		log.Info("another generation serves; its lists will be published")
	case k.cur.Next == nil || *k.cur.Next != b.id:
		k.metrics.built(resultAbandoned, took)
		if err := k.layout.remove(b.id.Number); err != nil {
			log.Warn("an abandoned generation can't be removed now; it will be at the next start", "err", err)
		}
	case ctx.Err() != nil:
		log.Info("the making of a generation is interrupted; it goes on at the next start")
	default:
		k.failed = err
		k.metrics.built(resultFailed, took)
		log.Error("the making of a generation has failed; the present one serves on", "err", err)
	}
}

// run makes the draft and lets it take over, until building ends. What works beside the draft goes on after that, until ctx ends.
func (b *build) run(ctx, building context.Context) (err error) {
	k := b.k
	if b.draft, err = k.openDraft(b.id); err != nil {
		return err
	}
	took := false
	defer func() {
		b.from.engine.Follow(nil)
		if !took {
			b.draft.leave()
			err = errors.Join(err, b.draft.close())
		}
	}()
	k.accompany(ctx, b.draft)
	k.log.Info("making a generation", "generation", b.id.Number, "epoch", b.id.Epoch, "artifacts", b.from.store.Counts().Artifacts)
	b.from.engine.Follow(b.note)
	if err := b.fill(building); err != nil {
		return err
	}
	if err := b.complete(building); err != nil {
		return err
	}
	err = b.takeOver()
	took = err == nil
	if took {
		b.from.leave()
		k.alarmed() // what has failed beside the draft counts now
	}
	return err
}

func (b *build) note(ids []string) {
	b.lock.Lock()
	defer b.lock.Unlock()
	for _, id := range ids {
		b.changed[id] = struct{}{}
	}
}

// take takes up to n changed artifacts, and tells how many are left.
func (b *build) take(n int) (ids []string, left int) {
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

func (b *build) report(phase string, ratio float64) {
	b.lock.Lock()
	defer b.lock.Unlock()
	b.phase, b.ratio = phase, ratio
}

// fillShare is the part of the whole work that filling is taken for in a build's progress.
const fillShare = 0.4

// fill makes the draft's documents those of the store that serves, as far as they differ.
func (b *build) fill(ctx context.Context) error {
	total := max(b.from.store.Counts().Artifacts, 1)
	done := 0
	if err := b.pages(ctx, b.from.store, func(ids []string) error {
		done += len(ids)
		b.report(PhaseFilling, fillShare*min(float64(done)/float64(total), 1))
		_, err := b.draft.engine.Mirror(b.from.store, ids)
		return err
	}); err != nil {
		return err
	}
	// What a build before an interruption has taken over may have gone since.
	if err := b.pages(ctx, b.draft.store, func(ids []string) error {
		gone, err := b.gone(ids)
		if err == nil {
			_, err = b.draft.engine.Mirror(b.from.store, gone)
		}
		return err
	}); err != nil {
		return err
	}
	return b.draft.engine.Filled()
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

// pages calls fn for all artifacts of a store, some at a time, at the pace of a build.
func (b *build) pages(ctx context.Context, store *graphstore.Store, fn func(ids []string) error) error {
	last := graphstore.NodeID(0)
	for {
		start := time.Now()
		var ids []string
		err := store.View(func(r *graphstore.Reader) (err error) {
			ids, err = r.ArtifactsAfter(last, batch)
			return err
		})
		if err != nil || len(ids) == 0 {
			return err
		}
		last = graphstore.ID(graphstore.Artifact, ids[len(ids)-1])
		if err := fn(ids); err != nil {
			return err
		}
		if err := b.rest(ctx, time.Since(start), false); err != nil {
			return err
		}
	}
}

// complete computes the draft's lists and follows what changes, until the draft is as good as what
// serves and almost as new.
func (b *build) complete(ctx context.Context) error {
	most := 1
	for {
		start := time.Now()
		ids, behind := b.take(batch)
		if _, err := b.draft.engine.Mirror(b.from.store, ids); err != nil {
			b.note(ids)
			return err
		}
		left, err := b.draft.engine.Step(unit)
		if err := errors.Join(err, b.draft.failed()); err != nil {
			return err
		}
		pending := left.Pending + left.Unlisted
		most = max(most, pending)
		b.report(PhaseCompleting, fillShare+(1-fillShare)*(1-float64(pending)/float64(most)))
		// Under a steady feed the lists of what serves are never all at rest either.
		if left.Unlisted == 0 && behind <= batch && b.asGood(left) {
			return nil
		}
		worked := time.Since(start)
		if len(ids) == 0 && left.Pending == 0 {
			worked = max(worked, idle) // what is missing comes from the encoders
		}
		if err := b.rest(ctx, worked, behind > batch); err != nil {
			return err
		}
	}
}

// asGood tells whether the draft has no more to do than what serves.
func (b *build) asGood(left pipeline.Left) bool {
	ours, theirs := b.draft.engine.Status(), b.from.engine.Status()
	waiting := func(s pipeline.Status) (n int) {
		for _, m := range s.Media {
			n += m.Waiting
		}
		return n
	}
	most := theirs.RefreshQueue
	if !b.from.engine.Quiet() {
		most = max(most, theirs.Artifacts/restless) // which a steady feed may always leave
	}
	return left.Pending <= most && waiting(ours) <= waiting(theirs)
}

// rest leaves the machine to ingest and queries: three quarters of the time while batches come, half of it when the
// draft falls behind them, else a fifth.
func (b *build) rest(ctx context.Context, worked time.Duration, behind bool) error {
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
