package app

import (
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// teardown undoes a start, last in first out.
type teardown struct {
	log   *slog.Logger
	steps []step
}

type step struct {
	name string
	stop func() error
}

func (t *teardown) add(name string, stop func() error) {
	t.steps = append(t.steps, step{name, stop})
}

// run stops everything, also after a step failed, and may be called again.
func (t *teardown) run() error {
	var errs []error
	for len(t.steps) > 0 {
		s := t.steps[len(t.steps)-1]
		t.steps = t.steps[:len(t.steps)-1]
		start := time.Now()
		if err := s.stop(); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", s.name, err))
		}
		t.log.Debug("stopped", "part", s.name, "took", time.Since(start))
	}
	return errors.Join(errs...)
}
