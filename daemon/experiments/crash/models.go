package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"kilim/daemon/experiments/daemonproc"
	"kilim/daemon/pipeline"
	"kilim/learner/train/finetune"
	"kilim/learner/train/registry"
)

// The models between which the daemon is sent back and forth.
const (
	firstModel = 1
	otherModel = 2
)

// addModels gives a state folder, which is new, a second model.
func addModels(data string) error {
	models, err := registry.Open(filepath.Join(data, "models"), registry.Model{Seed: pipeline.Seed}, nil)
	if err != nil {
		return err
	}
	_, err = models.Add(registry.Model{Seed: pipeline.Seed + 1})
	return err
}

// promote asks for a model.
func (i *instance) promote(ctx context.Context, epoch int) error {
	return i.Post(ctx, fmt.Sprintf("/api/v1/models/%d/promote", epoch))
}

// How long a training may take to begin, as the daemon looks every five seconds whether one is due, and to end.
const (
	patienceToBegin = 8 * time.Second
	patienceToEnd   = 15 * time.Second
)

// training waits until a training is at work, if one becomes due in this life, and says when to kill the daemon: at a random
// moment of the training, or of what follows when it has ended.
func (k *killer) training(ctx context.Context, moment float64) (time.Duration, error) {
	atWork := func(l daemonproc.Look) bool {
		return l.Status != nil && l.Status.Training != nil && l.Status.Training.Phase != finetune.Idle
	}
	if !k.seen(ctx, patienceToBegin, atWork) {
		return 0, context.Cause(ctx) // nil: none is due, for another model is made, or there are too few artifacts
	}
	k.report.Trainings++
	toItsEnd := k.rng.IntN(3) > 0
	if toItsEnd && k.seen(ctx, patienceToEnd, func(l daemonproc.Look) bool { return l.Status != nil && !atWork(l) }) {
		k.report.Trained++
	}
	return time.Duration(moment * float64(k.span)), context.Cause(ctx)
}

// seen waits for a status, and tells whether it came.
func (k *killer) seen(ctx context.Context, patience time.Duration, wanted func(daemonproc.Look) bool) bool {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return k.instance.Watch(ctx, 20*time.Millisecond, wanted) == nil
}

// serves waits until a model serves and nothing is left of the way to it.
func (i *instance) serves(ctx context.Context, epoch int) error {
	var failed error
	err := daemonproc.Poll(ctx, 10*time.Millisecond, func() error {
		var m struct {
			Serving      int  `json:"serving"`
			Republishing bool `json:"republishing"`
			Next         *struct {
				Error string `json:"error"`
			} `json:"next"`
		}
		if _, err := i.Get(ctx, "/api/v1/models", &m); err != nil {
			return err
		}
		if m.Next != nil && m.Next.Error != "" {
			failed = fmt.Errorf("the way to epoch %d: %s", epoch, m.Next.Error)
			return nil
		}
		if m.Serving != epoch || m.Next != nil || m.Republishing {
			return fmt.Errorf("epoch %d serves, and epoch %d is awaited", m.Serving, epoch)
		}
		return nil
	})
	return errors.Join(err, failed)
}
