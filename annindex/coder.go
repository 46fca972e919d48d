package annindex

import (
	"fmt"
	"io"
	"maps"
	"math/rand"
	"slices"
	"sync"

	"github.com/coder/hnsw"

	"kilim/annindex/internal/ann"
)

// coder is the engine that puts github.com/coder/hnsw behind Index.
//
// The library panics when a key is added again, and after deletions. So each
// Put takes a new key. The key of a vector that was moved or deleted stays in the graph as a
// dead key, which search passes over, and rebuild makes the graph anew from the
// live vectors when dead keys outnumber them. If the library panics all the same (add, find),
// the graph is rebuilt, and if that fails too, search compares with every
// vector until the next rebuild: slow, but no error for the caller.
//
// coder is a measured baseline, not for use. By BenchmarkCoderRecall, on text
// vectors of 4,000 artifacts of the Walters catalogue, it finds 0.14 of the ten
// nearest, whether EfSearch is 20 or 200, since the library ends a search with the first step that
// brings nothing nearer; asked for 200 answers it has 0.24 of the first ten.
//
// Its answers may differ from run to run: the library begins a search at whichever node the
// iteration of a map gives first.
type coder struct {
	dim  int
	lock sync.RWMutex
	// graph is nil if the library panicked in the last rebuild: search scans then.
	graph *hnsw.Graph[uint64]
	// owner maps a key of the graph to the id whose vector it is. A dead key has no owner.
	owner map[uint64]uint64
	live  map[uint64]entry
	keys  uint64 // the last key that was given out
}

// entry is the vector of an id and the graph's key for it.
type entry struct {
	key uint64
	vec []float32
}

func newCoder(dim int) *coder {
	return &coder{dim: dim, graph: newGraph(), owner: map[uint64]uint64{}, live: map[uint64]entry{}}
}

func newGraph() *hnsw.Graph[uint64] {
	g := hnsw.NewGraph[uint64]()
	g.Rng = rand.New(rand.NewSource(1))
	g.EfSearch = 20
	return g
}

// add and find return false if the library panics.
func add(g *hnsw.Graph[uint64], e entry) (ok bool) {
	defer func() { ok = recover() == nil }()
	g.Add(hnsw.MakeNode(e.key, e.vec))
	return true
}

func find(g *hnsw.Graph[uint64], vec []float32, n int) (nodes []hnsw.Node[uint64], ok bool) {
	defer func() { ok = recover() == nil }()
	return g.Search(vec, n), true
}

func (c *coder) Put(id uint64, vec []float32) error {
	if err := ann.CheckVector(vec, c.dim); err != nil {
		return err
	}
	c.lock.Lock()
	defer c.lock.Unlock()
	if old, ok := c.live[id]; ok {
		delete(c.owner, old.key)
	}
	c.keys++
	e := entry{c.keys, slices.Clone(vec)}
	c.live[id], c.owner[e.key] = e, id
	if c.graph == nil || !add(c.graph, e) || c.tooManyDead() {
		c.rebuild()
	}
	return nil
}

func (c *coder) Delete(id uint64) error {
	c.lock.Lock()
	defer c.lock.Unlock()
	e, ok := c.live[id]
	if !ok {
		return fmt.Errorf("%w %d", ErrUnknown, id)
	}
	delete(c.live, id)
	delete(c.owner, e.key)
	if c.graph == nil || c.tooManyDead() {
		c.rebuild()
	}
	return nil
}

// tooManyDead tells whether dead keys outnumber the others by 16: without the 16 small graphs would be rebuilt all the
// time.
func (c *coder) tooManyDead() bool { return c.graph.Len() > 2*len(c.live)+16 }

// rebuild makes the graph anew from the live vectors, in the order of their ids, so that the
// graph depends on the vectors and not on their history.
func (c *coder) rebuild() {
	c.graph = newGraph()
	for _, id := range slices.Sorted(maps.Keys(c.live)) {
		if !add(c.graph, c.live[id]) {
			c.graph = nil
			return
		}
	}
}

