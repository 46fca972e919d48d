package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"kilim/daemon/experiments/daemonproc"
	"kilim/daemon/pipeline"
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
