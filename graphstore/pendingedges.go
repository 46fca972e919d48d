package graphstore

import (
	"cmp"
	"slices"
)

// edgeEnd is an edge as its one end stores it.
type edgeEnd struct {
	rel Relation
	to  NodeID
}

func (a edgeEnd) compare(b edgeEnd) int {
	return cmp.Or(cmp.Compare(a.rel, b.rel), cmp.Compare(a.to, b.to))
}

// edgeChange is what a Tx did to an edge at one end.
type edgeChange struct {
	edgeEnd
	removed bool
	detail  *detail // with the forward direction only
}

func compareChanges(a, b edgeChange) int { return a.compare(b.edgeEnd) }

// pendingEdges are the changes at one node.
type pendingEdges struct {
	changes map[edgeEnd]edgeChange
	// ordered are the changes in scan order; nil when they must be sorted
	// again. The slice itself is never modified: a scan under way keeps it.
	ordered []edgeChange
}

func (ov *overlay) changeEdge(from NodeID, c edgeChange) {
	p := ov.edges[from]
	if p == nil {
		p = &pendingEdges{changes: map[edgeEnd]edgeChange{}}
		ov.edges[from] = p
	}
	p.changes[c.edgeEnd] = c
	p.ordered = nil
}

// pending returns the changes at a node in scan order; allRelations means
// those of every relation.
func (ov *overlay) pending(id NodeID, rel relationFilter) []edgeChange {
	if ov == nil {
		return nil
	}
	p := ov.edges[id]
	if p == nil {
		return nil
	}
	if p.ordered == nil {
		p.ordered = make([]edgeChange, 0, len(p.changes))
		for _, c := range p.changes {
			p.ordered = append(p.ordered, c)
		}
		slices.SortFunc(p.ordered, compareChanges)
	}
	if rel == allRelations {
		return p.ordered
	}
	from, _ := slices.BinarySearchFunc(p.ordered, edgeEnd{rel: Relation(rel)}, edgeChange.compare)
	to := from
	for to < len(p.ordered) && p.ordered[to].rel == Relation(rel) {
		to++
	}
	return p.ordered[from:to]
}
