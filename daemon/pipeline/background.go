package pipeline

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"kilim/daemon/pipeline/turns"
	"kilim/graphstore"
	"kilim/graphstore/weave"
	"kilim/learner/encode"
	"kilim/learner/model/infer"
)

// background is what one unit of it tells the next.
type background struct {
	paces struct{ features, push, rank, publish, media turns.Pace }
	// ranksNext: the lists of a standby have the turn, not its pushes.
	ranksNext bool
}

// Background does what records left over, until ctx ends or another state was cut over to. See background.next for the order.
func (e *Engine) Background(ctx context.Context) error {
	for {
		work := e.turns.Work.Changed()
		more := false
		if !e.turns.BatchWaits() && e.WaitForOutbox(ctx) == nil {
			start := time.Now()
			var err error
			if more, err = e.backgroundUnit(); err != nil {
				return err
			}
			if more {
				e.turns.Rest(ctx, time.Since(start))
			}
		}
		switch {
		case ctx.Err() != nil, e.role.is(retired):
			return nil
		case more:
			continue
		}
		select {
		case <-ctx.Done():
		case <-work:
		case <-e.turns.Linger.Over():
		}
	}
}

// linger is how long a change of published lists waits now, see topk.Unit: as configured while there is load, that is a batch waits
// or was applied within so long, or the background has work that may change the lists again. Else it does not wait.
func (e *Engine) linger() time.Duration {
	if e.turns.Busy(e.cfg.Linger) || e.pending() > e.lists.Lingering() {
		return e.cfg.Linger
	}
	return 0
}

// lingered is how long until the first change that waits to be published has waited long enough; ok is false when none waits.
func (e *Engine) lingered() (left time.Duration, ok bool) {
	return e.lists.Lingered(e.turns.Linger.At(), e.linger())
}

// backgroundUnit does one unit, and tells whether there may be more.
func (e *Engine) backgroundUnit() (bool, error) {
	e.unitLock.Lock()
	defer e.unitLock.Unlock()
	return e.step(e.turns.UnitLength())
}

// step does one unit of about the given length. It wants the unit lock.
func (e *Engine) step(length time.Duration) (more bool, err error) {
	if e.failed != nil {
		return false, nil // Apply has reported it
	}
	if t, ok := e.background.next(e, length); ok {
		if err := e.do(t); err != nil {
			e.failed = fmt.Errorf("pipeline: background: %w", err)
			return false, e.failed
		}
		more = true
	}
	if err := e.auditor.audit(e); err != nil {
		e.failed = err
		return false, err
	}
	return more, nil
}

// task is a unit of background work: its kind's pace, and what is done within the unit, which tells on how many artifacts.
type task struct {
	pace *turns.Pace
	work func(*unit) (int, error)
}

// do does a task in a unit of its own.
func (e *Engine) do(t task) error {
	start := time.Now()
	u := e.begin(nil)
	defer u.tx.Discard()
	n, err := t.work(u)
	t.pace.Took(n, time.Since(start), u.committing)
	return err
}

// leastLists is how many lists a unit publishes at least: so many take some 10 ms. Where a commit alone takes as long, a Pace would make
// units of the fewest, each with a commit of its own, and more would change meanwhile than are published.
const leastLists = 256

