package pipeline

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"kilim/graphstore"
	"kilim/graphstore/weave"
	"kilim/learner/model/infer"
)

// A batch of records that arrives meanwhile waits for the unit at work. While batches
// come, units are kept to about unitTime; each has a commit's cost, so not shorter, and
// while none comes, for quiet, to about quietUnitTime.
const (
	unitTime            = 10 * time.Millisecond
	quietUnitTime       = 100 * time.Millisecond
	quiet               = time.Second
	leastUnit, mostUnit = 4, 1024
)

// pace is the number of artifacts that a background unit of one kind takes on: as many
// as fit into the time for it, by what those before took. A kind that was cheap must not set the size of
// another, so each has its own.
type pace struct {
	each time.Duration // for an artifact; 0: not known
}

func (p *pace) size(unit time.Duration) int {
	if p.each <= 0 {
		return leastUnit
	}
	return min(max(int(unit/p.each), leastUnit), mostUnit)
}

// took says that a unit of n artifacts took d. A slower one counts at once, a faster one
// by and by.
func (p *pace) took(n int, d time.Duration) {
	if n == 0 {
		return
	}
	each := max(d/time.Duration(n), 1)
	if p.each == 0 || each > p.each {
		p.each = each
		return
	}
	p.each -= (p.each - each) / 4
}

// Background does what records left over, until ctx ends or another state was cut over to: pushes on their
// way first, since they are known to be due, then features made with document
// frequencies of another time, then lists.
func (e *Engine) Background(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-e.retired:
			return nil
		case <-e.wake:
		}
		for ctx.Err() == nil && e.waiting.Load() == 0 {
			if err := e.waitForOutbox(ctx); err != nil {
				break // ctx ended
			}
			start := time.Now()
			more, err := e.backgroundUnit()
			if err != nil {
				return err
			}
			if !more {
				break
			}
			e.rest(ctx, time.Since(start))
		}
	}
}

// Quiet is true when no batch has come for a while.
func (e *Engine) Quiet() bool { return time.Since(time.Unix(0, e.lastBatch.Load())) > quiet }

