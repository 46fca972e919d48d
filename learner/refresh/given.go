package refresh

import "kilim/graphstore"

// What a node gives to those who read it over a relation is the Model's to say (Model.Give): its vector, where means are taken, and with
// attention its vector times a weight, and the weight. A running sum is one of what was given: weights are at most 1, so that it has room for as many
// nodes as a sum of vectors has. The mean square of a vector, which they give too, is as large as the square of its coordinates: of ordinary
// ones, below 4, there is room for 2^27.

// addGiven adds to a sum, times sign, what a node with a vector v of a layer gives to those who read it over a relation.
func (r *Refresher) addGiven(sum []int64, v []float32, sign int64, layer int, readBy graphstore.Relation) []int64 {
	return addVector(sum, r.model.Give(layer, RelationIndex(readBy), v), sign, r.model.MessageWidth(layer))
}

// partOver makes what a node with a vector v gives in a layer over an edge to another node's sum. A part over the edge before serves as well,
// unless nodes give other things over other relations. Edges are in the order of their relations.
func (r *Refresher) partOver(edges []graphstore.Edge, i int, before []int64, v []float32, sign int64, layer int) []int64 {
	if i > 0 && (!r.weighs || edges[i].Rel == edges[i-1].Rel) {
		return before
	}
	return r.addGiven(before[:0], v, sign, layer, edges[i].Rel|graphstore.Inverse)
}
