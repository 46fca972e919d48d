package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"kilim/daemon/pipeline"
	"kilim/daemon/web"
	"kilim/learner/train/registry"
)

// The models between which the daemon is sent back and forth.
const (
	firstModel = 1
	otherModel = 2
)

// addModels gives the folder, which is new, a second model.
func (s *site) addModels() error {
	models, err := registry.Open(filepath.Join(s.data, "models"), registry.Model{Seed: pipeline.Seed}, nil)
	if err != nil {
		return err
	}
	_, err = models.Add(registry.Model{Seed: pipeline.Seed + 1})
	return err
}

// promote asks for a model.
func (s *site) promote(ctx context.Context, epoch int) error {
	target := fmt.Sprintf("http://%s/api/v1/models/%d/promote", s.http, epoch)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusAccepted {
		return fmt.Errorf("promote epoch %d: %s", epoch, res.Status)
	}
	return nil
}

// serves waits until a model serves and nothing is left of the way to it.
func (s *site) serves(ctx context.Context, epoch uint32, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		var m web.Models
		if _, err := s.get(ctx, "/api/v1/models", &m); err != nil {
			return err
		}
		switch {
		case m.Next != nil && m.Next.Error != "":
			return errors.New(m.Next.Error)
		case m.Serving == epoch && m.Next == nil && !m.Republishing:
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("epoch %d serves, and epoch %d is awaited: %w", m.Serving, epoch, ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
}
