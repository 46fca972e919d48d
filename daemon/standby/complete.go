package standby

import (
	"context"
	"errors"
	"time"

	"kilim/daemon/pace"
	"kilim/daemon/pipeline"
)

const (
	// stepTime is how long one unit of a standby's own work takes, about, and mostStepTime how long at most.
	stepTime, mostStepTime = 20 * time.Millisecond, 200 * time.Millisecond
	// emptyStep is the time that a step which had nothing to do is taken for by throttle: otherwise complete would spin.
	emptyStep = 50 * time.Millisecond
	// staleDivisor: under a feed, one in so many of the artifacts may be stale at the cutover, for a steady feed may leave as
	// many stale in the instance that serves. It is also the part of the archive that may change while caughtUp waits for that.
	staleDivisor = 10
)

// complete has the standby compute its lists, and copies what changes meanwhile, until every artifact has a list, few
// changes are left to copy, and caughtUp. It ends under any feed: each step gives lists to some of those that have none,
// batches are held back while the standby falls behind them (changes), and caughtUp waits for a bounded number of changes.
func (b *build) complete(ctx context.Context) error {
	b.changes.hold(true)
	defer b.changes.hold(false)
	mostPending := 1
	sinceListed := 0 // the changes that were copied since every artifact has lists
	for {
		if err := b.waitRoom(ctx); err != nil {
			return err
		}
		start := time.Now()
		ids, behind := b.changes.take(copyBatch)
		if _, err := b.standby.engine.Load().Standby().CopyFrom(b.from.store, ids); err != nil {
			b.changes.add(ids)
			return err
		}
		b.changes.copied(len(ids))
		left, err := b.work(time.Since(start))
		if err := errors.Join(err, b.standby.workersErr()); err != nil {
			return err
		}
		pending := left.Pending + left.Unlisted
		mostPending = max(mostPending, pending)
		b.setProgress(PhaseCompleting, backfillShare+(1-backfillShare)*(1-float64(pending)/float64(mostPending)))
		if left.Unlisted == 0 {
			sinceListed += len(ids)
			if behind <= copyBatch && b.caughtUp(left, sinceListed) {
				return nil
			}
		}
		if behind > copyBatch {
			continue // batches are held back
		}
		worked := time.Since(start)
		if len(ids) == 0 && left.Pending == 0 {
			worked = max(worked, emptyStep) // what is missing comes from the encoders, on other goroutines
		}
		if err := b.throttle(ctx, worked); err != nil {
			return err
		}
	}
}

// work does the standby's own work for as long as the copying before it has taken, one step at least: on a slow machine the
// copying of a few changes takes much longer than a step, and would leave no time to the lists.
func (b *build) work(copying time.Duration) (left pipeline.Left, err error) {
	start := time.Now()
	for {
		left, err = b.standby.engine.Load().Standby().Step(min(max(copying, stepTime), mostStepTime))
		if err != nil || left.Pending == 0 || time.Since(start) >= copying {
			return left, err
		}
	}
}

// waitRoom waits until the disk has room for a standby. Batches are not held back meanwhile: there may be room for them.
func (b *build) waitRoom(ctx context.Context) error {
	e := b.standby.engine.Load()
	if e.Room() == nil {
		return nil
	}
	b.changes.hold(false)
	defer b.changes.hold(true)
	return e.WaitRoom(ctx)
}

// caughtUp tells whether the cutover may carry over what the standby has left to do: when it is no more than the instance that
// serves has left, or little, or when sinceListed changes were copied since every artifact has lists, and that is a tenth of
// the archive. The instance that serves does the rest, which no build beside it takes time from any more.
//
// To ask for nothing left would be too much: under a steady feed the instance that serves always has some left, too. To ask
// always for as little as it has would be too much as well: a standby has a part of the time, and a feed that makes lists stale
// faster than they are made in it keeps them stale for ever. Nor may the media of the last changes hold the cutover up: of a
// steady feed some always wait. A model that is to be judged by its media has to have them all, but for those that are held, and for such a
// feed: where the instance that serves has none either, as after a start with a new archive, it was judged by nothing.
func (b *build) caughtUp(left pipeline.Left, sinceListed int) bool {
	ours, theirs := b.standby.engine.Load().Status(), b.from.engine.Load().Status()
	waiting := func(s pipeline.Status) (n, tried int) {
		for _, m := range s.Media {
			n, tried = n+m.Waiting, tried+m.Waiting-m.Held
		}
		return n, tried
	}
	few := theirs.Artifacts / staleDivisor
	allowed := theirs.RefreshQueue
	if !b.from.engine.Load().Quiet() {
		allowed = max(allowed, few)
	}
	long := sinceListed >= max(few, copyBatch)
	media, tried := waiting(ours)
	most, _ := waiting(theirs)
	if b.unjudged && tried > 0 && !long {
		return false
	}
	return (left.Pending <= allowed || long) && media <= most+min(sinceListed, copyBatch)
}

// throttle sleeps after worked, to leave the machine to ingest and queries.
func (b *build) throttle(ctx context.Context, worked time.Duration) error {
	return b.manager.sleep(ctx, pace.For(worked, b.from.engine.Load().Quiet()))
}

// sleep sleeps for d, or until ctx ends, of which it returns the cause.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}
