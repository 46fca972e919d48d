// Package feature holds what the encoders of all modalities share: the identity
// of a feature vector, the refusal of an item that can never be encoded, and the
// handling of a vector that is made of blocks.
//
// Its types: an Encoder answers each Item with a Result, which is a vector or an error; a Refusal is an error that will
// not pass; an Identity names whose vectors they are, and vectors of two identities are never compared. Centre, Root and
// Scale prepare a block of a vector. Package feature must not know any encoder, nor where items come from.
package feature
