package graphstore

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
	// vectorKeys are the keys of the media vectors that PutMediaVector put, by content.
	vectorKeys map[Content][]string
	// otherLabels are the counts of labels that their nodes do not keep, by node and text.
	otherLabels map[NodeID]map[string]*otherLabel
	// rows are the rows of all other kinds, by key; nil marks one that was removed.
	rows  map[string][]byte
	dims  map[string]int
	terms map[uint32]int32
	// deleted are artifacts whose lists go at Commit: until then the caller reads them, see DeleteArtifact.
	deleted  map[NodeID]struct{}
	messages []OutboxEntry
	// outboxTaken: messages are all of the outbox, see Tx.TakeOutbox and Tx.ResetOutbox.
	outboxTaken bool
}

func newOverlay() *overlay {
	return &overlay{
		nodes: map[NodeID]*Node{}, absentBelow: map[NodeID]struct{}{}, edges: map[NodeID]*pendingEdges{},
		listedBy: map[NodeID]map[NodeID]bool{}, uses: map[Content]map[NodeID]bool{},
		vectorKeys: map[Content][]string{}, otherLabels: map[NodeID]map[string]*otherLabel{}, rows: map[string][]byte{},
		dims: map[string]int{}, terms: map[uint32]int32{}, deleted: map[NodeID]struct{}{},
	}
}

func (ov *overlay) isAbsentBelow(id NodeID) bool {
	if ov == nil {
		return false
	}
	_, ok := ov.absentBelow[id]
	return ok
}
