package app

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"kilim/daemon/config"
	"kilim/daemon/pipeline"
	"kilim/learner/encode"
	"kilim/learner/model"
	"kilim/learner/train/adapt"
	"kilim/learner/train/dataset"
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
	room := f.cfg.Memory.Budget().Training
	cfg, err := training(&f.cfg.Train, room)
	if err != nil {
		return cfg, err
	}
	// What losses behind the branches take is not there for the snapshot.
	shape := f.Shape.Shape()
	branches := cfg.Settings(f.cfg.Train.Artifacts, shape.Layers, cfg.Seed).BranchMemory(shape)
	limit := (room - branches) / dataset.RoomPerArtifact
	if limit < finetune.MinArtifacts {
		return cfg, fmt.Errorf("train.branch-weight: what it adds to a training takes %d MiB, and memory.limit leaves %d MiB for a snapshot with it: want a shorter train.queue, a smaller model.width, a higher memory.limit, or 0",
			branches>>20, room>>20)
	}
	cfg.Limit = min(cfg.Limit, int(limit))
	options := f.Options()
	cfg.Begin, cfg.Options = f.Begin, &options
	return cfg, nil
}

// archive is what a training reads of an engine: with media as nodes if a model is to learn from them, whatever serves.
func (f fitting) archive(e *pipeline.Engine) pipeline.Archive {
	if f.Options().Media == model.MediaNodes {
		return e.Archive().WithMediaNodes()
	}
	return e.Archive()
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
