package pipeline

import (
	"errors"
	"fmt"

	"kilim/graphstore"
)

// ErrUnit is wrapped by an error of Apply after which the store is as if the unit had not been, unless its offsets say
// that it was committed. The batch may be what made it fail. Config.Replaced was given the engine that goes on.
var ErrUnit = errors.New("pipeline: a unit of work failed")

// unitFailed replaces the engine after a unit failed, while the unit lock is held: nobody meets an engine that has failed and
// that no other serves for yet. A cutover that did once ended the building of its standby.
func (e *Engine) unitFailed(err error) error {
	// What is no fault of the batch must not make dead letters of it.
	if e.cfg.Replaced == nil || e.store.Err() != nil || errors.Is(err, graphstore.ErrNoSpace) || errors.Is(err, graphstore.ErrClosed) {
		e.failed = err
		return err
	}
	if again := e.replace(); again != nil {
		e.failed = fmt.Errorf("pipeline: reopen after %w: %w", err, again)
		return e.failed
	}
	return fmt.Errorf("%w: %w", ErrUnit, err)
}

// replace makes an engine of the same store, for what e holds in memory may be ahead of it, gives it to Config.Replaced, and
// retires e. The index is used again: Fill makes it hold what the store holds.
//
// The obvious design, a way to undo what a unit has done to each cache, queue and sum, would be run only after a failure
// that nobody foresaw, and would have to be right then.
func (e *Engine) replace() error {
	cfg := e.cfg
	cfg.Standby = e.role.standby()
	fresh, err := open(cfg, e.store, e.metrics, e.committed, e.log, e.index)
	if err != nil {
		return err
	}
	fresh.role.follow, fresh.role.previous, fresh.role.orders = e.role.follow, e.role.previous, e.role.orders
	if e.role.previous != nil {
		fresh.role.republished = e.role.republished // on which who will remove that state waits
	}
	fresh.report()
	e.cfg.Replaced(fresh)
	e.retire()
	return nil
}

// Renew lets change alter the store while no unit is at work, and has an engine take over that is opened after it, which
// Config.Replaced is given. After an error of change the engine goes on.
func (e *Engine) Renew(change func(*graphstore.Store) error) error {
	e.unitLock.Lock()
	defer e.unitLock.Unlock()
	if e.failed != nil {
		return e.failed
	}
	if err := change(e.store); err != nil {
		return err
	}
	if err := e.replace(); err != nil {
		e.failed = fmt.Errorf("pipeline: reopen: %w", err)
		return e.failed
	}
	return nil
}

// retire ends the use of an engine in favour of another. It wants the unit lock.
func (e *Engine) retire() {
	e.failed, e.role.follow = ErrRetired, nil
	e.role.set(retired)
	e.turns.Work.Broadcast()
	e.turns.Room.Broadcast() // which nobody else would tell who waits for an outbox that is not its any more
}
