package pipeline

import (
	"context"
	"fmt"
	"math"
	"time"

	"kilim/daemon/pipeline/evidence"
	"kilim/daemon/pipeline/vocabulary"
	"kilim/graphstore"
	"kilim/learner/encode"
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
		d, err = dataset.Make(ctx, archiveReader{r, &a.cfg.Encoders}, cfg, limit, until)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("pipeline: %w", err)
	}
	return d, nil
}

// datasetConfig has the state's own features made.
func (a Archive) datasetConfig() dataset.Config {
	return dataset.Config{
		Words: a.words.Analyzer, Shape: a.cfg.Model.Shape(), TextVectors: a.cfg.Encoders.Text != nil,
	}
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

// archiveReader is what a dataset reads of a committed state.
type archiveReader struct {
	*graphstore.Reader
	encoders *encode.Encoders
}

func (r archiveReader) Vectors(artifact graphstore.NodeID) (dataset.Vectors, error) {
	media, err := r.encoders.Vectors(r.Reader, artifact)
	return dataset.Vectors{Text: media.Text, Image: encode.MeanDirection(media.Image), Audio: encode.MeanDirection(media.Audio)}, err
}
