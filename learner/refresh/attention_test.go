package refresh

import (
	"math/rand/v2"
	"strings"
	"testing"

	"kilim/learner/model"
	"kilim/learner/model/infer"
)

// model is a seeded one of the kind.
func (k kind) model(t *testing.T) *infer.Model {
	t.Helper()
	cfg := infer.Config{Text: labelDim, Facts: 2, Image: 9, Audio: 7, Width: 16, Layers: k.layers, Heads: 4, Bases: 3, Relations: Relations, Types: Relations / 2, Seed: 5}
	if k.attends {
		cfg.Aggregator = model.AggregatorAttention
	}
	shape, err := model.New(cfg.Shape())
	if err != nil {
		t.Fatal(err)
	}
	weights, rng := infer.SeededWeights(cfg, shape), rand.New(rand.NewPCG(5, 5))
	for _, p := range shape.Params() {
		if strings.Contains(p.Name, ".attention.") { // else all weigh the same
			for i := range p.Rows * p.Cols {
				weights[p.Offset+i] = float32(0.5 * rng.NormFloat64())
			}
		}
	}
	m, err := infer.New(cfg, weights)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
