package pipeline

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"kilim/consumer"
	"kilim/consumer/profile"
	"kilim/graphstore"
	"kilim/rerank"
)

// A standby is a state of another model (or of other encoders), made beside the state that serves from its documents.
// First comes the backfill: CopyFrom takes the documents over and computes no list, for each artifact changes those of
// all others. After EndBackfill, Step computes the lists, while CopyFrom follows what changes. No list of a standby is
// published: the revision in its row is 0. CutOver takes the outbox and the offsets of the state that served; after it
// the lists are published in the background, their changes counted from the lists of that state.

// Standby is an Engine that does not serve yet.
type Standby struct{ e *Engine }

// Standby is the engine while it does not serve: it must have been opened with Config.Standby, and what Standby offers is refused
// after CutOver.
func (e *Engine) Standby() *Standby { return &Standby{e} }

// CopyFrom makes the named artifacts of a standby what they are in another store, in one commit. Those that are
// the same already are left alone, and an id may come twice. It returns the number of those that were not the same.
//
// Documents and the rows about their media are read from one state of the other store: rows of a later one would tell of
// other bytes behind the same URI, and be believed as long as the document has that URI.
//
// An artifact whose document is damaged there is left out, for nobody knows what it said, and so is one that can't be used with what the
// standby is made by: with CutOver it is gone, and its next record brings it back, or is a dead letter. To fail would let one flipped
// bit, or one record, keep a whole archive from another model.
func (s *Standby) CopyFrom(from *graphstore.Store, ids []string) (copied int, err error) {
	err = from.View(func(theirs *graphstore.Reader) error {
		items, damaged, err := differing(theirs, s.e.store, ids)
		if err != nil {
			return err
		}
		for _, id := range ids {
			delete(s.e.role.leftOut, id)
		}
		for id, fault := range damaged {
			s.leaveOut(id, fault)
		}
		if len(items) == 0 {
			return nil
		}
		ops := s.extractStored(items)
		copied = len(ops)
		return s.copyFrom(from, theirs, ops)
	})
	return copied, err
}

// copyFrom carries operations out that make artifacts what they are in theirs, a state of from.
func (s *Standby) copyFrom(from *graphstore.Store, theirs *graphstore.Reader, ops []operation) error {
	e := s.e
	e.unitLock.Lock()
	defer e.unitLock.Unlock()
	if err := s.required(); err != nil {
		return err
	}
	e.role.origin.Store(from)
	if err := s.copyArtifacts(ops, theirs); err != nil {
		e.failed = fmt.Errorf("pipeline: copy %d artifacts: %w", len(ops), err)
		return e.failed
	}
	return nil
}

// differing reads what is not the same in theirs and in a store, as records that would make it so there. What is damaged in theirs
// counts as not there.
func differing(theirs *graphstore.Reader, to *graphstore.Store, ids []string) (items []consumer.Item, damaged map[string]error, err error) {
	damaged = map[string]error{}
	err = to.View(func(ours *graphstore.Reader) error {
		seen := make(map[string]bool, len(ids))
		for _, id := range ids {
			if seen[id] {
				continue
			}
			seen[id] = true
			want, err := theirs.Artifact(id)
			if errors.Is(err, graphstore.ErrDamaged) {
				damaged[id], err = err, nil
			}
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
			case want != nil && have != nil && want.Timestamp.Equal(have.Timestamp) && bytes.Equal(want.Raw, have.Raw) && want.Topic == have.Topic && want.Partition == have.Partition:
				continue
			case want != nil:
				item.Time, item.Value = want.Timestamp, want.Raw
				item.Topic, item.Partition = want.Topic, want.Partition
			}
			items = append(items, item)
		}
		return nil
	})
	return items, damaged, err
}

// extractStored prepares records of what is stored.
func (s *Standby) extractStored(items []consumer.Item) []operation {
	ops := make([]operation, len(items))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range items {
		g.Go(func() error {
			item := &items[i]
			if item.Value != nil {
				var err error
				if item.Artifact, err = profile.Parse(item.Value, item.ID, profile.Stored()); err != nil && !errors.As(err, &item.Refusal) {
					item.Refusal = &profile.Refusal{Reason: profile.ReasonUnprocessable, Field: "record", Detail: err.Error()}
				}
			}
			ops[i] = newPreparer(s.e).one(item)
			return nil
		})
	}
	_ = g.Wait() // the functions return nil
	return ops
}

// leaveOut notes that a standby does not have an artifact, and why.
func (s *Standby) leaveOut(id string, why error) {
	s.e.role.leftOut[id] = true
	s.e.log.Error("an artifact can't be taken over: the state that is being made is made without it", "artifact", id, "err", why)
}

// required wants the unit lock.
func (s *Standby) required() error {
	if s.e.failed != nil {
		return s.e.failed
	}
	if !s.e.role.standby() {
		return errors.New("pipeline: the state is not a standby")
	}
	return nil
}

// requiredBackfilled wants the unit lock.
func (s *Standby) requiredBackfilled() error {
	if err := s.required(); err != nil {
		return err
	}
	if s.e.role.is(backfilling) {
		return errors.New("pipeline: the backfill of the standby has not ended")
	}
	return nil
}

