// Package adapt makes of a trained model one for other encoders.
//
// A trained model reads the vectors of the encoders that it was trained with: its row in the registry and its
// checkpoint name them. Adapter knows which encoders are configured. Its Fits says in what a model is not for them,
// Adapt gives the model that is to serve in such a model's place: the newest that has served with the configured
// encoders, if there is one, since it has learned what they say; else a new one, whose input from the encoders that
// changed is seeded anew and which keeps all else (infer.Adopt). Weights reads a model's weights for the encoders of a
// state, and refuses those of others.
//
// Guarantee: weights are never applied to vectors of an encoder that they were not made for, even of the same length.
// Adapt adds at most one model for the same parent and encoders, whenever it is interrupted.
//
// The obvious design, to compare lengths, has let a model of one encoder read another's vectors, under the same epoch.
//
// The package does not know whether a model is good, nor how it comes to serve.
package adapt
