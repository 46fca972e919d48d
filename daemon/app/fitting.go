package app

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"kilim/daemon/config"
	"kilim/daemon/pipeline"
	"kilim/learner/encode"
	"kilim/learner/train/adapt"
	"kilim/learner/train/finetune"
	"kilim/learner/train/registry"
)

// fitting is standby.Config.Fitting: models are for what is configured, and those that were adapted to it are judged as
// trained ones are, but that they need not be better than what serves.
type fitting struct {
	*adapt.Adapter
	cfg *config.Config
	log *slog.Logger
}

func newFitting(cfg *config.Config, encoders encode.Encoders, models *registry.Registry, log *slog.Logger) fitting {
	_, shape := pipeline.Sizes(encoders)
	return fitting{&adapt.Adapter{
		Models: models, Shape: shape.With(cfg.Model.Options()), Encoders: encoders.Identities(), Dropout: cfg.Train.Dropout, Unnamed: shape.Shape().Options(),
	}, cfg, log}
}

// training gives the settings of a training, of the daemon's scheduler or of Train.
func (f fitting) training() (finetune.Config, error) {
	cfg, err := training(&f.cfg.Train, f.cfg.Memory.Budget().Training)
	options := f.Options()
	cfg.Begin, cfg.Options = f.Begin, &options
	return cfg, err
}

// Judge implements standby.Fitting.
func (f fitting) Judge(ctx context.Context, m registry.Model, serving, standby *pipeline.Engine) error {
	judging, err := training(&f.cfg.Train, f.cfg.Memory.Budget().Training)
	if err != nil {
		return err
	}
	table, err := finetune.Judge(ctx, judging, serving.Archive(), standby.Archive())
	if err != nil {
		return err
	}
	raw, err := json.Marshal(table)
	if err != nil {
		return err
	}
	if !table.Promote {
		if _, err := f.Models.SetState(m.Epoch, registry.Candidate, raw, table.Reason); err != nil {
			return err
		}
		return fmt.Errorf("the model of epoch %[1]d, made of epoch %[2]d for what is configured, is %[3]s. Epoch %[2]d serves on with what it was made with, and media that come wait. "+
			"See \"kilim model show %[1]d\"; \"kilim model promote %[1]d\" has it serve all the same, and it is trained then", m.Epoch, m.Parent, table.Reason)
	}
	f.log.Info("a model that was made for what is configured may serve", "epoch", m.Epoch, "reason", table.Reason)
	_, err = f.Models.SetState(m.Epoch, registry.Evaluated, raw, "")
	return err
}
