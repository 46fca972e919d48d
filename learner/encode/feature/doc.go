// Package feature holds what the encoders of all modalities share: the identity
// of a feature vector, the refusal of an item that can never be encoded, and the
// handling of a vector that is made of blocks.
package feature