func (s *Standby) copyArtifacts(ops []operation, from *graphstore.Reader) error {
	e := s.e
	u := e.begin(from)
	defer u.tx.Discard()
	for i := range ops {
		op := &ops[i]
		var err error
		if op.refusal == nil {
			op.refusal, err = u.admit(op)
		}
		switch {
		case err != nil:
		case op.refusal != nil:
			s.leaveOut(op.item.ID, op.refusal)
			op.node = graphstore.ID(graphstore.Artifact, op.item.ID)
			err = u.remove(op)
		case op.extracted == nil:
			err = u.remove(op)
		default:
			err = u.put(op)
		}
		if err != nil {
			return fmt.Errorf("artifact %q: %w", op.item.ID, err)
		}
	}
	if err := u.attachArrivals(); err != nil {
		return err
	}
	share := 0 // what is pushed during the backfill may as well wait for the last push
	if e.role.is(completing) {
		share = min(e.cfg.Budget, len(ops))
	}
	return u.complete(budget{pushed: share, ranked: share}, nil)
}

// EndBackfill ends a standby's backfill: from now on it has lists.
func (s *Standby) EndBackfill() error {
	e := s.e
	e.unitLock.Lock()
	defer e.unitLock.Unlock()
	if err := s.required(); err != nil || !e.role.is(backfilling) {
		return err
	}
	tx := e.store.Begin()
	defer tx.Discard()
	if err := tx.PutMeta(backfillKey, nil); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	e.role.backfilledAt = e.clock.Arrivals
	e.role.set(completing)
	return nil
}

// Left is what a standby has still to do: things that wait for the background, and artifacts of which
// no list was ever computed.
type Left struct{ Pending, Unlisted int }

// Step does one unit of a standby's background work after EndBackfill, of about the given length.
func (s *Standby) Step(length time.Duration) (Left, error) {
	e := s.e
	e.unitLock.Lock()
	defer e.unitLock.Unlock()
	if err := s.requiredBackfilled(); err != nil {
		return Left{}, err
	}
	if _, err := e.step(length); err != nil {
		return Left{}, err
	}
	return Left{e.pending(), e.lists.Unlisted()}, nil
}

var (
	// ErrRetired is returned by a state once another was cut over to.
	ErrRetired = errors.New("pipeline: another state serves now")
	// ErrUndecided is wrapped by an error after which it is not known which of two states serves.
	ErrUndecided = errors.New("it is not known which state serves")
)

// CutOver makes a standby serve in place of from, the state that has served until now, which is retired. While no unit of
// either is at work, it copies the artifacts that last names, takes the outbox, offsets and numbering of from, in one commit,
// and then calls decide, which makes it durable that the standby serves. When decide fails, from serves on and the standby is
// one still; after an error that wraps ErrUndecided neither of the two is of use any more, and the process must start again.
// The publisher may not acknowledge anything meanwhile.
//
// The lists of the standby are published after that, their changes counted from the lists in the store of the retired state,
// which must stay open until Republished.
func (s *Standby) CutOver(from *Engine, last func() []string, decide func() error) error {
	e := s.e
	from.unitLock.Lock()
	defer from.unitLock.Unlock()
	if from.failed != nil {
		return from.failed
	}
	if _, err := s.CopyFrom(from.store, last()); err != nil {
		return err
	}
	e.unitLock.Lock()
	defer e.unitLock.Unlock()
	if err := s.requiredBackfilled(); err != nil {
		return err
	}
	if err := s.takeOutbox(from); err != nil {
		e.failed = fmt.Errorf("pipeline: cut over: %w", err)
		return e.failed
	}
	// Batches may come to the standby from within decide on: what Apply reads without the unit lock must be there before.
	metrics, committed := e.metrics, e.committed
	e.metrics, e.committed = from.metrics, from.committed
	if err := decide(); err != nil {
		e.metrics, e.committed = metrics, committed
		if errors.Is(err, ErrUndecided) {
			e.failed, from.failed = err, err
		}
		return err
	}
	from.retire()
	e.role.previous = from.store
	e.role.set(serving)
	e.role.origin.Store(nil)
	e.report()
	e.turns.Work.Broadcast()
	return nil
}

// buryLeftOut puts into the outbox that the artifacts are gone which CopyFrom has left out.
func (s *Standby) buryLeftOut(tx *graphstore.Tx) error {
	e := s.e
	if len(e.role.leftOut) > 0 {
		e.clock.Revision++ // which no message has
	}
	for _, id := range slices.Sorted(maps.Keys(e.role.leftOut)) {
		if _, err := tx.Enqueue(rerank.EncodeTombstone(id, e.clock.Revision, time.Time{})); err != nil {
			return err
		}
	}
	return nil
}

func (s *Standby) takeOutbox(from *Engine) error {
	e := s.e
	// A revision names an update: none is given twice.
	e.clock.Succeed(&from.clock)
	return from.store.View(func(r *graphstore.Reader) error {
		tx := e.store.Begin()
		defer tx.Discard()
		if err := tx.TakeOutbox(r); err != nil {
			return err
		}
		if err := s.buryLeftOut(tx); err != nil {
			return err
		}
		if err := e.clock.Put(tx); err != nil {
			return err
		}
		return tx.Commit()
	})
}
