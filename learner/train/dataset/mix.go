package dataset

import (
	"fmt"

	"kilim/graphstore"
)

// Graph is what Mix reads of an archive.
type Graph interface {
	// ArtifactsAfter is that of Reader.
	ArtifactsAfter(after graphstore.NodeID, limit int) ([]string, error)
	// EdgesOf calls fn for each edge of a node by one relation, until it returns false.
	EdgesOf(graphstore.NodeID, graphstore.Relation, func(graphstore.Edge) bool) error
}

// mixTypes are the entity types whose shares Mix returns.
var mixTypes = []graphstore.Type{graphstore.Culture, graphstore.Kind}

// Mix returns the share of each culture and type among the artifacts of an archive, by entity type. It takes a sample
// of at most limit artifacts: as Make, those of the smallest hashes.
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
