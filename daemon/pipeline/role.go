package pipeline

import (
	"errors"
	"sync/atomic"

	"kilim/daemon/pipeline/listgraph"
	"kilim/graphstore"
	"kilim/rerank/topk"
)

// phase is a part of a state's life. A state that nobody made beside another begins with serving.
type phase int32

const (
	backfilling phase = iota // a standby takes documents over and computes no list: each artifact changes those of all others
	completing               // a standby computes its lists, and follows what changes; it publishes none of them
	serving
	retired // another state was cut over to
)

// role is the phase of a state, and what it owes to the state that served before it or comes after it. It is guarded by the unit
// lock, but for what is atomic or a channel.
type role struct {
	phase atomic.Int32
	// backfilledAt is the time (clock.Arrivals) at which a standby's backfill ended, or at which it was opened since.
	backfilledAt float64
	// origin is the store that a standby copies from, once that is known.
	origin atomic.Pointer[graphstore.Store]
	// leftOut are the artifacts of origin that a standby could not take over. Only what copies, one at a time, uses it.
	leftOut map[string]bool
	// follow is told which artifacts a batch changed, for the standby that copies them.
	follow func(ids []string)
	// orders are those that lists are published in; nil, as in a standby: they are as stated.
	orders listgraph.Orders
	// previous holds the lists that were published before the cutover; nil when nothing needs them.
	previous *graphstore.Store
	// republished is closed when no list that was made in a standby is left to be published; not by a standby.
	republished chan struct{}
}

// backfillKey is in the store of a standby until its backfill has ended.
const backfillKey = "chain/filling"

func (r *role) init(standby bool) {
	r.republished, r.leftOut = make(chan struct{}), map[string]bool{}
	r.set(serving)
	if standby {
		r.set(completing)
	}
}

// load finds out how far a standby has come. at is the clock's time.
func (r *role) load(store *graphstore.Reader, at float64) error {
	b, err := store.Meta(backfillKey)
	if err != nil {
		return err
	}
	r.backfilledAt = at
	switch {
	case b == nil:
	case !r.standby():
		return errors.New("the state is a standby that was never completed")
	default:
		r.set(backfilling)
	}
	return nil
}

func (r *role) set(p phase)     { r.phase.Store(int32(p)) }
func (r *role) is(p phase) bool { return phase(r.phase.Load()) == p }

// standby is true for a state whose lists are kept and not published.
func (r *role) standby() bool { return r.is(backfilling) || r.is(completing) }

// margins is the room on the disk that a unit wants in this phase, see graphstore.Store.Room.
func (r *role) margins() int64 {
	if r.standby() {
		return 2
	}
	return 1
}

// listing says what a unit makes of lists in this phase.
func (r *role) listing(revision uint64, state *graphstore.Reader) topk.Unit {
	unit := topk.Unit{Mode: topk.Serving, Revision: revision, Order: listgraph.Order(r.orders, state)}
	switch {
	case r.is(backfilling):
		unit.Mode = topk.Backfill
	case r.is(completing):
		unit.Mode = topk.Standby
	case r.previous != nil:
		unit.Previous = func(id string) (*topk.Row, error) { return listgraph.Published(r.previous, id) }
	}
	return unit
}

// tell lets follow know which artifacts a batch changed.
func (r *role) tell(ops []operation) {
	if r.follow == nil {
		return
	}
	var ids []string
	for i := range ops {
		if ops[i].refusal == nil {
			ids = append(ids, ops[i].item.ID)
		}
	}
	r.follow(ids)
}

// republish notes that all lists are published.
func (r *role) republish() {
	if !r.allPublished() {
		close(r.republished)
	}
}

func (r *role) allPublished() bool {
	select {
	case <-r.republished:
		return true
	default:
		return false
	}
}

// Follow lets fn know, after each batch of records and before the next, which artifacts it changed; nil ends that. An engine
// that took the place of this one after a unit failed knows fn too; an engine that is retired refuses, for it would tell nobody.
func (e *Engine) Follow(fn func(ids []string)) error {
	e.unitLock.Lock()
	defer e.unitLock.Unlock()
	if e.role.is(retired) {
		return ErrRetired
	}
	e.role.follow = fn
	return nil
}

// SetOrders has lists published in another order from now on, those published before too; nil: as they are stated.
func (e *Engine) SetOrders(orders listgraph.Orders) error {
	e.unitLock.Lock()
	defer e.unitLock.Unlock()
	if e.role.is(retired) {
		return ErrRetired
	}
	e.role.orders = orders
	e.lists.Follow(listgraph.Order(orders, nil))
	e.report()
	e.turns.Work.Broadcast()
	return nil
}

// SetPrevious gives an engine that was opened after its cutover, with lists still to be published, the store of the state that
// served before; nil when that store is of no more use.
func (e *Engine) SetPrevious(store *graphstore.Store) {
	e.unitLock.Lock()
	defer e.unitLock.Unlock()
	e.role.previous = store
}

// AllPublished is true when Republished is closed.
func (e *Engine) AllPublished() bool { return e.role.allPublished() }

// Republished is closed when all lists are published: the previous state is of no more use.
func (e *Engine) Republished() <-chan struct{} { return e.role.republished }
