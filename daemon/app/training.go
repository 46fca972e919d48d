package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/daemon/config"
	"kilim/daemon/standby"
	"kilim/learner/train"
	"kilim/learner/train/dataset"
	"kilim/learner/train/eval"
	"kilim/learner/train/finetune"
	"kilim/learner/train/gate"
	"kilim/learner/train/registry"
)

// training gives the settings of a training or of a judgement, whatever the model's shape, whose snapshot may take so many bytes.
func training(c *config.Train, room int64) (finetune.Config, error) {
	cfg := finetune.Config{Share: c.Share, Limit: min(c.Artifacts, int(room/dataset.RoomPerArtifact)), Seed: uint64(c.Seed)}
	stages, err := train.ParseStages(c.Stages)
	if err != nil {
		return cfg, fmt.Errorf("train.stages: %w", err)
	}
	cfg.Settings = func(n, layers int, seed uint64) train.Config {
		s := train.Defaults(layers)
		s.Stages, s.WarmUp, s.Patience, s.Held = stages, c.WarmUp, c.Patience, c.Hold
		s.BranchWeight, s.MoCo.Prototypes.Weight = c.Branches, c.Cultures
		s.Negatives = train.Negatives{Hard: c.Hardness, Beyond: c.HardBeyond}
		m, t := &s.MoCo, &c.Temperature
		m.Queue, m.Momentum, m.Decay = c.Queue, c.Momentum, c.Decay
		m.Temperature, m.Coldest, m.Hottest, m.LearnTemperature = t.Start, t.Least, t.Most, !t.Fixed
		return finetune.Fit(s, n, seed)
	}
	if c.Truth == "" {
		return cfg, nil
	}
	f, err := os.Open(c.Truth)
	if err != nil {
		return cfg, fmt.Errorf("train.truth: %w", err)
	}
	defer f.Close()
	if cfg.Truth, err = eval.Read(f); err != nil {
		return cfg, fmt.Errorf("train.truth: %s: %w", c.Truth, err)
	}
	return cfg, nil
}

// startTraining makes the scheduler, which trains in the background, unless train.share is 0. Its metrics exist in any case: an
// alert can't tell a missing series from none.
func (a *App) startTraining(_ context.Context, reg *prometheus.Registry) error {
	metrics := finetune.NewMetrics(reg)
	c := &a.cfg.Train
	if c.Share == 0 {
		return nil
	}
	fitting := newFitting(a.cfg, a.encoders, a.models, a.log)
	cfg, err := fitting.training()
	if err != nil {
		return err
	}
	triggers := finetune.Triggers{Changes: c.Changes, Interval: c.Every, Drift: c.Drift, MinArtifacts: c.Least}
	a.scheduler = finetune.New(cfg, triggers, teaching{served{a.manager}, fitting}, a.models, metrics, a.log.With("part", "training"))
	a.parts = append(a.parts, part{"training", a.scheduler.Run})
	return nil
}

// served shows the scheduler what serves.
type served struct{ *standby.Manager }

func (s served) Archive() finetune.Archive { return s.Engine().Archive() }

func (s served) Serving() (epoch uint32, replaced bool) {
	now := s.Status()
	return now.Serving.Epoch, now.Next != nil
}

// teaching shows it as the model is to learn from it that is configured.
type teaching struct {
	served
	fitting fitting
}

func (t teaching) Archive() finetune.Archive { return t.fitting.archive(t.Engine()) }

// Progress has the functions that an offline training tells how it goes on.
type Progress struct {
	Phase func(phase string)
	Step  func(train.Progress)
	// Making is told how far the state of the new model is, from 0 to 1.
	Making func(ratio float64)
}

// Trained is what came of a training.
type Trained struct {
	Model registry.Model
	Table *gate.Table
	// Serves: the model has passed the gate, and serves.
	Serves bool
}

