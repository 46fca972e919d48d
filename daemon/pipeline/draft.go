package pipeline

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"kilim/consumer"
	"kilim/consumer/profile"
	"kilim/graphstore"
	"kilim/rerank"
)

// A draft is a state of another model, made from the documents of the one that serves and beside it.
// It first fills (no list is computed, for each artifact changes those of all others), then completes its lists
// in the background and follows what changes. None of its lists is published: their revision is 0. When it takes
// over, the outbox and the offsets become those of the other state, and then its lists are
// published in the background, their changes counted from the lists in the other state.

// fillingKey is there while a draft fills.
const fillingKey = "chain/filling"

// Mirror makes the named artifacts of a draft what they are in another store, in one commit. Those that are
// the same already are left alone, and an id may come twice. It returns the number of those that were not the same.
func (e *Engine) Mirror(from *graphstore.Store, ids []string) (int, error) {
	items, err := e.differing(from, ids)
	if err != nil || len(items) == 0 {
		return 0, err
	}
	ops, err := e.weaveStored(items)
	if err != nil {
		return 0, err
	}
	e.unitLock.Lock()
	defer e.unitLock.Unlock()
	if err := e.isDraft(); err != nil {
		return 0, err
	}
	e.origin.Store(from)
	if err := from.View(func(r *graphstore.Reader) error { return e.mirror(ops, r) }); err != nil {
		e.failed = fmt.Errorf("pipeline: mirror %d artifacts: %w", len(ops), err)
		return 0, e.failed
	}
	e.report()
	return len(ops), nil
}

// differing reads what is not the same in both stores, as records that would make it so.
func (e *Engine) differing(from *graphstore.Store, ids []string) (items []consumer.Item, err error) {
	err = from.View(func(theirs *graphstore.Reader) error {
		return e.store.View(func(ours *graphstore.Reader) error {
			seen := make(map[string]bool, len(ids))
			for _, id := range ids {
				if seen[id] {
					continue
				}
				seen[id] = true
				want, err := theirs.Artifact(id)
				if err != nil {
					return err
				}
				have, err := ours.Artifact(id)
				if err != nil {
					return err
				}
				item := consumer.Item{ID: id}
				switch {
				case want == nil && have == nil:
					continue
				case want != nil && have != nil && want.Timestamp.Equal(have.Timestamp) && bytes.Equal(want.Raw, have.Raw):
					continue
				case want != nil:
					item.Time, item.Value = want.Timestamp, want.Raw
				}
				items = append(items, item)
			}
			return nil
		})
	})
	return items, err
}

func (e *Engine) weaveStored(items []consumer.Item) ([]operation, error) {
	ops := make([]operation, len(items))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range items {
		g.Go(func() (err error) {
			item := &items[i]
			if item.Value != nil {
				if item.Artifact, err = profile.Parse(item.Value, item.ID, e.cfg.Limits); err != nil {
					return fmt.Errorf("pipeline: stored artifact %q: %w", item.ID, err)
				}
			}
			ops[i] = e.prepareOne(item)
			if r := ops[i].refusal; r != nil {
				return fmt.Errorf("pipeline: stored artifact %q: %w", item.ID, r)
			}
			return nil
		})
	}
	return ops, g.Wait()
}

func (e *Engine) isDraft() error {
	if e.failed != nil {
		return e.failed
	}
	if !e.draft.Load() {
		return errors.New("pipeline: the state is not a draft")
	}
	return nil
}

func (e *Engine) mirror(ops []operation, from *graphstore.Reader) error {
	u := e.begin()
	u.from = from
	defer u.tx.Discard()
	e.clock.revision++
	for i := range ops {
		op := &ops[i]
		refusal, err := u.admit(op)
		if err == nil && refusal != nil {
			err = refusal
		}
		switch {
		case err != nil:
		case op.extracted == nil:
			err = u.remove(op)
		default:
			err = u.put(op)
		}
		if err != nil {
			return fmt.Errorf("artifact %q: %w", op.item.ID, err)
		}
	}
	if err := u.encodeArrivals(); err != nil {
		return err
	}
	budget := 0 // what is pushed while filling may as well wait for the last push
	if !e.filling {
		budget = min(e.cfg.Budget, len(ops))
	}
	_, err := u.complete(budget, budget, nil)
	return err
}

// rankLater gives the newcomers empty lists, which are due.
func (u *unit) rankLater() error {
	for _, id := range u.order {
		l, err := u.listing(id)
		if err != nil {
			return err
		}
		l.new.rankedAt = never
		l.touched, l.ranked = true, true
		u.e.unlisted[id] = struct{}{}
	}
	return nil
}

// Filled ends the filling of a draft: from now on it has lists.
func (e *Engine) Filled() error {
	e.unitLock.Lock()
	defer e.unitLock.Unlock()
	if err := e.isDraft(); err != nil || !e.filling {
		return err
	}
	tx := e.store.Begin()
	defer tx.Discard()
	if err := tx.PutMeta(fillingKey, nil); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	e.filling, e.filledAt = false, e.clock.encode
	return nil
}

// IsFilling tells whether a draft still fills.
func (e *Engine) IsFilling() bool {
	e.unitLock.Lock()
	defer e.unitLock.Unlock()
	return e.filling
}

