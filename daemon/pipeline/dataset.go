package pipeline

import (
	"fmt"
	"math"
	"time"

	"kilim/graphstore"
	"kilim/learner/encode"
	"kilim/learner/model"
	"kilim/learner/train/dataset"
)

// archive is what a dataset reads of a committed state.
type archive struct {
	*graphstore.Reader
	engine *Engine
}

func (a archive) Vectors(artifact graphstore.NodeID) (dataset.Vectors, error) {
	media, err := a.engine.cfg.Encoders.Vectors(a.Reader, artifact)
	return dataset.Vectors{Text: media.Text, Image: encode.MeanDirection(media.Image), Audio: encode.MeanDirection(media.Audio)}, err
}

// Dataset makes a snapshot of committed state, see dataset.Make.
func (e *Engine) Dataset(limit int, until time.Time) (d *dataset.Dataset, err error) {
	err = e.store.View(func(r *graphstore.Reader) (err error) {
		d, err = dataset.Make(archive{r, e}, e.datasetConfig(), limit, until)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("pipeline: %w", err)
	}
	return d, nil
}

// datasetConfig has the engine's own features made.
func (e *Engine) datasetConfig() dataset.Config {
	return dataset.Config{
		Words: e.encoder, Shape: e.cfg.Model.Shape(), TextVectors: e.cfg.Encoders.Text != nil, Limits: e.cfg.Limits,
	}
}

// Mix is what a sample of at most limit artifacts is of, see dataset.Mix.
func (e *Engine) Mix(limit int) (mix map[string]map[string]float64, err error) {
	err = e.store.View(func(r *graphstore.Reader) (err error) {
		mix, err = dataset.Mix(r, limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("pipeline: %w", err)
	}
	return mix, nil
}

// Model is the shape of the model, as it is trained, and its weights.
func (e *Engine) Model() (shape model.Config, weights []float32) {
	return e.cfg.Model.Shape(), e.model.Weights()
}

// Epoch is that of the model.
func (e *Engine) Epoch() uint32 { return e.cfg.Epoch }

// Artifacts is how many are stored.
func (e *Engine) Artifacts() int { return e.store.Counts().Artifacts }

// Changed is how much the archive has changed since the state began, in archives: an insert, replacement or
// deletion among N artifacts counts 1/N.
func (e *Engine) Changed() float64 { return math.Float64frombits(e.drift.Load()) }