// next takes up what readers wait for, lists that are made and not published, or have changed a linger ago, and then the most basic
// work there is: all features before any push, since a push would be repeated for each of them, and all
// vectors before any list.
func (b *background) next(e *Engine, length time.Duration) (task, bool) {
	left, waits := e.lingered()
	if !e.role.standby() && (e.lists.Unpublished() > 0 || waits && left <= 0) {
		n := max(b.paces.publish.Size(length), leastLists)
		return task{&b.paces.publish, func(u *unit) (int, error) {
			err := u.complete(budget{published: n, lingered: n}, nil)
			return u.published, err
		}}, true
	}
	// A standby has first lists made under a feed that always leaves features stale and pushes on their way.
	now := e.clock.Arrivals
	if e.lists.Unlisted() > 0 {
		now, b.ranksNext = e.role.backfilledAt, !b.ranksNext
	} else {
		b.ranksNext = false
	}
	if e.stale.Any(now, e.cfg.Sweep) {
		n := b.paces.features.Size(length)
		var ids []graphstore.NodeID
		for _, id := range e.stale.Take(n, now, e.cfg.Sweep) {
			ids = append(ids, graphstore.NodeID(id))
		}
		return task{&b.paces.features, func(u *unit) (int, error) {
			if err := u.renewFeatures(ids, e.cfg.Epsilon); err != nil {
				return 0, err
			}
			return len(ids), u.complete(budget{ranked: n}, nil)
		}}, true
	}
	if e.refresher.Pending() > 0 && !b.ranksNext {
		n := b.paces.push.Size(length)
		return task{&b.paces.push, func(u *unit) (int, error) {
			err := u.complete(budget{pushed: n, ranked: n}, nil)
			return len(u.moved), err
		}}, true
	}
	n := b.paces.rank.Size(length)
	ids := e.lists.TakeStale(n, e.clock.Rank)
	return task{&b.paces.rank, func(u *unit) (int, error) {
		moving, err := u.rankStale(ids)
		if err != nil {
			return 0, err
		}
		return len(ids), u.complete(budget{ranked: n}, moving)
	}}, len(ids) > 0
}

// rankStale computes the lists of artifacts that stayed where they are. When some of them
// moved it returns these instead, whose lists are not all there is to do, and the others
// wait for a later unit.
//
// What moves is taken to the lists of others, also of such as would not have found it
// themselves. A list is what its own candidates make it only when it is computed after all
// that: so the clock goes on, by as little as there is, and the lists computed before are older.
func (u *unit) rankStale(ids []uint64) (moving []uint64, err error) {
	if moving, err = u.lists.TakeMoved(ids); err != nil {
		return nil, err
	}
	if len(moving) > 0 {
		u.e.clock.Moved(0, u.tx.Counts().Artifacts)
		return moving, nil
	}
	return nil, u.lists.Recompute(u.e.clock.Time(), ids)
}

// renewFeatures renews the features of stored artifacts. Those that would move by no
// more than epsilon stay.
func (u *unit) renewFeatures(ids []graphstore.NodeID, epsilon float32) error {
	feats := make([]infer.Features, len(ids))
	media := make([]encode.Vectors, len(ids))
	damaged := make([]bool, len(ids)) // whose features stay until the next record
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, id := range ids {
		n, err := u.tx.Node(id)
		if err != nil {
			return err
		}
		doc, err := u.tx.Artifact(n.Key)
		if damaged[i] = errors.Is(err, graphstore.ErrDamaged); damaged[i] {
			u.e.log.Error("an artifact keeps its features, for it can't be read", "error", err)
			continue
		}
		if err != nil {
			return err
		}
		if doc == nil {
			return fmt.Errorf("artifact %q has a node and no document", n.Key)
		}
		if media[i], err = u.e.cfg.Encoders.Vectors(u.tx, id); err != nil {
			return err
		}
		g.Go(func() error {
			a, err := weave.Parse(doc)
			if err != nil {
				return err
			}
			feats[i] = u.e.words.Features(u.e.words.Extract(a), media[i])
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	inputs := u.e.refresher.Inputs(feats)
	for i, id := range ids {
		n, err := u.tx.Edit(id)
		if err != nil {
			return err
		}
		if damaged[i] || u.refresh.Drift(n, inputs[i]) <= epsilon {
			n.EncodedAt = u.e.clock.Arrivals
			u.e.stale.Set(uint64(id), n.EncodedAt)
			continue
		}
		if err := u.refresh.Detach(id); err != nil {
			return err
		}
		if err := u.attach(id, inputs[i], media[i]); err != nil {
			return err
		}
	}
	return nil
}
