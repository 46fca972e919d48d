package graphstore

import (
	"cmp"
	"slices"
)

// overlay holds what a Tx wrote and has not committed. edges and listedBy are
// indexed by node, so that merging them into a scan costs what the node has
// pending, not what the Tx has.
type overlay struct {
	// nodes are the Tx's own copies; nil marks a node that was removed.
	nodes map[NodeID]*Node
	// absentBelow are nodes known to have neither row nor edges in the snapshot. The
	// Tx may, but need not, have created them since.
	absentBelow map[NodeID]struct{}
	edges       map[NodeID]*pendingEdges
	// listedBy tells, by artifact, who has begun (true) or ceased to have it in a list.
	listedBy map[NodeID]map[NodeID]bool
	// uses tells, by content, which media nodes began (true) or ceased to have it.
	uses map[Content]map[NodeID]bool
	// made are the keys of the media vectors that were put.
	made map[Content][]string
	// rows are all other rows by key; nil marks one that was removed.
	rows  map[string][]byte
	dims  map[string]int
	terms map[uint32]int32
	// deleted are artifacts that were deleted and whose lists go at Commit.
	deleted  map[NodeID]struct{}
	messages []OutboxEntry
	// outboxTaken: messages are all of the outbox, see Tx.TakeOutbox.
	outboxTaken bool
}

func newOverlay() *overlay {
	return &overlay{
		nodes: map[NodeID]*Node{}, absentBelow: map[NodeID]struct{}{}, edges: map[NodeID]*pendingEdges{},
		listedBy: map[NodeID]map[NodeID]bool{}, uses: map[Content]map[NodeID]bool{},
		made: map[Content][]string{}, rows: map[string][]byte{},
		dims: map[string]int{}, terms: map[uint32]int32{}, deleted: map[NodeID]struct{}{},
	}
}

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

// pending returns the changes at a node in scan order; relation all means
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
		slices.SortFunc(p.ordered, func(a, b edgeChange) int { return a.compare(b.edgeEnd) })
	}
	if rel == allRelations {
		return p.ordered
	}
	from, _ := slices.BinarySearchFunc(p.ordered, edgeEnd{rel: Relation(rel)}, func(c edgeChange, e edgeEnd) int { return c.compare(e) })
	to := from
	for to < len(p.ordered) && p.ordered[to].rel == Relation(rel) {
		to++
	}
	return p.ordered[from:to]
}

func (ov *overlay) isAbsentBelow(id NodeID) bool {
	if ov == nil {
		return false
	}
	_, ok := ov.absentBelow[id]
	return ok
}
