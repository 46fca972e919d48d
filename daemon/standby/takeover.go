package standby

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kilim/daemon/pipeline"
	"kilim/graphstore"
	"kilim/graphstore/atomicfile"
)

// takeOver lets the draft serve.
func (b *build) takeOver() error {
	k := b.k
	k.publishing.Lock()
	defer k.publishing.Unlock()
	start := time.Now()
	last := func() []string {
		ids, _ := b.take(1 << 30)
		return ids
	}
	if err := b.draft.engine.TakeOver(b.from.engine, last, b.decide); err != nil {
		return err
	}
	took := time.Since(start)
	k.metrics.tookOver(took)
	k.log.Info("a generation has taken over", "generation", b.id.Number, "epoch", b.id.Epoch, "ingest_waited", took)
	k.cfg.Committed() // the outbox is another's
	k.promoted(b.id.Epoch)
	return nil
}

// decide makes it durable that the draft serves.
func (b *build) decide() error {
	k := b.k
	k.lock.Lock()
	defer k.lock.Unlock()
	if k.cur.Next == nil || *k.cur.Next != b.id {
		return errAbandoned
	}
	c := current{Serving: b.id, Previous: &b.from.id}
	if err := k.layout.write(c); err != nil {
		if errors.Is(err, atomicfile.ErrUnsure) {
			err = fmt.Errorf("%w: %w", pipeline.ErrUndecided, err)
		}
		return err
	}
	k.cur, k.previous = c, b.from.store
	k.serving.Store(b.draft)
	return nil
}

// forget waits until the lists of what serves are published, and lets go of what served before. It returns false
// when ctx ended.
func (k *Keeper) forget(ctx context.Context) bool {
	k.lock.Lock()
	previous := k.previous
	k.lock.Unlock()
	if previous == nil {
		return true
	}
	engine := k.Engine()
	select {
	case <-ctx.Done():
		return false
	case <-engine.Republished():
	}
	engine.SetPrevious(nil)
	if err := k.drop(previous); err != nil {
		k.log.Warn("a generation that is of no more use can't be removed now; it will be at the next start", "err", err)
	}
	return true
}

// drop removes the previous generation.
func (k *Keeper) drop(previous *graphstore.Store) error {
	k.lock.Lock()
	k.previous = nil
	c := k.cur
	number := c.Previous.Number
	c.Previous = nil
	err := k.layout.write(c)
	if err == nil {
		k.cur = c
	}
	k.lock.Unlock()
	// A query may be on its way still: this waits for it.
	if err := errors.Join(err, previous.Close()); err != nil {
		return err
	}
	k.log.Info("all lists are published; the previous generation goes", "generation", number)
	return k.layout.remove(number)
}
