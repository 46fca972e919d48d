package refresh

import (
	"fmt"
	"slices"

	"kilim/graphstore"
)

// CheckReader is the part of the graph that Check reads.
type CheckReader interface {
	Reader
	EachNode(fn func(*graphstore.Node) bool) error
}

// roundingTolerance is what rounding may add to Epsilon when a vector is computed again.
const roundingTolerance = 1e-6

// Check recomputes from scratch all that the refresh maintains, and calls fault for each difference. Each running sum
// must equal, bit for bit, the sum over the artifacts that contribute to it. Each pushed vector must be within Epsilon
// of h1 unless a push of its node is pending or it is to be rechecked. The embedding of each artifact must equal, bit for bit, what its
// neighbourhood gives, unless a push to it is pending.
func (r *Refresher) Check(g CheckReader, fault func(string)) error {
	faultf := func(format string, args ...any) { fault(fmt.Sprintf(format, args...)) }
	sum1 := map[graphstore.NodeID][]int64{}
	sum2 := map[graphstore.NodeID][]int64{}
	w0, w1 := r.model.Width(0), r.model.Width(1)
	var all []graphstore.NodeID
	var bad error
	err := g.EachNode(func(n *graphstore.Node) bool {
		if !hasVectors(n) {
			return true
		}
		if h0 := features(n); !wholeBlocks(h0, w0) || !wholeBlocks(n.Hidden, w1) {
			faultf("node %d (%s %q): vectors of %d and %d numbers, want some blocks of %d and of %d", n.ID, n.Type, n.Key, len(h0), len(n.Hidden), w0, w1)
			return true
		}
		all = append(all, n.ID)
		if !n.IsArtifact() {
			return true
		}
		edges, err := outEdges(g, n.ID)
		if err != nil {
			bad = err
			return false
		}
		own, pushed := addVector(nil, features(n), 1, w0), addVector(nil, n.Hidden, 1, w1)
		for _, edge := range edges {
			sum1[edge.To] = addFixed(sum1[edge.To], own, w0)
			if edge.Rel == graphstore.RelLink {
				sum2[edge.To] = addFixed(sum2[edge.To], pushed, w1)
			}
		}
		return true
	})
	if err != nil {
		return err
	}
	if bad != nil {
		return bad
	}
	rechecks := make(map[graphstore.NodeID]bool, len(r.rechecks))
	for _, id := range r.rechecks {
		rechecks[id] = true
	}
	for _, id := range all {
		if err := r.checkNode(g, id, sum1[id], sum2[id], rechecks, faultf); err != nil {
			return err
		}
	}
	return nil
}

// wholeBlocks tells whether a vector has one or more whole blocks.
func wholeBlocks(v []float32, width int) bool { return len(v) > 0 && len(v)%width == 0 }

// hasVectors tells whether the refresh keeps vectors of a node. Media nodes have none: their features are in those of
// their artifact.
func hasVectors(n *graphstore.Node) bool {
	return n.Type != graphstore.Text && n.Type != graphstore.Image && n.Type != graphstore.Audio
}

func (r *Refresher) checkNode(g Reader, id graphstore.NodeID, sum1, sum2 []int64, rechecks map[graphstore.NodeID]bool, faultf func(string, ...any)) error {
	n, err := g.Node(id)
	if err != nil {
		return err
	}
	if !slices.Equal(n.Sum1, sum1) {
		faultf("%s %q: the running sum of its neighbours' features is not their sum", n.Type, n.Key)
	}
	if n.Type == graphstore.Artifact && !slices.Equal(n.Sum2, sum2) {
		faultf("%s %q: the running sum of its neighbours' vectors is not their sum", n.Type, n.Key)
	}
	if !n.IsArtifact() {
		if d := rms(r.firstLayer([]*graphstore.Node{n})[0], n.Hidden, r.model.Width(1)); d > r.cfg.Epsilon+roundingTolerance && !r.queue.has(id) && !rechecks[id] {
			faultf("%s %q: its vector moved by %v since it was pushed, more than epsilon %v, and no push is on its way", n.Type, n.Key, d, r.cfg.Epsilon)
		}
		return nil
	}
	e := &embedding{id: id, node: n}
	if err = e.read(r, g); err != nil {
		return err
	}
	want := r.exactly(e)
	if len(n.Embedding) != len(want) {
		faultf("artifact %q: an embedding of %d numbers, want %d", n.Key, len(n.Embedding), len(want))
		return nil
	}
	if slices.Equal(n.Embedding, want) || r.pushPending(e) {
		return nil
	}
	faultf("artifact %q: its embedding is %v away from what its neighbourhood gives, and no push is on its way", n.Key, distance(n.Embedding, want))
	return nil
}

// pushPending is true when a push of something that the embedding reads may not have reached it yet.
func (r *Refresher) pushPending(e *embedding) bool {
	if r.queue.has(e.id) || e.node.Members > 0 && r.Pending() > 0 {
		return true
	}
	return slices.ContainsFunc(e.neighbours, func(nb neighbour) bool { return r.queue.has(nb.node.ID) })
}
