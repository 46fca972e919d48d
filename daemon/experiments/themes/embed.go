package main

import (
	"context"
	"fmt"
	"time"

	"kilim/learner/encode/facts"
	"kilim/learner/encode/text"
	"kilim/learner/model"
	"kilim/learner/model/infer"
	"kilim/learner/refresh"
	"kilim/learner/tensor/par"
	"kilim/learner/train"
	"kilim/learner/train/dataset"
)

// The shape of the daemon's model, but for pictures and recordings, which the feed names and does not have.
const (
	textDim = 2048
	width   = 256
)

// embeddings are E of an archive's works by their ids, of the daemon's model before it is trained. It reads no theme label.
func (a *archive) embeddings(ctx context.Context, threads int) (map[string][]float32, error) {
	words, err := text.NewEncoder(text.Config{Dim: textDim, Seed: 1})
	if err != nil {
		return nil, err
	}
	cfg := infer.Config{Text: words.Dim(), Facts: facts.Dim, Width: width, Bases: 4, Heads: 4, Relations: refresh.Relations, Types: refresh.Relations / 2, Seed: 1}
	shape, err := model.New(cfg.Shape())
	if err != nil {
		return nil, err
	}
	memory := dataset.NewMemory()
	for _, doc := range a.docs {
		if err := memory.Put(doc, dataset.Vectors{}); err != nil {
			return nil, err
		}
	}
	data, err := dataset.Make(ctx, memory, dataset.Config{Words: words, Shape: cfg.Shape()}, memory.Len(), time.Time{})
	if err != nil {
		return nil, err
	}
	weights, err := shape.Weights(infer.SeededWeights(cfg, shape), nil)
	if err != nil {
		return nil, err
	}
	pool, err := par.New(threads)
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	rows, err := train.Embed(data.Set, shape, weights, pool)
	if err != nil {
		return nil, err
	}
	out := make(map[string][]float32, len(data.IDs))
	for i, own := range data.Set.Artifacts() {
		out[data.IDs[i]] = rows.Row(int(own.Node))
	}
	if len(out) != len(a.docs) {
		return nil, fmt.Errorf("%d of %d works are embedded", len(out), len(a.docs))
	}
	return out, nil
}

// rowsOf are the embeddings of an archive's works, less the mean of all, in its order.
func (a *archive) rowsOf(e map[string][]float32) []float32 {
	mean := make([]float32, width)
	for i := range a.works {
		for j, x := range e[a.works[i].ID] {
			mean[j] += x / float32(len(a.works))
		}
	}
	var out []float32
	for i := range a.works {
		for j, x := range e[a.works[i].ID] {
			out = append(out, x-mean[j])
		}
	}
	return out
}
