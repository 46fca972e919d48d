package standby

import (
	"context"
	"errors"

	"kilim/consumer"
	"kilim/consumer/profile"
	"kilim/daemon/pipeline"
)

// Apply implements consumer.Sink. No record stops the daemon: when a batch makes its unit of work fail or panic, the engine is
// replaced by one that knows nothing of it, and the batch is applied record by record; the one that fails again becomes a dead
// letter. A record that ended the process itself is found by the next starts, see suspicion.
//
// The obvious design, to let the process end and the next start read on, ends it again at the same record.
func (m *Manager) Apply(ctx context.Context, b *consumer.Batch) error {
	if m.suspicion.careful {
		if err := m.applyOneByOne(ctx, b, m.suspicion.begin); err != nil {
			return err
		}
		return m.suspicion.relax()
	}
	err := m.apply(ctx, b)
	if !errors.Is(err, pipeline.ErrUnit) {
		return err
	}
	m.log.Error("a batch can't be applied; it is applied record by record", "records", len(b.Items), "err", err)
	m.restartWorkers(m.serving.Load())
	return m.applyOneByOne(ctx, b, func(*consumer.Item) (*profile.Refusal, error) { return nil, nil })
}

// apply applies a batch to the engine that serves, once a build that is behind has copied enough.
func (m *Manager) apply(ctx context.Context, b *consumer.Batch) error {
	if build := m.building(); build != nil {
		if err := build.changes.wait(ctx, len(b.Items)); err != nil {
			return err
		}
	}
	for {
		// Standby.CutOver calls decide, which stores the standby in m.serving, before it lets any unit of the old engine
		// return ErrRetired; an engine whose unit failed gives the one that replaces it to Config.Replaced before it retires.
		// So after ErrRetired m.Engine() is another engine, and the batch, of which the old one has applied nothing, is its
		// to apply.
		if err := m.Engine().Apply(ctx, b); !errors.Is(err, pipeline.ErrRetired) {
			return err
		}
	}
}

// applyOneByOne applies the records of a batch that are not in the state yet, each in a unit of its own. before may refuse one.
func (m *Manager) applyOneByOne(ctx context.Context, b *consumer.Batch, before func(*consumer.Item) (*profile.Refusal, error)) error {
	for i := range b.Items {
		item := b.Items[i]
		stored, ok, err := m.StoredOffset(item.Topic, item.Partition)
		if err != nil {
			return err
		}
		if ok && item.Offset < stored.Next {
			continue // the unit that failed had been committed
		}
		if item.Refusal == nil {
			if item.Refusal, err = before(&item); err != nil {
				return err
			}
		}
		one := b.Part(i, i+1)
		one.Items = []consumer.Item{item} // with its refusal, which b does not get
		err = m.apply(ctx, one)
		if errors.Is(err, pipeline.ErrUnit) && item.Refusal == nil {
			m.log.Error("a record can't be applied; it goes to the dead letters", "topic", item.Topic, "partition", item.Partition, "offset", item.Offset, "err", err)
			m.restartWorkers(m.serving.Load())
			one.Items[0].Refusal = &profile.Refusal{Reason: profile.ReasonUnprocessable, Field: "record", Detail: err.Error()}
			err = m.apply(ctx, one)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
