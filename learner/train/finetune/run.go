package finetune

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"kilim/learner/encode/feature"
	"kilim/learner/model"
	"kilim/learner/model/checkpoint"
	"kilim/learner/tensor/par"
	"kilim/learner/train"
	"kilim/learner/train/dataset"
	"kilim/learner/train/eval"
	"kilim/learner/train/gate"
	"kilim/learner/train/registry"
)

// Source is what is trained on: an archive, and the model that serves it.
type Source interface {
	// Dataset takes a snapshot of at most limit artifacts, of the records that came until then; zero: of all.
	Dataset(ctx context.Context, limit int, until time.Time) (*dataset.Dataset, error)
	Model() (shape model.Config, weights []float32)
	// Encoders are those that the model reads vectors of, by modality.
	Encoders() map[string]feature.Identity
	// Lists make of embeddings the published list total; nil: total is not judged.
	Lists() gate.Lists
}

// Config says how a Run is made. The zero value of a field is its default, except for Truth and Seed.
type Config struct {
	// Threads is how many compute a step. Default 1.
	Threads int
	// Share is the part of the time that steps may take, in 0..1. Default 1.
	Share float64
	// Limit bounds the artifacts of a snapshot, and with them the memory. Default 50,000.
	Limit int
	// Settings returns the training's settings for n artifacts and a model's layers. Default: the function Settings.
	Settings func(n, layers int, seed uint64) train.Config
	// Begin returns the shape and the weights that a training begins with, of those of the model that serves. Default: these.
	Begin func(serving model.Config, weights []float32) (model.Config, []float32, error)
	// Options are those that Begin gives the shape; nil: those of the model that serves.
	Options *model.Options
	// Truth is the user's own, nil if there is none.
	Truth *eval.Truth
	// Seed is that of all random choices.
	Seed uint64
	// Every is how many steps lie between two checkpoints. Default 25.
	Every int
	// Step is called with each train.Progress, and Phase when another phase begins.
	Step  func(train.Progress)
	Phase func(phase string)
	Log   *slog.Logger
}

func (c Config) withDefaults() (Config, error) {
	for _, f := range []struct {
		field *int
		value int
	}{{&c.Threads, 1}, {&c.Limit, 50_000}, {&c.Every, 25}} {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	if c.Share == 0 {
		c.Share = 1
	}
	if !(c.Share > 0 && c.Share <= 1) || c.Threads < 1 || c.Limit < 1 || c.Every < 1 {
		return c, fmt.Errorf("finetune: share %v, threads %d, limit %d, every %d: want a share of at most 1, and numbers above 0", c.Share, c.Threads, c.Limit, c.Every)
	}
	if c.Settings == nil {
		c.Settings = Settings
	}
	if c.Begin == nil {
		c.Begin = func(serving model.Config, weights []float32) (model.Config, []float32, error) {
			return serving, weights, nil
		}
	}
	if c.Step == nil {
		c.Step = func(train.Progress) {}
	}
	if c.Phase == nil {
		c.Phase = func(string) {}
	}
	return c, nil
}

// Phases of a training.
const (
	Idle     = "idle"     // nothing is trained
	Snapshot = "snapshot" // the archive is read
	Training = "training"
	Judging  = "judging" // the candidate is compared with the model that serves
)

// MinArtifacts is the number of artifacts below which there is nothing to be learned from an archive.
const MinArtifacts = 100

// ErrTooFew is returned for an archive of fewer artifacts than MinArtifacts.
var ErrTooFew = errors.New("finetune: too few artifacts")

// Settings returns the settings for an archive of n artifacts.
func Settings(n, layers int, seed uint64) train.Config { return Fit(train.Defaults(layers), n, seed) }

// Fit makes settings fit an archive of n artifacts: small ones get small batches and a short queue.
func Fit(c train.Config, n int, seed uint64) train.Config {
	for c.Batch > 16 && 4*c.Batch > n {
		c.Batch /= 2
	}
	for c.MoCo.Queue > c.Batch && c.MoCo.Queue > n {
		c.MoCo.Queue /= 2
	}
	c.Seed = seed
	return c
}

// checkpointName is the name of the checkpoint of an unfinished Run, among the models' files.
const checkpointName = "training.safetensors"

// Run trains a candidate from the model of epoch parent, compares the two, and adds the candidate with the Table to the
// models: as evaluated if it is to be promoted, else as rejected. When ctx ends, the training is left in its
// checkpoint.
func Run(ctx context.Context, cfg Config, source Source, parent uint32, models *registry.Registry) (registry.Model, *gate.Table, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return registry.Model{}, nil, err
	}
	m, table, err := run(ctx, cfg, source, parent, models)
	if err != nil {
		return m, table, fmt.Errorf("finetune: %w", err)
	}
	return m, table, nil
}

