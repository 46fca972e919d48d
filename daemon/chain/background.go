package chain

import (
	"context"
	"fmt"

	"kilim/consumer/profile"
	"kilim/graphstore"
)

// Small units: a batch of records that arrives meanwhile waits for one of them.
const (
	encodeUnit = 32
	rankUnit   = 16
	pushUnit   = 32
)

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
	encode := e.encoded.take(encodeUnit, e.clock.encode, e.cfg.Sweep)
	var rank []graphstore.NodeID
	if e.refresher.Pending() == 0 && len(encode) == 0 {
		if rank = e.ranked.take(rankUnit, e.clock.rank, e.cfg.Sweep); len(rank) == 0 {
			e.report()
			return false, nil
		}
	}
	if err := e.sweep(encode, rank); err != nil {
		e.failed = fmt.Errorf("chain: background: %w", err)
		return false, e.failed
	}
	e.report()
	return true, nil
}

func (e *Engine) sweep(encode, rank []graphstore.NodeID) error {
	u := e.begin()
	defer u.tx.Discard()
	e.clock.revision++
	// All features before any push: each push would otherwise be repeated.
	budget := 0
	if len(encode) == 0 {
		budget = pushUnit
	}
	for _, id := range encode {
		if err := u.encodeAgain(id); err != nil {
			return err
		}
	}
	if len(rank) > 0 {
		if _, err := u.fresh(rank); err != nil {
			return err
		}
	}
	return u.complete(budget)
}

// encodeAgain renews the features of a stored artifact. Those that moved by no
// more than epsilon stay.
func (u *unit) encodeAgain(id graphstore.NodeID) error {
	e := u.e
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
	a, err := profile.Parse(doc.Raw, n.Key, e.cfg.Limits)
	if err != nil {
		return fmt.Errorf("stored artifact %q: %w", n.Key, err)
	}
	feat := e.featuresOf(weave(e.encoder, a))
	if u.pass.Drift(n, feat) <= e.cfg.Epsilon {
		if n, err = u.tx.Edit(id); err != nil {
			return err
		}
		n.EncodedAt = e.clock.encode
		e.encoded.set(id, n.EncodedAt)
		return nil
	}
	if err := u.pass.Detach(id); err != nil {
		return err
	}
	return u.attach(id, feat)
}