func (c *coder) Search(vec []float32, k int, keep func(uint64) bool) ([]Hit, error) {
	if err := ann.CheckVector(vec, c.dim); err != nil {
		return nil, err
	}
	if err := ann.CheckK(k); err != nil {
		return nil, err
	}
	return c.search(vec, k, keep), nil
}

// search asks the graph for more and more answers, until k of them are live and
// allowed by keep, or the graph has no more.
func (c *coder) search(vec []float32, k int, keep func(uint64) bool) []Hit {
	c.lock.RLock()
	defer c.lock.RUnlock()
	if len(c.live) == 0 {
		return nil
	}
	if c.graph == nil {
		return c.scan(vec, k, keep)
	}
	for n := min(k, c.graph.Len()); ; n = min(4*n, c.graph.Len()) {
		nodes, ok := find(c.graph, vec, n)
		if !ok {
			return c.scan(vec, k, keep)
		}
		t := top{k: k}
		for _, node := range nodes {
			if id, ok := c.owner[node.Key]; ok && (keep == nil || keep(id)) {
				t.offer(Hit{ID: id, Score: Dot(vec, node.Value)})
			}
		}
		if len(t.hits) == k || n == c.graph.Len() {
			return t.sorted()
		}
	}
}

// scan compares with every vector.
func (c *coder) scan(vec []float32, k int, keep func(uint64) bool) []Hit {
	t := top{k: k}
	for id, e := range c.live {
		if keep == nil || keep(id) {
			t.offer(Hit{ID: id, Score: Dot(vec, e.vec)})
		}
	}
	return t.sorted()
}

func (c *coder) SearchExact(vec []float32, k int, keep func(uint64) bool) ([]Hit, error) {
	if err := ann.CheckVector(vec, c.dim); err != nil {
		return nil, err
	}
	if err := ann.CheckK(k); err != nil {
		return nil, err
	}
	c.lock.RLock()
	defer c.lock.RUnlock()
	return c.scan(vec, k, keep), nil
}

func (c *coder) SearchMany(vecs [][]float32, k int) ([][]Hit, error) {
	if err := ann.CheckMany(vecs, k, c.dim); err != nil {
		return nil, err
	}
	out := make([][]Hit, len(vecs))
	for i, v := range vecs {
		out[i] = c.search(v, k, nil)
	}
	return out, nil
}

func (c *coder) Vector(id uint64, out []float32) bool {
	c.lock.RLock()
	defer c.lock.RUnlock()
	e, ok := c.live[id]
	copy(out, e.vec)
	return ok
}

func (c *coder) Len() int {
	c.lock.RLock()
	defer c.lock.RUnlock()
	return len(c.live)
}

func (c *coder) Dim() int { return c.dim }

func (c *coder) IDs() []uint64 {
	c.lock.RLock()
	defer c.lock.RUnlock()
	return slices.Sorted(maps.Keys(c.live))
}

func (c *coder) Snapshot(w io.Writer) error {
	c.lock.RLock()
	defer c.lock.RUnlock()
	ids := slices.Sorted(maps.Keys(c.live))
	return writeSnapshot(w, c.dim, ids, func(i int) []float32 { return c.live[ids[i]].vec })
}

// Restore rebuilds the graph from the vectors of the snapshot. The library's own file format would keep
// dead keys like others, and has no checksum.
func (c *coder) Restore(r io.Reader) error {
	ids, vectors, err := readSnapshot(r, c.dim)
	if err != nil {
		return err
	}
	next := newCoder(c.dim)
	for i, id := range ids {
		next.keys++
		e := entry{next.keys, slices.Clone(vectors[i*c.dim : (i+1)*c.dim])}
		next.live[id], next.owner[e.key] = e, id
	}
	next.rebuild()
	c.lock.Lock()
	defer c.lock.Unlock()
	c.graph, c.owner, c.live, c.keys = next.graph, next.owner, next.live, next.keys
	return nil
}
