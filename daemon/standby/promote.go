package standby

import (
	"errors"
	"fmt"

	"kilim/learner/train/registry"
)

// Phases of what is going on beside serving.
const (
	PhaseWaiting      = "waiting"      // for the lists of the present generation to be published
	PhaseFilling      = "filling"      // documents are taken over
	PhaseCompleting   = "completing"   // vectors and lists are computed
	PhaseRepublishing = "republishing" // the lists of a generation that has taken over are published
	PhaseFailed       = "failed"
)

// Making is the making of a state of another model.
type Making struct {
	Epoch uint32
	Phase string // PhaseWaiting, PhaseFilling, PhaseCompleting or PhaseFailed
	// Ratio is from 0 to 1, an estimate.
	Ratio float64
	// Error is why it failed; it is tried again when asked for, and at the next start.
	Error string
}

// Status is what serves and what is made.
type Status struct {
	Serving ID
	// Republishing: the lists of Serving are not all published yet.
	Republishing bool
	Next         *Making // nil: nothing is made
}

// Status tells what serves and what is made.
func (k *Keeper) Status() Status {
	k.lock.Lock()
	defer k.lock.Unlock()
	s := Status{Serving: k.cur.Serving, Republishing: k.previous != nil}
	if k.cur.Next == nil {
		return s
	}
	s.Next = &Making{Epoch: k.cur.Next.Epoch, Phase: PhaseWaiting}
	switch {
	case k.failed != nil:
		s.Next.Phase, s.Next.Error = PhaseFailed, k.failed.Error()
	case k.build != nil:
		s.Next.Phase, s.Next.Ratio = k.build.progress()
	}
	return s
}

// Promote has the model of an epoch serve, as soon as its generation is made. Another that was to be made is
// abandoned; so is one when the epoch serves already. It returns when that is written down, which outlives a crash.
// A rejected model is refused.
func (k *Keeper) Promote(epoch uint32) error {
	m, err := k.cfg.Models.Get(epoch)
	if err != nil {
		return err
	}
	if m.State == registry.Rejected {
		return fmt.Errorf("standby: the model of epoch %d was rejected: %w", epoch, registry.ErrState)
	}
	return k.promote(epoch)
}

// Rollback is Promote for a model that has served before.
func (k *Keeper) Rollback(epoch uint32) error {
	m, err := k.cfg.Models.Get(epoch)
	if err != nil {
		return err
	}
	if m.State != registry.Promoted {
		return fmt.Errorf("standby: the model of epoch %d is %s and has never served: %w", epoch, m.State, registry.ErrState)
	}
	return k.promote(epoch)
}

func (k *Keeper) promote(epoch uint32) error {
	k.lock.Lock()
	defer k.lock.Unlock()
	c := k.cur
	if c.Next != nil && c.Next.Epoch == epoch {
		k.failed = nil // another try, if it had failed
		k.signal()
		return nil
	}
	if c.Next == nil && c.Serving.Epoch == epoch {
		return nil
	}
	given := c.Next
	next := ID{Number: k.numbered + 1, Epoch: epoch}
	c.Next = nil
	if c.Serving.Epoch != epoch {
		if err := k.layout.remove(next.Number); err != nil {
			return fmt.Errorf("standby: %w", err)
		}
		c.Next, k.numbered = &next, next.Number
	}
	if err := k.layout.write(c); err != nil {
		return fmt.Errorf("standby: %w", err)
	}
	k.cur, k.failed = c, nil
	if given != nil {
		k.log.Info("the making of a generation is abandoned", "generation", given.Number, "epoch", given.Epoch)
		if k.build != nil {
			k.build.cancel(errAbandoned) // which removes its folder
		} else if err := k.layout.remove(given.Number); err != nil {
			k.log.Warn("an abandoned generation can't be removed now; it will be at the next start", "generation", given.Number, "err", err)
		}
	}
	k.signal()
	return nil
}

var errAbandoned = errors.New("standby: abandoned")
