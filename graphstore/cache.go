package graphstore

import (
	"math"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// cache keeps decoded values of the latest generation (the state after the
// last commit) and shares them between readers of that and, as far as they
// are still valid there, of earlier generations. It is bounded by bytes.
type cache[V any] struct {
	mu    sync.Mutex
	gen   uint64
	lru   *simplelru.LRU[NodeID, cached[V]]
	bytes int
	limit int
}

// cached is a value that holds from generation since on.
type cached[V any] struct {
	value V
	since uint64
	bytes int
}

func newCache[V any](limit int) *cache[V] {
	c := &cache[V]{limit: limit}
	// cache.limit bounds by bytes; simplelru's own bound, by number, is out of reach.
	lru, err := simplelru.NewLRU(math.MaxInt, func(_ NodeID, e cached[V]) { c.bytes -= e.bytes })
	if err != nil {
		panic("graphstore: " + err.Error()) // the size is a positive constant
	}
	c.lru = lru
	return c
}

// get returns the value as a reader of generation gen must see it.
func (c *cache[V]) get(id NodeID, gen uint64) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.lru.Get(id)
	if !ok || e.since > gen {
		var none V
		return none, false
	}
	return e.value, true
}

// offer adds what a reader of generation gen read. An older reader's value may
// have been superseded, so it is not taken.
func (c *cache[V]) offer(id NodeID, gen uint64, v V, bytes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if gen == c.gen && !c.lru.Contains(id) {
		c.put(id, cached[V]{v, gen, bytes})
	}
}

// put wants c.mu held.
func (c *cache[V]) put(id NodeID, e cached[V]) {
	c.lru.Remove(id) // so that its bytes are taken off
	c.lru.Add(id, e)
	c.bytes += e.bytes
	for c.bytes > c.limit {
		if _, _, ok := c.lru.RemoveOldest(); !ok {
			break
		}
	}
}

// publish begins generation gen. changes calls set or drop for each value
// that differs in it.
func (c *cache[V]) publish(gen uint64, changes func(set func(NodeID, V, int), drop func(NodeID))) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gen = gen
	changes(
		func(id NodeID, v V, bytes int) { c.put(id, cached[V]{v, gen, bytes}) },
		func(id NodeID) { c.lru.Remove(id) },
	)
}