// Left is what a draft has still to do: things that wait for the background, and artifacts of which
// no list was ever computed.
type Left struct{ Pending, Unlisted int }

// Step does one unit of a filled draft's background work, of about the given length.
func (e *Engine) Step(length time.Duration) (Left, error) {
	e.unitLock.Lock()
	defer e.unitLock.Unlock()
	if err := e.isDraft(); err != nil {
		return Left{}, err
	}
	if e.filling {
		return Left{}, errors.New("pipeline: the draft is not filled")
	}
	if _, err := e.step(length); err != nil {
		return Left{}, err
	}
	return Left{e.pending(), len(e.unlisted)}, nil
}

// Follow lets fn know, after each batch of records and before the next, which artifacts it changed; nil ends that.
func (e *Engine) Follow(fn func(ids []string)) {
	e.unitLock.Lock()
	defer e.unitLock.Unlock()
	e.follow = fn
}

func (e *Engine) told(ops []operation) {
	if e.follow == nil {
		return
	}
	var ids []string
	for i := range ops {
		if ops[i].refusal == nil {
			ids = append(ids, ops[i].item.ID)
		}
	}
	e.follow(ids)
}

var (
	// ErrRetired is returned by a state that another has taken over from.
	ErrRetired = errors.New("pipeline: another state serves now")
	// ErrUndecided is wrapped by an error after which it is not known which of two states serves.
	ErrUndecided = errors.New("it is not known which state serves")
)

// TakeOver makes a draft serve in place of the state that has served until now, which is retired. While no unit of either
// is at work, it mirrors the artifacts that last names, takes over what stands between that state and Kafka, in one commit, and
// then lets decide make it durable that the draft serves. When decide fails nothing has happened but to the draft, which is one still;
// after an error that wraps ErrUndecided neither of the two is of use any more, and the process must start again.
// The publisher may not acknowledge anything meanwhile.
//
// The lists of the draft are published after that, their changes counted from the lists in the store of the retired state,
// which must stay open until Republished.
func (e *Engine) TakeOver(from *Engine, last func() []string, decide func() error) error {
	from.unitLock.Lock()
	defer from.unitLock.Unlock()
	if from.failed != nil {
		return from.failed
	}
	if _, err := e.Mirror(from.store, last()); err != nil {
		return err
	}
	e.unitLock.Lock()
	defer e.unitLock.Unlock()
	if err := e.isDraft(); err != nil {
		return err
	}
	if e.filling {
		return errors.New("pipeline: the draft is not filled")
	}
	if err := e.takeOver(from); err != nil {
		e.failed = fmt.Errorf("pipeline: take over: %w", err)
		return e.failed
	}
	if err := decide(); err != nil {
		if errors.Is(err, ErrUndecided) {
			e.failed, from.failed = err, err
		}
		return err
	}
	from.failed, from.follow = ErrRetired, nil
	close(from.retired)
	e.previous, e.metrics, e.committed = from.store, from.metrics, from.committed
	e.draft.Store(false)
	e.origin.Store(nil)
	e.report()
	e.signal()
	return nil
}

func (e *Engine) takeOver(from *Engine) error {
	// A revision names an update: none is given twice.
	e.clock.revision = max(e.clock.revision, from.clock.revision)
	return from.store.View(func(r *graphstore.Reader) error {
		tx := e.store.Begin()
		defer tx.Discard()
		if err := tx.Adopt(r); err != nil {
			return err
		}
		if err := tx.PutMeta(clockKey, e.clock.marshal()); err != nil {
			return err
		}
		return tx.Commit()
	})
}

// SetPrevious gives a state that was opened with lists of a draft to be published the store of the state that it took over from;
// nil when it is of no more use.
func (e *Engine) SetPrevious(store *graphstore.Store) {
	e.unitLock.Lock()
	defer e.unitLock.Unlock()
	e.previous = store
}

// Republished is closed when all lists are published: the previous state is of no more use.
func (e *Engine) Republished() <-chan struct{} { return e.republished }

// republish publishes up to n of the lists that are not yet, and tells how many.
func (u *unit) republish(n int) (published int, err error) {
	if n == 0 || u.e.unpublished.len() == 0 {
		return 0, nil
	}
	for _, id := range u.e.unpublished.take(n, 0, 0) {
		if _, gone := u.departed[id]; gone {
			continue
		}
		l, err := u.listing(id)
		if err != nil {
			return 0, err
		}
		l.touched = true
		published++
	}
	return published, nil
}

// lastPublished are the lists that were published before those of the draft.
func (e *Engine) lastPublished(id string) (lists rerank.Lists, err error) {
	if e.previous == nil {
		return nil, nil
	}
	err = e.previous.View(func(r *graphstore.Reader) error {
		n, err := stored(r, id)
		if err != nil || n == nil {
			return err
		}
		b, err := r.Lists(n.ID)
		if err != nil || b == nil {
			return err
		}
		row, err := unmarshalRow(b)
		if err == nil {
			lists = row.lists
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("pipeline: lists of %q as last published: %w", id, err)
	}
	return lists, nil
}