// rest leaves half of the time to batches while they come: one that meets a unit at work
// has to wait for it.
func (e *Engine) rest(ctx context.Context, d time.Duration) {
	if e.Quiet() {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// backgroundUnit does one unit, and tells whether there may be more.
func (e *Engine) backgroundUnit() (bool, error) {
	e.unitLock.Lock()
	defer e.unitLock.Unlock()
	return e.step(e.unitLength())
}

// unitLength is about how long a background unit may take now.
func (e *Engine) unitLength() time.Duration {
	if e.Quiet() {
		return quietUnitTime
	}
	return unitTime
}

// step does one unit of about the given length. It wants the unit lock.
func (e *Engine) step(length time.Duration) (bool, error) {
	if e.failed != nil {
		return false, nil // Apply has reported it
	}
	more, err := e.sweep(length)
	if err != nil {
		e.failed = fmt.Errorf("pipeline: background: %w", err)
		return false, e.failed
	}
	if err := e.audit(); err != nil {
		e.failed = err
		return false, err
	}
	e.report()
	return more, nil
}

// sweep takes up what readers wait for, lists that are made and not published, and then the most basic
// work there is: all features before any push, since a push would be repeated for each of them, and all
// vectors before any list.
func (e *Engine) sweep(length time.Duration) (more bool, err error) {
	if n := e.paces.publish.size(length); !e.standby.Load() && e.unpublished.len() > 0 {
		return true, e.unit(&e.paces.publish, func(u *unit) (int, error) {
			published, err := u.republish(n)
			if err != nil {
				return 0, err
			}
			_, err = u.complete(0, 0, nil)
			return published, err
		})
	}
	// A standby has first lists made under a feed that always leaves features stale and pushes on their way.
	now := e.clock.encode
	if len(e.unlisted) > 0 {
		now, e.ranksNext = e.backfilledAt, !e.ranksNext
	} else {
		e.ranksNext = false
	}
	if n := e.paces.encode.size(length); e.encoded.any(now, e.cfg.Sweep) {
		ids := e.encoded.take(n, now, e.cfg.Sweep)
		return true, e.unit(&e.paces.encode, func(u *unit) (int, error) {
			if err := u.encodeAgain(ids, u.e.cfg.Epsilon); err != nil {
				return 0, err
			}
			_, err := u.complete(0, n, nil)
			return len(ids), err
		})
	}
	if n := e.paces.push.size(length); e.refresher.Pending() > 0 && !e.ranksNext {
		return true, e.unit(&e.paces.push, func(u *unit) (int, error) {
			return u.complete(n, n, nil)
		})
	}
	n := e.paces.rank.size(length)
	ids := e.ranked.take(n, e.clock.rank, e.cfg.Sweep)
	if len(ids) == 0 {
		return false, nil
	}
	return true, e.unit(&e.paces.rank, func(u *unit) (int, error) {
		moving, err := u.rankStale(ids)
		if err != nil {
			return 0, err
		}
		_, err = u.complete(0, n, moving)
		return len(ids), err
	})
}

// unit does one unit of background work, which says how many artifacts it took on.
func (e *Engine) unit(p *pace, work func(*unit) (int, error)) error {
	start := time.Now()
	u := e.begin()
	defer u.tx.Discard()
	e.clock.revision++
	n, err := work(u)
	p.took(n, time.Since(start))
	return err
}

// rankStale computes the lists of artifacts that stayed where they are. When some of them
// moved it returns these instead, whose lists are not all there is to do, and the others
// wait for a later unit.
//
// What moves is carried into the lists of others, also of such as would not have found it
// themselves. A list is what its own candidates make it only when it is computed after all
// that: so the clock goes on, by as little as there is, and the lists computed before are older.
func (u *unit) rankStale(ids []graphstore.NodeID) (moving []graphstore.NodeID, err error) {
	for _, id := range ids {
		n, err := u.tx.Node(id)
		if err != nil {
			return nil, err
		}
		if n.Drift == 0 {
			continue
		}
		if n, err = u.tx.Edit(id); err != nil {
			return nil, err
		}
		n.Drift = 0
		moving = append(moving, id)
	}
	if len(moving) > 0 {
		u.e.clock.moved(0, u.tx.Counts().Artifacts)
		return moving, nil
	}
	_, err = u.fresh(ids)
	return nil, err
}

// encodeAgain renews the features of stored artifacts. Those that would move by no
// more than epsilon stay.
func (u *unit) encodeAgain(ids []graphstore.NodeID, epsilon float32) error {
	feats := make([]infer.Features, len(ids))
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
		media, err := u.e.encodedOf(u.tx, id)
		if err != nil {
			return err
		}
		g.Go(func() error {
			a, err := weave.Parse(doc, u.e.cfg.Limits)
			if err != nil {
				return err
			}
			feats[i] = u.e.featuresOf(extract(u.e.encoder, a), media)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for i, id := range ids {
		n, err := u.tx.Edit(id)
		if err != nil {
			return err
		}
		if damaged[i] || u.pass.Drift(n, feats[i]) <= epsilon {
			n.EncodedAt = u.e.clock.encode
			u.e.encoded.set(id, n.EncodedAt)
			continue
		}
		if err := u.pass.Detach(id); err != nil {
			return err
		}
		if err := u.attach(id, feats[i]); err != nil {
			return err
		}
	}
	return nil
}

// Run does everything that is not done for a batch of records or a query, until ctx ends or another
// state was cut over to.
func (e *Engine) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer cancel()
		return e.Background(ctx)
	})
	g.Go(func() error { return e.WatchIndex(ctx) })
	g.Go(func() error { return e.store.Maintain(ctx) })
	return g.Wait()
}
