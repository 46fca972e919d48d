package topk

import (
	"math"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"kilim/rerank"
)

// rowCache keeps the rows that were used last, bounded by the bytes that they take: ids have up to a kilobyte. Only the unit at
// work uses it.
type rowCache struct {
	lru   *simplelru.LRU[uint64, *Row]
	bytes int
	limit int
}

func newRowCache(limit int) *rowCache {
	c := &rowCache{limit: limit}
	lru, err := simplelru.NewLRU(math.MaxInt, func(_ uint64, r *Row) { c.bytes -= rowBytes(r) })
	if err != nil {
		panic("topk: " + err.Error()) // the size is a positive constant
	}
	c.lru = lru
	return c
}

func (c *rowCache) get(node uint64) (*Row, bool) { return c.lru.Get(node) }

// put takes a row, which must not change any more.
func (c *rowCache) put(node uint64, r *Row) {
	c.lru.Remove(node) // so that its bytes are taken off
	c.lru.Add(node, r)
	c.bytes += rowBytes(r)
	for c.bytes > c.limit {
		if _, _, ok := c.lru.RemoveOldest(); !ok {
			break
		}
	}
}

func (c *rowCache) remove(node uint64) { c.lru.Remove(node) }

// rowBytes is what a row takes, about: with its place in the cache, and of each entry what it takes beside its id.
func rowBytes(r *Row) int {
	const row, entry, cause = 256, 64, 72
	n := row + len(r.History)
	count := func(lists rerank.Lists) {
		for _, list := range lists {
			for _, e := range list.Entries {
				n += entry + len(e.ID)
			}
		}
	}
	count(r.Lists)
	if r.Ordered != nil {
		for i := range r.Ordered.Entries {
			n += entry + len(r.Ordered.Entries[i].ID)
		}
	}
	if r.Pending != nil {
		count(r.Pending.Before)
		for _, c := range r.Pending.Causes {
			n += cause + len(c.ID) + len(c.TraceParent)
		}
	}
	return n
}
