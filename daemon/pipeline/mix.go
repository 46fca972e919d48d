package pipeline

import (
	"fmt"

	"kilim/graphstore"
)

// mixed are the entity types by which Mix tells an archive from another.
var mixed = []graphstore.Type{graphstore.Culture, graphstore.Kind}

// Mix is what a sample of at most limit artifacts is of, by entity type: the share of each culture and type. The sample is, as
// that of Dataset, the artifacts of the smallest hashes.
func (e *Engine) Mix(limit int) (map[string]map[string]float64, error) {
	out := map[string]map[string]float64{}
	err := e.store.View(func(r *graphstore.Reader) error {
		ids, err := r.ArtifactsAfter(0, limit)
		if err != nil {
			return err
		}
		for _, t := range mixed {
			shares, total := map[string]float64{}, 0.0
			for _, id := range ids {
				if err := r.EdgesOf(graphstore.ID(graphstore.Artifact, id), graphstore.Relation(t), func(edge graphstore.Edge) bool {
					shares[fmt.Sprintf("%x", uint64(edge.To))]++
					total++
					return true
				}); err != nil {
					return err
				}
			}
			for name := range shares {
				shares[name] /= total
			}
			out[t.String()] = shares
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("pipeline: mix: %w", err)
	}
	return out, nil
}
