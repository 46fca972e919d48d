package pipeline

import (
	"context"
	"fmt"
	"math"
	"time"

	"kilim/daemon/pipeline/evidence"
	"kilim/daemon/pipeline/vocabulary"
	"kilim/graphstore"
	"kilim/learner/encode/feature"
	"kilim/learner/model"
	"kilim/learner/model/infer"
	"kilim/learner/train/dataset"
	"kilim/learner/train/gate"
)

// Archive is the committed state of an Engine as training reads it. Those of one Engine are equal.
type Archive struct {
	cfg   *Config
	store *graphstore.Store
	words *vocabulary.Vocabulary
	model *infer.Model
	seen  *seen
	// mediaNodes: snapshots have them, whatever the state's model reads.
	mediaNodes bool
}

// Archive shows the state to training.
func (e *Engine) Archive() Archive {
	return Archive{cfg: &e.cfg, store: e.store, words: e.words, model: e.model, seen: &e.seen}
}

// Dataset makes a snapshot, see dataset.Make.
func (a Archive) Dataset(ctx context.Context, limit int, until time.Time) (*dataset.Dataset, error) {
	return a.DatasetOf(ctx, limit, until, nil)
}

// DatasetOf makes a snapshot of none but some artifacts; nil: of any.
func (a Archive) DatasetOf(ctx context.Context, limit int, until time.Time, only map[string]bool) (d *dataset.Dataset, err error) {
	cfg := a.datasetConfig()
	cfg.Only = only
	err = a.store.View(func(r *graphstore.Reader) (err error) {
		d, err = dataset.Make(ctx, vocabulary.Archive{Reader: r, Encoders: &a.cfg.Encoders}, cfg, limit, until)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("pipeline: %w", err)
	}
	return d, nil
}

// datasetConfig has the state's own features made.
func (a Archive) datasetConfig() dataset.Config {
	shape := a.cfg.Model.Shape()
	if a.mediaNodes {
		shape.Media = model.MediaNodes
	}
	return dataset.Config{Words: a.words.Analyzer, Shape: shape, TextVectors: a.cfg.Encoders.Text != nil}
}

// WithMediaNodes is the Archive whose snapshots have media as nodes: for training a model that reads them where one serves that does not.
func (a Archive) WithMediaNodes() Archive {
	a.mediaNodes = true
	return a
}

// Mix is what a sample of at most limit artifacts is of, see dataset.Mix.
func (a Archive) Mix(limit int) (mix map[string]map[string]float64, err error) {
	err = a.store.View(func(r *graphstore.Reader) (err error) {
		mix, err = dataset.Mix(r, limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("pipeline: %w", err)
	}
	return mix, nil
}

// Model is the shape of the model, as it is trained, and its weights.
func (a Archive) Model() (shape model.Config, weights []float32) {
	return a.cfg.Model.Shape(), a.model.Weights()
}

// Encoders are those that the model reads vectors of.
func (a Archive) Encoders() map[string]feature.Identity { return a.cfg.Encoders.Identities() }

// Lists make of embeddings what the state publishes.
func (a Archive) Lists() gate.Lists { return evidence.New(a.store, a.words, a.cfg.Score) }

// Epoch is that of the model.
func (a Archive) Epoch() uint32 { return a.cfg.Epoch }

// Artifacts is how many are stored.
func (a Archive) Artifacts() int { return a.store.Counts().Artifacts }

// Changed is how much the archive has changed since the state began, in archives: an insert, replacement or
// deletion among N artifacts counts 1/N.
func (a Archive) Changed() float64 { return math.Float64frombits(a.seen.arrivals.Load()) }
