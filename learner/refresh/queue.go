package refresh

import (
	"container/heap"

	"kilim/graphstore"
	"kilim/internal/waiting"
)

// pushQueue is a priority queue of the pending pushes: the farthest moved first, then by id, so that two runs over the
// same history do the same work in the same order.
type pushQueue struct {
	heap   pushHeap
	byNode map[graphstore.NodeID]*pushItem
	// inputs are the nodes whose push tells of another h0 too, or may: that of an earlier process may.
	inputs map[graphstore.NodeID]struct{}
	// waits has since when a node has told something that not all dependants have read: a push that begins again has waited
	// since the first.
	waits waiting.Since
}

type pushItem struct {
	push  graphstore.Push
	index int
	// startedIn is the number of the Pass that started the push, 0 if another process did.
	startedIn uint64
}

func (q *pushQueue) len() int { return len(q.heap) }

func (q *pushQueue) has(id graphstore.NodeID) bool { return q.byNode[id] != nil }

// of returns the push queued for a node, or none, and the number of the Pass that started it: its Cursor is 0 as long as no dependant was
// told.
func (q *pushQueue) of(id graphstore.NodeID) (push graphstore.Push, startedIn uint64) {
	if it := q.byNode[id]; it != nil {
		return it.push, it.startedIn
	}
	return graphstore.Push{}, 0
}

// start adds p, which the Pass of this number starts, or replaces the push queued for its node.
func (q *pushQueue) start(p graphstore.Push, pass uint64) {
	q.put(p)
	q.byNode[p.Node].startedIn = pass
}

// put adds p, or replaces the push queued for its node and keeps its startedIn.
func (q *pushQueue) put(p graphstore.Push) {
	if it := q.byNode[p.Node]; it != nil {
		it.push = p
		heap.Fix(&q.heap, it.index)
		return
	}
	if q.byNode == nil {
		q.byNode = make(map[graphstore.NodeID]*pushItem)
	}
	q.waits.Begin(uint64(p.Node))
	it := &pushItem{push: p}
	q.byNode[p.Node] = it
	heap.Push(&q.heap, it)
}

// withInputs notes that the push queued for a node tells of another h0 too.
func (q *pushQueue) withInputs(id graphstore.NodeID) {
	if q.inputs == nil {
		q.inputs = make(map[graphstore.NodeID]struct{})
	}
	q.inputs[id] = struct{}{}
}

// tellsInputs tells whether some queued push does.
func (q *pushQueue) tellsInputs() bool { return len(q.inputs) > 0 }

func (q *pushQueue) first() (push graphstore.Push, startedIn uint64, ok bool) {
	if len(q.heap) == 0 {
		return graphstore.Push{}, 0, false
	}
	return q.heap[0].push, q.heap[0].startedIn, true
}

func (q *pushQueue) remove(id graphstore.NodeID) {
	if it := q.byNode[id]; it != nil {
		heap.Remove(&q.heap, it.index)
		q.waits.End(uint64(id))
		delete(q.byNode, id)
		delete(q.inputs, id)
	}
}

type pushHeap []*pushItem

func (h pushHeap) Len() int { return len(h) }
func (h pushHeap) Less(i, j int) bool {
	a, b := h[i].push, h[j].push
	if a.Weight != b.Weight {
		return a.Weight > b.Weight
	}
	return a.Node < b.Node
}
func (h pushHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}
func (h *pushHeap) Push(x any) {
	it := x.(*pushItem)
	it.index = len(*h)
	*h = append(*h, it)
}
func (h *pushHeap) Pop() any {
	old := *h
	it := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return it
}
