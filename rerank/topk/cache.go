package topk

import (
	"math"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"kilim/rerank"
)

// cache keeps by node what was used last, bounded by the bytes that it takes. A bound by number would be none: an artifact's
// evidence has a word for each that its text has, and texts have a megabyte. It is safe for concurrent use.
type cache[V any] struct {
	size func(V) int

	mu    sync.Mutex
	lru   *simplelru.LRU[uint64, V]
	bytes int
	limit int
}

func newCache[V any](limit int, size func(V) int) *cache[V] {
	c := &cache[V]{size: size, limit: limit}
	lru, err := simplelru.NewLRU(math.MaxInt, func(_ uint64, v V) { c.bytes -= size(v) })
	if err != nil {
		panic("topk: " + err.Error()) // the size is a positive constant
	}
	c.lru = lru
	return c
}

func (c *cache[V]) get(node uint64) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lru.Get(node)
}

// put takes a value, which must not change any more.
func (c *cache[V]) put(node uint64, v V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lru.Remove(node) // so that its bytes are taken off
	c.lru.Add(node, v)
	c.bytes += c.size(v)
	for c.bytes > c.limit {
		if _, _, ok := c.lru.RemoveOldest(); !ok {
			break
		}
	}
}

func (c *cache[V]) remove(node uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lru.Remove(node)
}

// Bytes of what the caches keep, about: of a value with its place in the cache, of an entry of a list beside its id, and of a word
// as evidence has it and as it is prepared.
const (
	valueBytes        = 256
	entryBytes        = 64
	wordBytes         = 8
	preparedWordBytes = 8
	preparedNodeBytes = 4
)

func evidenceBytes(e *rerank.Evidence) int {
	return valueBytes + len(e.ID) + 8*(len(e.Entities)+len(e.Links)) + wordBytes*len(e.Words)
}

// preparedBytes includes the evidence, which what is prepared keeps alive.
func preparedBytes(e *rerank.Evidence) int {
	return evidenceBytes(e) + valueBytes + preparedNodeBytes*len(e.Entities) + preparedWordBytes*len(e.Words)
}

func rowBytes(r *Row) int {
	n := valueBytes
	for _, list := range r.Lists {
		for _, entry := range list.Entries {
			n += entryBytes + len(entry.ID)
		}
	}
	return n
}
