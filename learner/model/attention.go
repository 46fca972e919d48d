package model

import "kilim/learner/tensor/tape"

// attention has the numbers of the vectors by which a layer weights neighbours and relations (package attend), a row for each relation.
// With mean aggregation there are none.
type attention struct{ neighbour, relation, reader int }

// newAttention begins with zeros, by which every weight is the same: a layer then computes what it does with mean aggregation.
func newAttention(g *layout, cfg Config, stage, name string) (a attention) {
	if !cfg.Attends() {
		return a
	}
	add := func(what string) int {
		return g.add(stage, true, cfg.Relations, cfg.Width, constant(0), "%s.attention.%s", name, what)
	}
	return attention{neighbour: add("neighbour"), relation: add("relation"), reader: add("reader")}
}

// attended returns what rows read of h, each pair of a row and a relation a row of its own, and the edges by which these are read.
func (f *forward) attended(h tape.Matrix, a attention, edges *tape.Edges) (tape.Matrix, *tape.Edges) {
	pairs := edges.Pairs()
	y := f.t.New(pairs.Len(), h.Cols)
	f.t.Attend(y, h, tape.AttentionVectors{Neighbour: f.param(a.neighbour), Relation: f.param(a.relation), Reader: f.param(a.reader)}, edges)
	return y, pairs.Rows
}
