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
// of what it is now unless a push of its node, or to it, is pending or it is to be rechecked. The embedding of each artifact must equal, bit for bit, what its
// neighbourhood gives, unless a push to it is pending.
func (r *Refresher) Check(g CheckReader, fault func(string)) error {
	faultf := func(format string, args ...any) { fault(fmt.Sprintf(format, args...)) }
	sums := map[graphstore.NodeID]*graphstore.Node{} // with nothing but sums
	var all []graphstore.NodeID
	var bad error
	err := g.EachNode(func(n *graphstore.Node) bool {
		if !hasVectors(n) {
			return true
		}
		for l := range r.layers {
			if v, width := told(n, l), r.model.Width(l); !wholeBlocks(v, width) {
				faultf("node %d (%s %q): a vector of %d numbers for layer %d, want some blocks of %d", n.ID, n.Type, n.Key, len(v), l+1, width)
				return true
			}
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
		for l := range r.layers {
			var part []int64
			for i, edge := range edges {
				part = r.partOver(edges, i, part, told(n, l), 1, l)
				if sums[edge.To] == nil {
					sums[edge.To] = &graphstore.Node{}
				}
				if r.sums(edge.Rel, l) {
					r.addTo(sums[edge.To], l, part)
				}
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
		want := sums[id]
		if want == nil {
			want = &graphstore.Node{}
		}
		if err := r.checkNode(g, id, want, rechecks[id], faultf); err != nil {
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

func (r *Refresher) checkNode(g Reader, id graphstore.NodeID, sums *graphstore.Node, recheck bool, faultf func(string, ...any)) error {
	n, err := g.Node(id)
	if err != nil {
		return err
	}
	for l := range r.layers {
		if slices.Equal(sumOf(n, l), sumOf(sums, l)) {
			continue
		}
		what := "vectors"
		if l == 0 {
			what = "features"
		}
		faultf("%s %q: the running sum of its neighbours' %s is not their sum (layer %d)", n.Type, n.Key, what, l+1)
	}
	moved := func(h *vectors) {
		for l := 1; l < r.layers; l++ {
			if d := rms(h[l], told(n, l), r.model.Width(l)); d > r.cfg.Epsilon+roundingTolerance {
				faultf("%s %q: its vector of layer %d moved by %v since it was pushed, more than epsilon %v, and no push is on its way", n.Type, n.Key, l, d, r.cfg.Epsilon)
			}
		}
	}
	if !n.IsArtifact() {
		if !r.queue.has(id) && !recheck {
			h := r.vectorsOf(n)
			moved(&h)
		}
		return nil
	}
	e := &embedding{id: id, node: n}
	if err = e.read(r, g); err != nil {
		return err
	}
	want, _ := r.whole(e)
	if len(n.Embedding) != len(want) {
		faultf("artifact %q: an embedding of %d numbers, want %d", n.Key, len(n.Embedding), len(want))
		return nil
	}
	if r.pushPending(e) {
		return nil
	}
	if !recheck {
		moved(&e.h)
	}
	if slices.Equal(n.Embedding, want) {
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
