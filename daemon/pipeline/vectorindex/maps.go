package vectorindex

import (
	"fmt"

	"kilim/daemon/pipeline/atlas"
	"kilim/graphstore"
	"kilim/rerank/maps"
)

// Map compares the cultures, periods and places of the artifacts in the index.
func (x *Index) Map() *maps.Map { return x.maps.Load() }

// Put sets the vector of an artifact, in the map too.
func (x *Index) Put(id uint64, vec []float32) error {
	from := x.at(id)
	if err := x.Index.Put(id, vec); err != nil {
		return err
	}
	x.Map().Move(id, from, vec)
	return nil
}

// Delete removes an artifact, from the map too.
func (x *Index) Delete(id uint64) error {
	from := x.at(id)
	if err := x.Index.Delete(id); err != nil {
		return err
	}
	x.Map().Move(id, from, nil)
	return nil
}

// Join says by which edges an artifact belongs to groups.
func (x *Index) Join(id uint64, edges []graphstore.EdgeSpec) {
	x.Map().Join(id, atlas.Groups(edges), x.at(id))
}

// at is the vector of an artifact, nil when it has none.
func (x *Index) at(id uint64) []float32 {
	v := make([]float32, x.cfg.Dim)
	if !x.Vector(id, v) {
		return nil
	}
	return v
}

// MapOf is the map as it is made anew, of the vectors in the index and the edges in the store. It reads the edges from the
// groups' side: these are few, and each is one scan.
func (x *Index) MapOf(r *graphstore.Reader) (*maps.Map, error) {
	m := maps.New(x.cfg.Dim)
	for _, id := range x.IDs() {
		m.Move(id, nil, x.at(id))
	}
	groups := map[graphstore.NodeID]graphstore.Type{}
	if err := r.EachNode(func(n *graphstore.Node) bool {
		if atlas.Compared(n.Type) {
			groups[n.ID] = n.Type
		}
		return true
	}); err != nil {
		return nil, fmt.Errorf("vectorindex: map: %w", err)
	}
	of := map[uint64][]uint64{}
	for id, t := range groups {
		// The relation to an entity has the value of its type.
		if err := r.EdgesOf(id, graphstore.Relation(t)|graphstore.Inverse, func(e graphstore.Edge) bool {
			of[uint64(e.To)] = append(of[uint64(e.To)], uint64(id))
			return true
		}); err != nil {
			return nil, fmt.Errorf("vectorindex: map: %w", err)
		}
	}
	for id, groups := range of {
		if v := x.at(id); v != nil {
			m.Join(id, groups, v)
		}
	}
	return m, nil
}
