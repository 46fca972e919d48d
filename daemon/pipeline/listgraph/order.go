package listgraph

import (
	"kilim/graphstore"
	"kilim/rerank/topk"
)

// Orders puts lists into an order that was learned, in each unit by the documents that the unit sees.
type Orders interface {
	Over(state *graphstore.Reader) topk.Order
}

// Order is that of a unit; nil, as of nil: lists are published as they are stated.
func Order(orders Orders, state *graphstore.Reader) topk.Order {
	if orders == nil {
		return nil
	}
	return orders.Over(state)
}
