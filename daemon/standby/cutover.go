package standby

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"kilim/daemon/pipeline"
	"kilim/graphstore"
	"kilim/internal/atomicfile"
)

// cutOver makes the standby serve. It holds publishing for writing, since Engine.CutOver takes the outbox as it is: an entry
// that the publisher acknowledged in the old store meanwhile would stay in the new one.
func (b *build) cutOver() error {
	m := b.manager
	m.publishing.Lock()
	defer m.publishing.Unlock()
	start := time.Now()
	last := func() []string {
		ids, _ := b.changes.take(math.MaxInt)
		return ids
	}
	for {
		from := b.from.engine.Load()
		err := b.standby.engine.Load().Standby().CutOver(from, last, b.decide)
		if err == nil {
			break
		}
		if !errors.Is(err, pipeline.ErrRetired) || from == b.from.engine.Load() {
			return err
		}
	}
	took := time.Since(start)
	m.metrics.observeCutOver(took)
	m.log.Info("cut over to another instance", "instance", b.id.Number, "epoch", b.id.Epoch, "ingest_waited", took)
	m.cfg.Committed() // wakes the publisher, which must look into the outbox of another store now
	m.recordPromoted(b.id.Epoch)
	return nil
}

// decide makes it durable that the standby serves. It stores the standby in Manager.serving before it returns, and with it
// before Engine.CutOver retires the old engine: Manager.Apply relies on that order.
func (b *build) decide() error {
	m := b.manager
	m.lock.Lock()
	defer m.lock.Unlock()
	if m.cur.Next == nil || *m.cur.Next != b.id {
		return errAbandoned
	}
	c := current{Serving: b.id, Previous: &b.from.id}
	if err := m.layout.write(c); err != nil {
		if errors.Is(err, atomicfile.ErrUnsure) {
			err = fmt.Errorf("%w: %w", pipeline.ErrUndecided, err)
		}
		return err
	}
	m.cur, m.previous = c, b.from.store
	m.serving.Store(b.standby)
	return nil
}

// retirePrevious waits until the lists of the instance that serves are published, and then removes the instance that served
// before, which held the lists published until then. It returns false when ctx ended.
func (m *Manager) retirePrevious(ctx context.Context) bool {
	previous := m.previousStore()
	if previous == nil {
		return true
	}
	engine := m.Engine()
	select {
	case <-ctx.Done():
		return false
	case <-engine.Republished(): // an engine that replaces this one closes the same channel
	}
	m.Engine().SetPrevious(nil)
	if err := m.removePrevious(previous); err != nil {
		m.log.Warn("an instance that is of no more use can't be removed now; it will be at the next start", "err", err)
	}
	return true
}

// removePrevious takes the previous instance out of CURRENT first and then removes its folder: a folder that CURRENT named
// and that were gone would keep Open from opening the state.
func (m *Manager) removePrevious(previous *graphstore.Store) error {
	m.lock.Lock()
	m.previous = nil
	c := m.cur
	number := c.Previous.Number
	c.Previous = nil
	err := m.write(c)
	m.lock.Unlock()
	// A query that got the old Engine before the cutover may be reading the store still: Close waits for it.
	if err := errors.Join(err, previous.Close()); err != nil {
		return err
	}
	m.log.Info("all lists are published; the previous instance is removed", "instance", number)
	return m.layout.remove(number)
}
