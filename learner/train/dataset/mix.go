package dataset

import (
	"fmt"

	"kilim/graphstore"
)

// Graph is what Mix reads of an archive.
type Graph interface {
	// ArtifactsAfter is as that of a Reader.
	ArtifactsAfter(after graphstore.NodeID, limit int) ([]string, error)
	// EdgesOf calls fn for each edge of a node by one relation, until it returns false.
	EdgesOf(graphstore.NodeID, graphstore.Relation, func(graphstore.Edge) bool) error
}

// mixed are the entity types by which Mix tells an archive from another.
var mixTypes = []graphstore.Type{graphstore.Culture, graphstore.Kind}

// Mix is what a sample of at most limit artifacts is of, by entity type: the share of each culture and type. The sample is, as
// that of Make, the artifacts of the smallest hashes.
func Mix(from Graph, limit int) (map[string]map[string]float64, error) {
	ids, err := from.ArtifactsAfter(0, limit)
	if err != nil {
		return nil, fmt.Errorf("dataset: mix: %w", err)
	}
	out := map[string]map[string]float64{}
	for _, t := range mixTypes {
		shares, total := map[string]float64{}, 0.0
		for _, id := range ids {
			if err := from.EdgesOf(graphstore.ID(graphstore.Artifact, id), graphstore.Relation(t), func(edge graphstore.Edge) bool {
				shares[fmt.Sprintf("%x", uint64(edge.To))]++
				total++
				return true
			}); err != nil {
				return nil, fmt.Errorf("dataset: mix: artifact %q: %w", id, err)
			}
		}
		for name := range shares {
			shares[name] /= total
		}
		out[t.String()] = shares
	}
	return out, nil
}
