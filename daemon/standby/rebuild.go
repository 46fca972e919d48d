package standby

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kilim/graphstore"
)

// Rebuild makes the instance that serves anew from its own documents, by the model that it was made with, and has the new one
// serve. All that follows from documents is computed afresh, whatever the rows of the earlier instance say; the new one takes
// over outbox, offsets and numbers, which nothing can be computed from. Nothing else may be at work: neither Run nor a consumer.
//
// A crash leaves the earlier instance or the new one, as with Promote, and the next Rebuild goes on. The lists of the earlier
// instance are not trusted: what changes is counted from nothing, so each list is published once in whole.
//
// The obvious design, to mend each row that is found damaged, would need a second way to compute everything, run only after
// a damage that nobody foresaw.
func (m *Manager) Rebuild(ctx context.Context) error {
	if err := m.rebuild(ctx); err != nil {
		return fmt.Errorf("standby: make the state anew from its documents: %w", err)
	}
	return nil
}

func (m *Manager) rebuild(ctx context.Context) error {
	if err := m.dropPrevious(); err != nil {
		return err
	}
	if err := m.wantRebuild(); err != nil {
		return err
	}
	building, b := m.nextBuild(ctx)
	start := time.Now()
	err := b.run(ctx, building)
	b.cancel(nil)
	m.endBuild(ctx, b, err, time.Since(start))
	if err != nil {
		return err
	}
	return m.dropPrevious()
}

// wantRebuild writes into CURRENT that the model that serves is to have another instance.
func (m *Manager) wantRebuild() error {
	m.lock.Lock()
	defer m.lock.Unlock()
	c := m.cur
	if c.Next != nil {
		if c.Next.Epoch != c.Serving.Epoch {
			return errors.New("a state of another model is being made: start the daemon and let it finish, or promote the model that serves")
		}
		return nil
	}
	c.Next = &ID{Number: m.lastNumber + 1, Epoch: c.Serving.Epoch}
	if err := m.layout.remove(c.Next.Number); err != nil {
		return err
	}
	m.lastNumber = c.Next.Number
	return m.write(c)
}

// dropPrevious removes the instance that served before, if there is one.
func (m *Manager) dropPrevious() error {
	previous := m.previousStore()
	if previous == nil {
		return nil
	}
	m.Engine().SetPrevious(nil)
	return m.removePrevious(previous)
}

func (m *Manager) previousStore() *graphstore.Store {
	m.lock.Lock()
	defer m.lock.Unlock()
	return m.previous
}
