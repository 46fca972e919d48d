package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/consumer"
	"kilim/daemon/config"
	"kilim/daemon/pipeline"
	"kilim/daemon/standby"
	"kilim/daemon/themes"
	"kilim/learner/encode"
	"kilim/learner/encode/feature"
	"kilim/learner/encode/remote"
	"kilim/learner/train/eval"
	"kilim/learner/train/registry"
)

// Check verifies a whole state folder that no daemon has open, and tells each fault, and what waits for a daemon's background:
// lists and vectors that are stale, or that other settings made, lists to be published, those in the order of another ranker too, lists of themes and of standing queries that name what is gone, and
// cells of maps that are to be told. It returns an error when it could not verify.
func Check(cfg *config.Config, log *slog.Logger, fault func(string)) (waiting int, err error) {
	err = offline(cfg, log, func(e *pipeline.Engine) error {
		if err := keptOrder(cfg, e); err != nil {
			return err
		}
		waiting = e.Status().RefreshQueue
		if err := e.Check(fault); err != nil {
			return err
		}
		lists, err := checkThemes(e, fault)
		if err != nil {
			return err
		}
		t, err := openThemes(cfg, folder{e.Queries()}, nil, prometheus.NewRegistry(), log)
		if err != nil {
			return err
		}
		if err := t.Restore(context.Background()); err != nil {
			return err
		}
		cells, err := checkCultures(e, t, fault)
		if err != nil {
			return err
		}
		queries, err := checkQueries(e, fault)
		waiting += lists + cells + queries
		return err
	})
	return waiting, err
}

// Evaluate judges a list of a state folder that no daemon has open.
func Evaluate(ctx context.Context, cfg *config.Config, truth *eval.Truth, list string, log *slog.Logger) (report *eval.Report, err error) {
	err = offline(cfg, log, func(e *pipeline.Engine) error {
		var t *themes.Keeper
		if strings.HasPrefix(list, "theme:") {
			if t, err = openThemes(cfg, folder{e.Queries()}, nil, prometheus.NewRegistry(), log); err != nil {
				return err
			}
			if err := t.Restore(ctx); err != nil {
				return err
			}
		}
		report, err = evaluate(ctx, e.Queries(), t, truth, list)
		return err
	})
	return report, err
}

// Sizes tells what the rows of a state folder that no daemon has open take.
func Sizes(cfg *config.Config, log *slog.Logger) (standby.Sizes, error) {
	return standby.ReadSizes(cfg.Data, storeOptions(cfg, log))
}

// ForgetOffsets lets a state folder that no daemon has open read the topic from its beginning, and tells of how many partitions.
func ForgetOffsets(cfg *config.Config, log *slog.Logger) (partitions int, err error) {
	return standby.ForgetOffsets(cfg.Data, storeOptions(cfg, log))
}

// offline opens the engine of a state folder that no daemon has open, for as long as work takes. The settings that stored rows
// depend on are the state's own: whoever checks a folder need not know the daemon's flags.
func offline(cfg *config.Config, log *slog.Logger, work func(*pipeline.Engine) error) (err error) {
	down := teardown{log: log}
	defer func() { err = errors.Join(err, down.run()) }()
	flat := *cfg
	flat.Index.Engine = "flat" // the quickest to fill; neither Check nor Evaluate looks at what the index finds
	serving, _, err := offlineConfig(&flat, prometheus.NewRegistry(), log)
	if err != nil {
		return err
	}
	asMade(&serving)
	engine, done, err := standby.OpenServing(serving)
	if err != nil {
		return err
	}
	down.add("state", done)
	return work(engine)
}

// asMade has instances opened by the settings that they have.
func asMade(c *standby.Config) {
	configured := c.Pipeline
	c.Pipeline = func(m registry.Model, encoders map[string]feature.Identity) (pipeline.Config, error) {
		p, err := configured(m, encoders)
		p.AsMade = true
		return p, err
	}
}

// offlineConfig gives the settings of the instances in a state folder that exists and that no daemon has open, and the
// configured encoders.
func offlineConfig(cfg *config.Config, reg prometheus.Registerer, log *slog.Logger) (standby.Config, encode.Encoders, error) {
	if _, err := os.Stat(cfg.Data); err != nil {
		return standby.Config{}, encode.Encoders{}, fmt.Errorf("data folder: %w", err)
	}
	encoders, err := newEncoders(cfg, remote.NewMetrics(reg), log)
	if err != nil {
		return standby.Config{}, encoders, err
	}
	models, err := openModels(cfg)
	if err != nil {
		return standby.Config{}, encoders, err
	}
	metrics := pipeline.NewMetrics(reg, consumer.NewMetrics(reg).Refused)
	return instances(cfg, encoders, models, metrics, log), encoders, nil
}
