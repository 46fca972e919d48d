package pipeline

import (
	"kilim/learner/encode"
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

	// RareMembers is the most artifacts that share a rare entity. One of more members says little, and has more than
	// are looked at.
	RareMembers = 64
	// MaxOutbox and MaxOutboxBytes are the most that a daemon works with, see Config. A list is some kilobytes, a dead letter as large as its
	// record.
	MaxOutbox      = 20_000
	MaxOutboxBytes = 256 << 20

	// Seed is that of the model that a new state begins with.
	Seed = 1
)

// Sizes are those of the built-in text features and of the model for the given encoders, whose vectors give the
// features their lengths.
func Sizes(encoders encode.Encoders) (text.Config, infer.Config) {
	dim := func(enc feature.Encoder, otherwise int) int {
		if enc == nil {
			return otherwise
		}
		return enc.Identity().Dim
	}
	// Labels of entities are projected by the built-in encoder, also to the length of another one's vectors.
	words := dim(encoders.Text, featureDim)
	return text.Config{Dim: words, Seed: Seed, Spellings: encoders.Spellings}, infer.Config{
		Text: words, Facts: facts.Dim, Image: dim(encoders.Image, 0), Audio: dim(encoders.Audio, 0), Width: width, Bases: bases, Heads: heads,
		Relations: refresh.Relations, Types: refresh.Relations / 2, Seed: Seed,
	}
}
