// Package driftbound tells how far an answer may be from the exact one because of epsilon: by what neighbours have moved and not told.
//
// Package infer derives the bound of an embedding (drift.go), and package refresh stores it with the embedding. Of two vectors of length
// 1, each off by some distance, the cosine is off by the sum of both at most; a score in the list total counts the cosine by its
// weight. What waits for the background, features that are renewed late (refresh.sweep), and moves too small to show in a
// stored list (lists.tolerance) are not in it.
package driftbound

import (
	"kilim/graphstore"
	"kilim/rerank"
)

// Bound is that of an answer.
type Bound struct {
	// Embedding is the greatest distance of the artifact's embedding from the exact one, both of length 1.
	Embedding float64
	// Score is the most by which a score of the list is off.
	Score float64
}

// Of is that of a list of an artifact, whose scores count the cosine by a weight. It is nil where an embedding was made by a smaller
// epsilon than that of now: how far that may be off by now is not known.
func Of(r *graphstore.Reader, n *graphstore.Node, list []rerank.Entry, weight, epsilon float32) (*Bound, error) {
	known := func(n *graphstore.Node) bool { return n.IsArtifact() && n.Epsilon >= float64(epsilon) }
	if !known(n) {
		return nil, nil
	}
	others := 0.0
	for i := range list {
		other, err := r.Node(graphstore.ID(graphstore.Artifact, list[i].ID))
		if err != nil || !known(other) {
			return nil, err
		}
		others = max(others, other.DriftBound)
	}
	return &Bound{Embedding: n.DriftBound, Score: float64(weight) * (n.DriftBound + others)}, nil
}
