package refresh

import "kilim/graphstore"

// mostLayers is the greatest depth of a Model.
const mostLayers = 3

// vectors are those of a node by layer: h0, h1 and, of three layers, h2.
type vectors [mostLayers][]float32

// told returns what a node has told those who read it of its vector of a layer: of h0 all, of h1 and h2 p.
func told(n *graphstore.Node, layer int) []float32 {
	switch {
	case layer == 0:
		return features(n)
	case layer == 1:
		return n.Hidden
	case n.Third != nil:
		return n.Third.Hidden
	}
	return nil
}

// tell sets p of a node in a layer above the first.
func tell(n *graphstore.Node, layer int, p []float32) {
	if layer == 1 {
		n.Hidden = p
		return
	}
	third(n).Hidden = p
}

func third(n *graphstore.Node) *graphstore.Third {
	if n.Third == nil {
		n.Third = &graphstore.Third{}
	}
	return n.Third
}

// sumOf returns the running sum of what a node was told in a layer.
func sumOf(n *graphstore.Node, layer int) []int64 {
	switch {
	case layer == 0:
		return n.Sum1
	case layer == 1:
		return n.Sum2
	case n.Third != nil:
		return n.Third.Sum
	}
	return nil
}

// addTo adds part, which addGiven made, to the running sum of a layer.
func (r *Refresher) addTo(n *graphstore.Node, layer int, part []int64) {
	if len(part) == 0 {
		return
	}
	sum := addFixed(sumOf(n, layer), part, r.model.MessageWidth(layer))
	switch layer {
	case 0:
		n.Sum1 = sum
	case 1:
		n.Sum2 = sum
	default:
		third(n).Sum = sum
	}
}

// sums tells whether those whom artifacts point at over a relation sum what they tell in a layer. An entity has no vector of the last
// layer, and sums nothing for it.
func (r *Refresher) sums(rel graphstore.Relation, layer int) bool {
	return layer < r.layers-1 || rel == graphstore.RelLink
}
