package finetune

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"kilim/learner/tensor/par"
	"kilim/learner/train"
	"kilim/learner/train/dataset"
	"kilim/learner/train/gate"
)

// Judged is an archive as one model with its encoders sees it.
type Judged interface {
	Source
	Artifacts() int
	// DatasetOf is Dataset of none but some artifacts; nil: of any.
	DatasetOf(ctx context.Context, limit int, until time.Time, only map[string]bool) (*dataset.Dataset, error)
}

// Judge compares a model that is to serve with other encoders, or in another shape, with the one that serves, on
// artifacts that both have, each as its own encoders show it. The candidate is wanted by the user's settings, so it need not be better; Promote
// of the Table is false if it is worse in something. Of fewer artifacts than MinArtifacts nothing can be said, and the
// Table, without rows, has it promoted.
func Judge(ctx context.Context, cfg Config, serving, candidate Judged) (*gate.Table, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	table, err := judge(ctx, cfg, serving, candidate)
	if err != nil {
		return nil, fmt.Errorf("finetune: judge other encoders: %w", err)
	}
	return table, nil
}

func judge(ctx context.Context, cfg Config, serving, candidate Judged) (*gate.Table, error) {
	tooFew := func(n int) *gate.Table {
		return &gate.Table{Promote: true, Reason: fmt.Sprintf("%d artifacts are too few to tell", n)}
	}
	if n := serving.Artifacts(); n < MinArtifacts {
		return tooFew(n), nil
	}
	now, next, err := common(ctx, cfg.Limit, serving, candidate)
	if err != nil {
		return nil, err
	}
	n := len(now.IDs)
	if n < MinArtifacts {
		return tooFew(n), nil
	}
	pool, err := par.New(cfg.Threads)
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	var models [2]gate.Model
	for i, of := range []struct {
		source Source
		set    *train.Set
	}{{serving, now.Set}, {candidate, next.Set}} {
		if models[i], err = weighed(of.source.Model()); err != nil {
			return nil, err
		}
		models[i].Set = of.set
	}
	settings := cfg.Settings(n, models[0].Shape.Config().Layers, cfg.Seed)
	_, heldOut := train.Split(n, settings.HeldOut, cfg.Seed)
	table, err := gate.Compare(ctx, gate.Benchmark{
		Set: now.Set, IDs: now.IDs, Cultures: now.Cultures, HeldOut: heldOut, Links: now.Links,
		Themes: now.Themes, Expert: cfg.Truth, Lists: serving.Lists(), Views: settings.Views, Seed: cfg.Seed,
	}, models[0], models[1], pool)
	if err != nil {
		return nil, err
	}
	table.Replace()
	return table, nil
}

// common makes a snapshot of the same artifacts of each archive. Both choose by the same order, but longer vectors may
// leave room for fewer, one may lack what its encoders refuse, and records come meanwhile: so each is made again of what
// the other has, until they have the same.
func common(ctx context.Context, limit int, a, b Judged) (*dataset.Dataset, *dataset.Dataset, error) {
	var only map[string]bool
	for range 5 {
		y, err := b.DatasetOf(ctx, limit, time.Time{}, only)
		if err != nil {
			return nil, nil, err
		}
		x, err := a.DatasetOf(ctx, limit, time.Time{}, setOf(y.IDs))
		if err != nil {
			return nil, nil, err
		}
		if slices.Equal(x.IDs, y.IDs) {
			return x, y, nil
		}
		only = setOf(x.IDs)
	}
	return nil, nil, errors.New("the two archives change too fast to be compared")
}

func setOf(ids []string) map[string]bool {
	out := make(map[string]bool, len(ids))
	for _, id := range ids {
		out[id] = true
	}
	return out
}
