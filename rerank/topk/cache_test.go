package topk

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"kilim/rerank"
)

// TestCacheIsBoundedByBytes puts evidence of any size, as records bring it, and looks at what is kept after each step.
func TestCacheIsBoundedByBytes(t *testing.T) {
	t.Parallel()
	const limit = 100_000
	rng := rand.New(rand.NewPCG(1, 1))
	c := newCache(limit, evidenceBytes)
	last := map[uint64]*rerank.Evidence{}
	for range 5000 {
		node := rng.Uint64N(50)
		switch rng.IntN(4) {
		case 0:
			c.remove(node)
			delete(last, node)
		case 1:
			if e, ok := c.get(node); ok && e != last[node] {
				t.Fatal("get returns another value than was put last")
			}
		default:
			e := &rerank.Evidence{ID: fmt.Sprint(node), Words: make([]rerank.Word, rng.IntN(1<<rng.IntN(15)))}
			c.put(node, e)
			last[node] = e
			if kept, ok := c.get(node); ok != (evidenceBytes(e) <= limit) || ok && kept != e {
				t.Fatalf("of %d bytes it is kept: %t", evidenceBytes(e), ok)
			}
		}
		bytes := 0
		for _, node := range c.lru.Keys() {
			e, _ := c.lru.Peek(node)
			bytes += evidenceBytes(e)
		}
		if bytes != c.bytes || bytes > limit {
			t.Fatalf("%d bytes are kept, counted as %d, the limit is %d", bytes, c.bytes, limit)
		}
	}
	if c.lru.Len() == 0 {
		t.Error("nothing is kept")
	}
}

// TestPreparedIsBoundedByBytes does the same with what is prepared, which makes room between units only.
func TestPreparedIsBoundedByBytes(t *testing.T) {
	t.Parallel()
	const limit = 100_000
	rng := rand.New(rand.NewPCG(2, 1))
	p := newPrepared(1, limit)
	kept := 0
	for range 5000 {
		node := rng.Uint64N(200)
		switch rng.IntN(10) {
		case 0:
			p.forget(node)
		case 1:
			p.bound()
		default:
			p.put(node, 0, new(rerank.Prepared), rng.IntN(1<<rng.IntN(15)))
		}
		bytes := 0
		for _, w := range p.by {
			bytes += w.bytes
		}
		if bytes != p.bytes || bytes > limit {
			t.Fatalf("%d bytes are kept, counted as %d, the limit is %d", bytes, p.bytes, limit)
		}
		kept = max(kept, len(p.by))
	}
	if kept < 10 {
		t.Errorf("at most %d are kept", kept)
	}
}

// TestBytesOfRows: what a row takes grows with its lists and the ids in them.
func TestBytesOfRows(t *testing.T) {
	t.Parallel()
	row := &Row{Lists: rerank.Lists{{Name: "total", Entries: make([]rerank.Entry, 200)}}}
	short := rowBytes(row)
	for i := range row.Lists[0].Entries {
		row.Lists[0].Entries[i].ID = strings.Repeat("i", 1024)
	}
	if long := rowBytes(row); short < 200*entryBytes || long != short+200*1024 {
		t.Errorf("%d and %d bytes", short, long)
	}
}
