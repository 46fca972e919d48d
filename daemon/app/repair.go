package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/daemon/config"
	"kilim/daemon/pipeline"
	"kilim/daemon/standby"
	"kilim/learner/encode/feature"
	"kilim/learner/train/registry"
)

// Repair makes the state in a folder that no daemon has open anew from its own documents, with the model, the encoders and the
// settings that it was made with. It leaves out artifacts whose documents are damaged, publishes that they are gone, and tells
// them: nobody knows any more what they said, and their next records bring them back. When Repair fails the state is what it was.
func Repair(ctx context.Context, cfg *config.Config, log *slog.Logger, tell func(string)) (err error) {
	down := teardown{log: log}
	defer func() { err = errors.Join(err, down.run()) }()
	instances, err := repairConfig(cfg, log)
	if err != nil {
		return err
	}
	manager, err := standby.Open(instances)
	if err != nil {
		return err
	}
	down.add("state", manager.Close)
	lost, err := manager.Engine().BuryDamaged(time.Now())
	if err != nil {
		return err
	}
	for _, id := range lost {
		tell(fmt.Sprintf("artifact %q: its document is damaged, so it is deleted; feed its record again", id))
	}
	return manager.Rebuild(ctx)
}

// repairConfig has the standby made by what the instance that serves was made by, and not by this process' flags.
func repairConfig(cfg *config.Config, log *slog.Logger) (standby.Config, error) {
	instances, _, err := offlineConfig(cfg, prometheus.NewRegistry(), log)
	if err != nil {
		return instances, err
	}
	asMade(&instances)
	engine, done, err := standby.OpenServing(instances)
	if err != nil {
		return instances, err
	}
	encoders, kept := engine.Media().Encoders().Identities(), engine.Settings()
	if err := done(); err != nil {
		return instances, err
	}
	configured := instances.Pipeline
	instances.Pipeline = func(m registry.Model, made map[string]feature.Identity) (pipeline.Config, error) {
		if made == nil {
			made = encoders
		}
		c, err := configured(m, made)
		c.Settings = kept
		return c, err
	}
	return instances, nil
}
