package app

import (
	"kilim/annindex/hnsw"
	"kilim/annindex/recall"
	"kilim/consumer/profile"
	"kilim/daemon/config"
	"kilim/daemon/pipeline"
	"kilim/daemon/pipeline/made"
	"kilim/learner/encode"
	"kilim/rerank"
)

// limits gives the limits of records, in the topic and in queries.
func limits(c *config.Config) profile.Limits {
	limits := profile.DefaultLimits()
	limits.RecordBytes = int(c.Ingest.MaxRecordBytes)
	return limits
}

// settings gives the pipeline's settings for the seeded model, which is of epoch 1.
func settings(c *config.Config, encoders encode.Encoders) pipeline.Config {
	text, model := pipeline.Sizes(encoders)
	budget := c.Memory.Budget()
	return pipeline.Config{
		DeadLetters: c.Kafka.Topics.DeadLetters,
		Engine:      c.Index.Engine,
		Graph:       hnsw.Config{M: c.Index.M, EfConstruction: c.Index.EfConstruction, Ef: c.Index.Ef},
		Recall:      recall.Config{Bound: c.Index.LeastRecall},
		Epoch:       1,
		Text:        text,
		Encoders:    encoders,
		Model:       model,
		Settings: made.Settings{
			ListSize: c.Lists.Size, Candidates: c.Lists.Candidates, RareMembers: pipeline.RareMembers,
			Tolerance: float32(c.Lists.Tolerance), Epsilon: float32(c.Refresh.Epsilon), Score: score(&c.Lists.Weights),
		},
		Budget: c.Refresh.Budget, Sweep: c.Refresh.Sweep, Linger: c.Lists.Linger, MaxOutbox: pipeline.MaxOutbox, MaxOutboxBytes: min(pipeline.MaxOutboxBytes, budget.Outbox), CacheBytes: int(budget.Lists),
	}
}

// score gives the weights of a total score. How far apart dates are to be told apart is no setting.
func score(w *config.Weights) rerank.ScoreWeights {
	return rerank.ScoreWeights{
		Cosine: float32(w.Cosine), Entities: float32(w.Entities), Words: float32(w.Words), Date: float32(w.Date), Link: float32(w.Link),
		DateScale: rerank.DefaultScoreWeights().DateScale,
	}
}