// Train trains a candidate on a state folder that no daemon has open, with all processors, and has it serve if it passes the
// gate. When ctx ends, the next Train or daemon goes on from where it was.
func Train(ctx context.Context, cfg *config.Config, version string, log *slog.Logger, progress Progress) (out Trained, err error) {
	down := teardown{log: log}
	defer func() { err = errors.Join(err, down.run()) }()
	manager, fitting, err := openManager(cfg, version, &down, log)
	if err != nil {
		return out, err
	}
	models := fitting.Models
	settings, err := fitting.training()
	if err != nil {
		return out, err
	}
	settings.Share, settings.Threads = 1, runtime.GOMAXPROCS(0)
	settings.Phase, settings.Step, settings.Log = progress.Phase, progress.Step, log
	if err := findPassed(manager, models, &out); err != nil {
		return out, err
	}
	if out.Table == nil {
		parent := manager.Engine().Archive().Epoch()
		if out.Model, out.Table, err = finetune.Run(ctx, settings, fitting.archive(manager.Engine()), parent, models); err != nil || !out.Table.Promote {
			return out, err
		}
	}
	if err := manager.Promote(out.Model.Epoch); err != nil {
		return out, err
	}
	if err := makeServe(ctx, manager, out.Model.Epoch, progress.Making); err != nil {
		return out, err
	}
	out.Serves = true
	out.Model, err = models.Get(out.Model.Epoch)
	return out, err
}

// findPassed gives out a model that passed the gate before an interruption and does not serve yet, if there is one. It is an
// error when a daemon must first finish another cutover, or the publishing of the lists after one.
func findPassed(manager *standby.Manager, models *registry.Registry, out *Trained) error {
	s := manager.Status()
	m, ok := finetune.PendingPromotion(models, s.Serving.Epoch)
	switch {
	case s.Republishing:
		return errors.New("the lists of the state that serves are not all published: let the daemon finish that first")
	case s.Next != nil && (!ok || s.Next.Epoch != m.Epoch):
		return fmt.Errorf("a state for the model of epoch %d, or for other encoders, is being made: let the daemon finish that first", s.Next.Epoch)
	case !ok:
		return nil
	}
	out.Model, out.Table = m, new(gate.Table)
	if err := json.Unmarshal(m.Metrics, out.Table); err != nil {
		return fmt.Errorf("table of epoch %d: %w", m.Epoch, err)
	}
	return nil
}

// openManager opens the state in a folder that no daemon has open. What is in its outbox is left to the next daemon.
func openManager(cfg *config.Config, version string, down *teardown, log *slog.Logger) (*standby.Manager, fitting, error) {
	reg := prometheus.NewRegistry()
	settings, encoders, err := offlineConfig(cfg, reg, log)
	if err != nil {
		return nil, fitting{}, err
	}
	encoding, err := newEncoding(cfg, encoders, version, reg, down, log)
	if err != nil {
		return nil, fitting{}, err
	}
	settings.Workers = encoding.run // so that media the last daemon could not encode are tried again
	manager, err := standby.Open(settings)
	if err != nil {
		return nil, fitting{}, err
	}
	down.add("state", manager.Close)
	return manager, newFitting(cfg, encoders, settings.Models, log), nil
}

const makingEvery = 100 * time.Millisecond

// makeServe runs a manager until the model of an epoch serves, after manager.Promote was asked for it.
func makeServe(ctx context.Context, manager *standby.Manager, epoch uint32, progress func(ratio float64)) error {
	working, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- manager.Run(working) }()
	tick := time.NewTicker(makingEvery)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			if err == nil {
				err = ctx.Err()
			}
			return err
		case <-tick.C:
		}
		s := manager.Status()
		switch {
		case s.Serving.Epoch == epoch:
			stop()
			return <-ended
		case s.Next == nil:
			stop()
			return errors.Join(fmt.Errorf("epoch %d was to serve, and nothing is made", epoch), <-ended)
		case s.Next.Phase == standby.PhaseFailed:
			stop()
			return errors.Join(errors.New(s.Next.Error), <-ended)
		}
		if progress != nil {
			progress(s.Next.Ratio)
		}
	}
}
