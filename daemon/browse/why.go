package browse

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"kilim/graphstore"
	"kilim/graphstore/weave"
)

// Why is what two artifacts have in common, the rarest first.
type Why struct {
	Shared []Shared `json:"shared"`
	Linked bool     `json:"linked"` // one names the other
	// Met is the history of the second in the lists of the first, which who knows them adds; missing while they are not published.
	Met *Met `json:"history,omitempty"`
}

// Shared is an entity of both artifacts.
type Shared struct {
	Type      string `json:"type"`
	Label     string `json:"label"`
	Artifacts uint32 `json:"artifacts"` // that have it
}

const mostShared = 64

// Why tells what two stored artifacts share; the error is an ErrNotFound if one is not stored.
func (s *Shelf) Why(one, other string) (*Why, error) {
	why := &Why{Shared: []Shared{}}
	err := s.archive.View(func(r *graphstore.Reader) error {
		edges := map[graphstore.NodeID]graphstore.EdgeSpec{}
		for _, id := range []string{one, other} {
			_, a, err := weave.Read(r, id)
			if errors.Is(err, weave.ErrNoDocument) {
				return fmt.Errorf("%w: artifact %q", ErrNotFound, id)
			}
			if err != nil {
				return fmt.Errorf("browse: %w", err)
			}
			for _, edge := range weave.Edges(a) {
				node := graphstore.ID(edge.Type, edge.Key)
				switch {
				case edge.Rel == graphstore.RelLink:
					why.Linked = why.Linked || id == one && edge.Key == other || id == other && edge.Key == one
				case !edge.Type.IsEntity():
				case id == one:
					edges[node] = edge
				default:
					if shared, ok := edges[node]; ok {
						delete(edges, node) // a term that stands there twice
						n, err := r.Node(node)
						if err != nil {
							return fmt.Errorf("browse: %w", err)
						}
						if n != nil {
							why.Shared = append(why.Shared, Shared{shared.Type.String(), Readable(n.DisplayLabel(), titleRunes), n.Members})
						}
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(why.Shared, func(a, b Shared) int { return cmp.Compare(a.Artifacts, b.Artifacts) })
	why.Shared = why.Shared[:min(len(why.Shared), mostShared)]
	return why, nil
}
