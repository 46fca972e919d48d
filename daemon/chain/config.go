package chain

import (
	"kilim/annindex/hnsw"
	"kilim/annindex/recall"
	"kilim/consumer/profile"
	"kilim/daemon/config"
	"kilim/learner/facts"
	"kilim/learner/refresh"
	"kilim/learner/serve"
	"kilim/learner/text"
)

// Sizes of the seeded model. They are part of a state's identity; until models
// are trained there is nothing to gain from changing them.
const (
	featureDim = 256
	width      = 128
	bases      = 4
	heads      = 4
	seed       = 1
)

// FromConfig picks what concerns the chain.
func FromConfig(c *config.Config) Config {
	limits := profile.DefaultLimits()
	limits.RecordBytes = int(c.Ingest.MaxRecordBytes)
	return Config{
		DeadLetters: c.Kafka.Topics.DeadLetters,
		Engine:      c.Index.Engine,
		Graph:       hnsw.Config{M: c.Index.M, EfConstruction: c.Index.EfConstruction, Ef: c.Index.Ef},
		Recall:      recall.Config{Bound: c.Index.LeastRecall},
		Epoch:       1,
		Text:        text.Config{Dim: featureDim, Seed: seed},
		Model: serve.Config{
			Text: featureDim, Facts: facts.Dim, Width: width, Bases: bases, Heads: heads,
			Relations: refresh.Relations, Types: refresh.Relations / 2, Seed: seed,
		},
		Epsilon: float32(c.Refresh.Epsilon), Budget: c.Refresh.Budget, Sweep: c.Refresh.Sweep,
		Tolerance: float32(c.Lists.Tolerance), ListSize: c.Lists.Size, Candidates: c.Lists.Candidates,
		// An entity of more members says little, and has more than are looked at.
		RareMembers: 64,
		MaxOutbox:   20_000, CachedArtifacts: 200_000,
		Limits: limits,
	}
}
