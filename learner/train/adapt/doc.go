// Package adapt makes of a model one for what is configured: for other encoders, or of another shape.
//
// A trained model reads the vectors of the encoders that it was trained with: its row in the registry and its
// checkpoint name them. Adapter knows what is configured. Its Fits says in what a model is not for that, Adapt gives the
// model that is to serve in such a model's place: the newest that has served and fits, if there is one, since it has
// learned; else a new one, whose input from the encoders that changed is seeded anew and which keeps all else
// (infer.Adopt). Weights reads a model's weights for the encoders of a state, and refuses those of others.
//
// Another shape needs no other vectors, so a trained model serves on with its own until a training, which Begin starts
// in the configured shape with what fits of its weights, has made a better one. A model that was not trained is replaced
// by one of the configured shape at once.
//
// Guarantee: weights are never applied to vectors of an encoder that they were not made for, even of the same length.
// Adapt adds at most one model for the same parent and configuration, whenever it is interrupted.
//
// The obvious design, to compare lengths, has let a model of one encoder read another's vectors, under the same epoch.
//
// The package does not know whether a model is good, nor how it comes to serve.
package adapt