func run(ctx context.Context, cfg Config, source Source, parent uint32, models *registry.Registry) (registry.Model, *gate.Table, error) {
	none := registry.Model{}
	cfg.Phase(Snapshot)
	checkpointed, data, err := snapshot(ctx, cfg, source, parent, models.Path(checkpointName))
	if err != nil {
		return none, nil, err
	}
	if n := len(data.IDs); n < MinArtifacts {
		return none, nil, fmt.Errorf("%w: %d, at least %d are needed", ErrTooFew, n, MinArtifacts)
	}
	pool, err := par.New(cfg.Threads)
	if err != nil {
		return none, nil, err
	}
	defer pool.Close()
	shape, own := source.Model()
	serving, err := weighed(shape, own)
	if err != nil {
		return none, nil, err
	}
	shape, start, err := cfg.Begin(shape, own)
	if err != nil {
		return none, nil, err
	}
	m, err := model.New(shape)
	if err != nil {
		return none, nil, err
	}
	data.Set = data.Set.For(shape)
	settings := cfg.Settings(len(data.IDs), shape.Layers, cfg.Seed)
	cfg.Phase(Training)
	t, meta, err := prepare(settings, data, m, start, parent, pool, checkpointed, cfg.Log)
	if err != nil {
		return none, nil, err
	}
	if err := trainToEnd(ctx, cfg, t, meta, models.Path(checkpointName)); err != nil {
		return none, nil, err
	}
	cfg.Phase(Judging)
	best, judgement := t.Best()
	weights, err := m.Weights(best, nil)
	if err != nil {
		return none, nil, err
	}
	table, err := gate.Compare(ctx, gate.Benchmark{
		Set: data.Set, IDs: data.IDs, Cultures: data.Cultures, HeldOut: t.HeldOut(), Links: data.Links,
		Themes: data.Themes, Expert: cfg.Truth, Lists: source.Lists(), Views: settings.Views, Seed: cfg.Seed,
	}, serving, gate.Model{Shape: m, Weights: weights}, pool)
	if err != nil {
		return none, nil, err
	}
	meta.Metrics = map[string]float64{"half_mrr": judgement.MRR, "step": float64(judgement.Step)}
	meta.Encoders = source.Encoders()
	if meta.Settings, err = json.Marshal(settings); err != nil {
		return none, nil, err
	}
	kept, err := store(models, &checkpoint.Checkpoint{Meta: meta, Weights: best}, parent, table)
	if err != nil {
		return kept, table, err
	}
	if err := os.Remove(models.Path(checkpointName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return kept, table, err
	}
	return kept, table, nil
}

// weighed is a model of a shape and its weights.
func weighed(shape model.Config, weights []float32) (gate.Model, error) {
	m, err := model.New(shape)
	if err != nil {
		return gate.Model{}, err
	}
	w, err := m.Weights(weights, nil)
	return gate.Model{Shape: m, Weights: w}, err
}

// snapshot takes the snapshot of the training that the checkpoint at path is of, and returns it with the checkpoint. If
// that can't be, it takes a new one and returns no checkpoint.
func snapshot(ctx context.Context, cfg Config, source Source, parent uint32, path string) (*checkpoint.Checkpoint, *dataset.Dataset, error) {
	checkpointed, err := checkpoint.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		data, err := source.Dataset(ctx, cfg.Limit, time.Time{})
		return nil, data, err
	}
	log := cfg.Log
	if err != nil {
		log.Warn("the checkpoint of the last training can't be read; it begins anew", "err", err)
		data, err := source.Dataset(ctx, cfg.Limit, time.Time{})
		return nil, data, err
	}
	at, _, _ := strings.Cut(checkpointed.Watermark, " ")
	until, err := time.Parse(time.RFC3339Nano, at)
	if err == nil && checkpointed.Parent == uint64(parent) {
		data, err := source.Dataset(ctx, cfg.Limit, until)
		if err != nil || data.Watermark == checkpointed.Watermark {
			return checkpointed, data, err
		}
	}
	log.Info("the archive or the model has changed since training was left; it begins anew", "then", checkpointed.Watermark)
	data, err := source.Dataset(ctx, cfg.Limit, time.Time{})
	return nil, data, err
}

