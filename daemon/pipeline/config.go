package pipeline

import (
	"kilim/annindex/hnsw"
	"kilim/annindex/recall"
	"kilim/consumer/profile"
	"kilim/daemon/config"
	"kilim/learner/encode/facts"
	"kilim/learner/encode/feature"
	"kilim/learner/encode/text"
	"kilim/learner/model/infer"
	"kilim/learner/refresh"
)

// Sizes of the model. They are part of a state's identity. Twice the width finds clearly more, seeded and
// trained: so many artifacts don't fit apart into fewer numbers. Longer features of words cost little, for they
// are not stored, only what the model makes of them.
const (
	featureDim = 2048
	width      = 256
	bases      = 4
	heads      = 4

	// Seed is that of the model that a new state begins with.
	Seed = 1
)

// Limits are those of records.
func Limits(c *config.Config) profile.Limits {
	limits := profile.DefaultLimits()
	limits.RecordBytes = int(c.Ingest.MaxRecordBytes)
	return limits
}

// FromConfig picks what concerns the chain. The encoders give the features their lengths.
func FromConfig(c *config.Config, encoders Encoders) Config {
	dim := func(enc feature.Encoder, otherwise int) int {
		if enc == nil {
			return otherwise
		}
		return enc.Identity().Dim
	}
	// Labels of entities are projected by the built-in encoder, also to the length of another one's vectors.
	words := dim(encoders.Text, featureDim)
	return Config{
		DeadLetters: c.Kafka.Topics.DeadLetters,
		Engine:      c.Index.Engine,
		Graph:       hnsw.Config{M: c.Index.M, EfConstruction: c.Index.EfConstruction, Ef: c.Index.Ef},
		Recall:      recall.Config{Bound: c.Index.LeastRecall},
		Epoch:       1,
		Text:        text.Config{Dim: words, Seed: Seed},
		Encoders:    encoders,
		Model: infer.Config{
			Text: words, Facts: facts.Dim, Image: dim(encoders.Image, 0), Audio: dim(encoders.Audio, 0), Width: width, Bases: bases, Heads: heads,
			Relations: refresh.Relations, Types: refresh.Relations / 2, Seed: Seed,
		},
		Epsilon: float32(c.Refresh.Epsilon), Budget: c.Refresh.Budget, Sweep: c.Refresh.Sweep,
		Tolerance: float32(c.Lists.Tolerance), ListSize: c.Lists.Size, Candidates: c.Lists.Candidates,
		// An entity of more members says little, and has more than are looked at.
		RareMembers: 64,
		MaxOutbox:   20_000, CachedArtifacts: 200_000,
		Limits: Limits(c),
	}
}
