package chain

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"kilim/consumer/profile"
	"kilim/graphstore"
)

// A batch of records that arrives meanwhile waits for the unit at work, so units
// are kept to about this long; each has a commit's cost, so they are not kept shorter.
const (
	unitTime            = 25 * time.Millisecond
	leastUnit, mostUnit = 8, 1024
)

// pace is the number of artifacts that a background unit takes on.
type pace struct{ size int }

func (p *pace) took(d time.Duration) {
	switch {
	case d > 2*unitTime:
		p.size = max(p.size/2, leastUnit)
	case d < unitTime:
		p.size = min(p.size*2, mostUnit)
	}
}

// Background does what records left over, until ctx ends: pushes on their
// way first, since they are known to be due, then features made with document
// frequencies of another time, then lists.
func (e *Engine) Background(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-e.wake:
		}
		for ctx.Err() == nil && e.waiting.Load() == 0 {
			if err := e.waitForOutbox(ctx); err != nil {
				break // ctx ended
			}
			more, err := e.backgroundUnit()
			if err != nil {
				return err
			}
			if !more {
				break
			}
		}
	}
}

// backgroundUnit does one unit, and tells whether there may be more.
func (e *Engine) backgroundUnit() (bool, error) {
	e.unitLock.Lock()
	defer e.unitLock.Unlock()
	if e.failed != nil {
		return false, nil // Apply has reported it
	}
	start := time.Now()
	more, err := e.sweep()
	if err != nil {
		e.failed = fmt.Errorf("chain: background: %w", err)
		return false, e.failed
	}
	if more {
		e.pace.took(time.Since(start))
	}
	e.report()
	return more, nil
}

// sweep takes up the most basic work there is: all features before any push, since a
// push would be repeated for each of them, and all vectors before any list.
func (e *Engine) sweep() (more bool, err error) {
	n := e.pace.size
	encode := e.encoded.take(n, e.clock.encode, e.cfg.Sweep)
	pushes := len(encode) == 0 && e.refresher.Pending() > 0
	var rank []graphstore.NodeID
	if len(encode) == 0 && !pushes {
		rank = e.ranked.take(n, e.clock.rank, e.cfg.Sweep)
	}
	if len(encode) == 0 && !pushes && len(rank) == 0 {
		return false, nil
	}
	u := e.begin()
	defer u.tx.Discard()
	e.clock.revision++
	if err := u.encodeAgain(encode); err != nil {
		return false, err
	}
	moving, err := u.rankStale(rank)
	if err != nil {
		return false, err
	}
	if !pushes {
		n = 0
	}
	return true, u.complete(n, moving)
}

// rankStale computes the lists of artifacts that stayed where they are, and returns
// those that moved, whose lists are not all there is to do.
func (u *unit) rankStale(ids []graphstore.NodeID) (moving []graphstore.NodeID, err error) {
	var still []graphstore.NodeID
	for _, id := range ids {
		n, err := u.tx.Node(id)
		if err != nil {
			return nil, err
		}
		if n.Drift == 0 {
			still = append(still, id)
			continue
		}
		if n, err = u.tx.Edit(id); err != nil {
			return nil, err
		}
		n.Drift = 0
		moving = append(moving, id)
	}
	_, err = u.fresh(still)
	return moving, err
}

// encodeAgain renews the features of stored artifacts. Those that moved by no
// more than epsilon stay.
func (u *unit) encodeAgain(ids []graphstore.NodeID) error {
	feats := make([][]float32, len(ids))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, id := range ids {
		n, err := u.tx.Node(id)
		if err != nil {
			return err
		}
		doc, err := u.tx.Artifact(n.Key)
		if err != nil {
			return err
		}
		if doc == nil {
			return fmt.Errorf("artifact %q has a node and no document", n.Key)
		}
		g.Go(func() error {
			a, err := profile.Parse(doc.Raw, n.Key, u.e.cfg.Limits)
			if err != nil {
				return fmt.Errorf("stored artifact %q: %w", n.Key, err)
			}
			feats[i] = u.e.featuresOf(weave(u.e.encoder, a))
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
		if u.pass.Drift(n, feats[i]) <= u.e.cfg.Epsilon {
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