// prepare returns a Trainer that goes on from the checkpoint, if there is one and it fits, else from start.
func prepare(cfg train.Config, data *dataset.Dataset, m *model.Model, start []float32, parent uint32, pool *par.Pool, checkpointed *checkpoint.Checkpoint, log *slog.Logger) (*train.Trainer, checkpoint.Meta, error) {
	meta := checkpoint.Meta{Config: m.Config(), Parent: uint64(parent), Watermark: data.Watermark}
	fresh := func() (*train.Trainer, error) {
		w, err := m.Weights(append([]float32(nil), start...), make([]float32, len(start)))
		if err != nil {
			return nil, err
		}
		return train.New(cfg, data.Set, m, w, pool)
	}
	t, err := fresh()
	if err != nil || checkpointed == nil {
		return t, meta, err
	}
	if err := t.Resume(checkpointed); err != nil {
		log.Warn("the checkpoint of the last training does not fit; it begins anew", "err", err)
		t, err = fresh()
		return t, meta, err
	}
	log.Info("training goes on", "step", t.Steps())
	return t, meta, nil
}

// trainToEnd trains at the pace of Config.Share, and writes checkpoints.
func trainToEnd(ctx context.Context, cfg Config, t *train.Trainer, meta checkpoint.Meta, path string) error {
	write := func() error {
		c, err := t.Checkpoint(meta)
		if err != nil {
			return err
		}
		return checkpoint.Write(path, c)
	}
	began := time.Now()
	err := t.Run(ctx, func(p train.Progress) error {
		cfg.Step(p)
		if p.Step > 0 && p.Step%cfg.Every == 0 {
			if err := write(); err != nil {
				return err
			}
		}
		if err := pause(ctx, time.Duration(float64(time.Since(began))*(1/cfg.Share-1))); err != nil {
			return nil // ctx has ended, which t.Run returns
		}
		began = time.Now()
		return nil
	})
	if ctx.Err() != nil && t.Steps() > 0 {
		return errors.Join(err, write())
	}
	return err
}

func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// store adds a candidate to the models: first its weights, then its row, then the state. It completes what a crash has
// left of the same candidate.
func store(models *registry.Registry, c *checkpoint.Checkpoint, parent uint32, table *gate.Table) (registry.Model, error) {
	all := models.List()
	m := all[len(all)-1]
	same, err := sameCandidate(models, m, c, parent)
	if err != nil {
		return registry.Model{}, err
	}
	if !same {
		c.Epoch = uint64(m.Epoch) + 1
		name := fmt.Sprintf("%04d.safetensors", c.Epoch)
		if err := checkpoint.Write(models.Path(name), c); err != nil {
			return registry.Model{}, err
		}
		options := c.Config.Options()
		if m, err = models.Add(registry.Model{Checkpoint: name, Parent: parent, Created: time.Now().UTC(), Encoders: c.Encoders, Options: &options}); err != nil {
			return m, err
		}
	}
	if m.State != registry.Candidate {
		return m, nil
	}
	raw, err := json.Marshal(table)
	if err != nil {
		return m, err
	}
	state, reason := registry.Rejected, table.Reason
	if table.Promote {
		state, reason = registry.Evaluated, ""
	}
	return models.SetState(m.Epoch, state, raw, reason)
}

// sameCandidate tells whether the model m is that of the checkpoint.
func sameCandidate(models *registry.Registry, m registry.Model, c *checkpoint.Checkpoint, parent uint32) (bool, error) {
	if m.Checkpoint == "" || m.Parent != parent || m.State == registry.Promoted {
		return false, nil
	}
	was, err := checkpoint.Read(models.Path(m.Checkpoint))
	if err != nil {
		return false, err
	}
	return was.Watermark == c.Watermark && slices.Equal(was.Weights, c.Weights), nil
}
