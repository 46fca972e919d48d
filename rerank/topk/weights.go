package topk

import (
	"math"

	"kilim/rerank"
)

// weights are the inverse document frequencies at one state of the archive, as rerank.Weights.
type weights struct {
	g         Reader
	words     Words
	artifacts float64
	entities  map[uint64]float32
	err       error // the first of a read; callers look when they have prepared all
}

// Weights are those of a state, for who scores beside the lists. failed tells, afterwards, whether something could not be read.
func Weights(g Reader, words Words) (w rerank.Weights, failed func() error) {
	known := newWeights(g, words)
	return known, func() error { return known.err }
}

func newWeights(g Reader, words Words) *weights {
	return &weights{g: g, words: words, artifacts: float64(g.Artifacts()), entities: map[uint64]float32{}}
}

func (w *weights) WordIDF(bucket uint32) float32 { return w.words.IDF(bucket) }

// EntityIDF is ln((1+N)/(1+n)) + 1 for an entity that n of N artifacts share. An
// entity that is in no stored artifact (a query's own) has n = 0.
func (w *weights) EntityIDF(node uint64) float32 {
	if v, ok := w.entities[node]; ok {
		return v
	}
	e, _, err := w.g.Entity(node) // n is 0 of one that is not known
	if err != nil && w.err == nil {
		w.err = err
	}
	v := float32(math.Log((1+w.artifacts)/(1+float64(e.Members))) + 1)
	w.entities[node] = v
	return v
}
