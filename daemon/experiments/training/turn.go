package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kilim/daemon/experiments/daemonproc"
)

// result is what one turn showed. CPU seconds and steps are those until the last record was fed.
type result struct {
	freshness
	seconds, cpu, steps float64
}

// turn feeds a file at a rate to a daemon that trains for a share of a core, or does not train.
func (e *experiment) turn(ctx context.Context, feed string, rate, share float64) (r result, err error) {
	// All that the state has is new to training: it is due at once.
	flags := []string{"--train.share", fmt.Sprint(share), "--train.least", "100", "--train.changes", "0.0001"}
	err = e.withCopy("turn", func(i *daemonproc.Instance) error {
		return while(ctx, i, flags, func(ctx context.Context) error {
			ready := i.Ready
			if share > 0 {
				ready = func(ctx context.Context) error { return until(ctx, i, training) }
			}
			if err := ready(ctx); err != nil {
				return err
			}
			return r.measure(ctx, i, feed, rate, share > 0)
		})
	})
	return r, err
}

func training(s *daemonproc.Status) bool {
	return s.Training != nil && s.Training.Phase == "training" && s.Training.Step > 0
}

func (r *result) measure(ctx context.Context, i *daemonproc.Instance, feed string, rate float64, trains bool) error {
	before, err := i.Metrics(ctx)
	if err != nil {
		return err
	}
	start := time.Now()
	if _, err := i.Feed(ctx, feed, rate); err != nil {
		return err
	}
	if trains {
		if err := stillTraining(ctx, i); err != nil {
			return err
		}
	}
	after, err := i.Metrics(ctx)
	if err != nil {
		return err
	}
	r.steps = after.Total("kilim_training_steps_total") - before.Total("kilim_training_steps_total")
	r.cpu = after.Total("process_cpu_seconds_total") - before.Total("process_cpu_seconds_total")
	if _, err := i.Settle(ctx); err != nil {
		return err
	}
	r.seconds = time.Since(start).Seconds()
	if after, err = i.Metrics(ctx); err != nil {
		return err
	}
	r.freshness, err = freshnessOf(after)
	return err
}

// stillTraining fails when training is over. Between two trainings the status may show none for a moment.
func stillTraining(ctx context.Context, i *daemonproc.Instance) error {
	at := time.Now()
	over := false
	err := until(ctx, i, func(s *daemonproc.Status) bool {
		over = !training(s) && time.Since(at) > time.Second
		return over || training(s)
	})
	if err == nil && over {
		return errors.New("training was at its end before the feed was: measure fewer artifacts, or have more before")
	}
	return err
}
