package standby

import (
	"errors"
	"fmt"

	"kilim/learner/train/registry"
)

// Phases of what goes on beside serving. They are published: in HTTP answers, and as values of a metric's label.
const (
	PhaseWaiting      = "waiting"      // a build waits for the lists of the instance that serves to be published
	PhaseFilling      = "filling"      // the backfill: documents are copied
	PhaseCompleting   = "completing"   // the standby computes vectors and lists
	PhaseRepublishing = "republishing" // after a cutover, or Manager.Republish, the lists of the instance that serves are published
	PhaseFailed       = "failed"       // the build failed
)

// Making tells how far the state of another model is made.
type Making struct {
	Epoch uint32
	Phase string // PhaseWaiting, PhaseFilling, PhaseCompleting or PhaseFailed
	// Ratio is how much of the build is done, from 0 to 1, an estimate.
	Ratio float64
	// Error is why the build failed; it is tried again when Promote asks for it, and at the next start.
	Error string
}

// Status tells what serves and what is made.
type Status struct {
	Serving ID
	// Republishing: the lists of Serving are not all published yet.
	Republishing bool
	Next         *Making // nil: nothing is made
}

// Status tells what serves and what is made.
func (m *Manager) Status() Status {
	m.lock.Lock()
	defer m.lock.Unlock()
	s := Status{Serving: m.cur.Serving, Republishing: m.previous != nil || !m.Engine().AllPublished()}
	if m.cur.Next == nil {
		return s
	}
	s.Next = &Making{Epoch: m.cur.Next.Epoch, Phase: PhaseWaiting}
	switch {
	case m.buildErr != nil:
		s.Next.Phase, s.Next.Error = PhaseFailed, m.buildErr.Error()
	case m.build != nil:
		s.Next.Phase, s.Next.Ratio = m.build.progress()
	}
	return s
}

// Promote has the model of an epoch serve, as soon as a standby of it is built. A build for another epoch is abandoned; when
// the model serves already, that is all. Promote returns when CURRENT says so, which outlives a crash unless Promote returns an error. A rejected model is
// refused.
func (m *Manager) Promote(epoch uint32) error {
	model, err := m.cfg.Models.Get(epoch)
	if err != nil {
		return err
	}
	if model.State == registry.Rejected {
		return fmt.Errorf("standby: the model of epoch %d was rejected: %w", epoch, registry.ErrState)
	}
	if err := m.fits(model); err != nil {
		return err
	}
	if model.Adapted && model.State == registry.Candidate { // who asks for it by name has it without judgement
		if _, err := m.cfg.Models.SetState(epoch, registry.Evaluated, nil, ""); err != nil {
			return err
		}
	}
	return m.promote(epoch)
}

// Rollback is Promote for a model that has served before.
func (m *Manager) Rollback(epoch uint32) error {
	model, err := m.cfg.Models.Get(epoch)
	if err != nil {
		return err
	}
	if model.State != registry.Promoted {
		return fmt.Errorf("standby: the model of epoch %d is %s and has never served: %w", epoch, model.State, registry.ErrState)
	}
	if err := m.fits(model); err != nil {
		return err
	}
	return m.promote(epoch)
}

// fits refuses a model that is not for what is configured: the next start would replace it, and nothing could make the vectors of
// other encoders.
func (m *Manager) fits(model registry.Model) error {
	if err := m.cfg.Fitting.Fits(model); err != nil {
		return fmt.Errorf("standby: %w; a start with its settings has it serve again: %w", err, registry.ErrState)
	}
	return nil
}

func (m *Manager) promote(epoch uint32) error {
	m.lock.Lock()
	defer m.lock.Unlock()
	c := m.cur
	if c.Next != nil && c.Next.Epoch == epoch {
		m.buildErr = nil // the next build tries again what had failed
		m.signalWanted()
		return nil
	}
	if c.Next == nil && c.Serving.Epoch == epoch {
		return nil
	}
	abandoned := c.Next
	next := ID{Number: m.lastNumber + 1, Epoch: epoch}
	c.Next = nil
	if c.Serving.Epoch != epoch {
		if err := m.layout.remove(next.Number); err != nil {
			return fmt.Errorf("standby: %w", err)
		}
		c.Next, m.lastNumber = &next, next.Number
	}
	err := m.write(c)
	if err != nil {
		err = fmt.Errorf("standby: %w", err)
	}
	if !m.cur.equal(c) {
		return err
	}
	m.buildErr = nil
	if abandoned != nil {
		m.log.Info("the build of a standby is abandoned", "instance", abandoned.Number, "epoch", abandoned.Epoch)
		if m.build != nil {
			m.build.cancel(errAbandoned) // whereupon endBuild removes its folder
		} else if err := m.layout.remove(abandoned.Number); err != nil {
			m.log.Warn("an abandoned standby can't be removed now; it will be at the next start", "instance", abandoned.Number, "err", err)
		}
	}
	m.signalWanted()
	return err
}

var errAbandoned = errors.New("standby: abandoned")
