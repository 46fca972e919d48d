package pipeline

import (
	"kilim/graphstore"
	"kilim/rerank"
)

// DriftBound is how far an answer may be from the exact one because of Epsilon: by what neighbours have moved and not told. Package
// infer derives the bound of an embedding (drift). Of two vectors of length 1, each off by some distance, the cosine is off by the
// sum of both at most; a score in the list total counts the cosine by its weight. What waits for the background (Staleness),
// features that are renewed late (Sweep), and moves too small to show in a stored list (Tolerance) are not in it.
type DriftBound struct {
	// Embedding is the greatest distance of the artifact's embedding from the exact one, both of length 1.
	Embedding float64
	// Score is the most by which a score of the list is off.
	Score float64
}

// driftBound is that of an answer about an artifact. It is nil where an embedding was made before Epsilon was raised: how far that
// may be off by now is not known.
func (q *Queries) driftBound(r *graphstore.Reader, n *graphstore.Node, a *Answer) (*DriftBound, error) {
	known := func(n *graphstore.Node) bool { return n != nil && n.Epsilon >= float64(q.cfg.Epsilon) }
	if !known(n) {
		return nil, nil
	}
	others := 0.0
	for i := range a.Items {
		other, err := stored(r, a.Items[i].ID)
		if err != nil || !known(other) {
			return nil, err
		}
		others = max(others, other.DriftBound)
	}
	bound := &DriftBound{Embedding: n.DriftBound, Score: n.DriftBound + others}
	if a.List == rerank.ListTotal {
		bound.Score *= float64(q.cfg.Score.Cosine)
	}
	return bound, nil
}
