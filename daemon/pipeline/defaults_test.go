package pipeline

import (
	"github.com/alecthomas/kong"

	"kilim/annindex/hnsw"
	"kilim/annindex/recall"
	"kilim/daemon/config"
	"kilim/daemon/pipeline/made"
	"kilim/learner/encode"
)

// defaults are the settings that a daemon works with when nobody sets any.
func defaults() Config {
	c := new(config.Config)
	parser, err := kong.New(c)
	if err == nil {
		_, err = parser.Parse(nil) // the command line of a daemon that nobody has configured
	}
	if err != nil {
		panic(err)
	}
	text, model := Sizes(encode.Encoders{})
	return Config{
		DeadLetters: c.Kafka.Topics.DeadLetters, Engine: c.Index.Engine,
		Graph:  hnsw.Config{M: c.Index.M, EfConstruction: c.Index.EfConstruction, Ef: c.Index.Ef},
		Recall: recall.Config{Bound: c.Index.LeastRecall},
		Epoch:  1, Text: text, Model: model,
		Settings: made.Settings{
			ListSize: c.Lists.Size, Candidates: c.Lists.Candidates, RareMembers: RareMembers,
			Tolerance: float32(c.Lists.Tolerance), Epsilon: float32(c.Refresh.Epsilon),
		},
		Budget: c.Refresh.Budget, Sweep: c.Refresh.Sweep, MaxOutbox: MaxOutbox, CacheBytes: int(c.Memory.Budget().Lists),
	}
}
