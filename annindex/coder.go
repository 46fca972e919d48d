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

// coder is github.com/coder/hnsw behind the interface.
//
// The library panics when a key is added again and after deletions. So each
// Put gets a key of its own; what was moved or deleted stays in the graph as a
// dead key, which searches pass over; and the graph is built anew from the
// living when the dead outnumber them. Should the library panic all the same,
// the graph is built anew, and if that fails too, searches compare with every
// vector until the next rebuild: slow, but nobody's error.
//
// It is kept as a measured baseline, not for use. BenchmarkCoderRecall, on text
// vectors of 4,000 artifacts of the Walters catalogue: it finds 0.14 of the ten
// nearest, whether EfSearch is 20 or 200, since a search ends with the first step that
// brings nothing nearer; asked for 200 answers it has 0.24 of the first ten.
//
// Its answers may differ from run to run: a search begins at whichever node the
// library's map gives first.
type coder struct {
	dim  int
	lock sync.RWMutex
	// graph is nil while the library can't hold the living.
	graph *hnsw.Graph[uint64]
	// owner tells whose vector a key of the graph is; a dead key has none.
	owner map[uint64]uint64
	live  map[uint64]entry
	keys  uint64
}

// entry is a living vector and the graph's key for it.
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

// add and find report the library's panic as ok = false.
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

// tooManyDead keeps a few more for small graphs, which would be rebuilt all the time.
func (c *coder) tooManyDead() bool { return c.graph.Len() > 2*len(c.live)+16 }

// rebuild makes the graph anew from the living, in the order of their ids: the
// graph depends on the state, not on its history.
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

// search asks the graph for more and more until k of the answers are living and
// kept, or it has no more to give.
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

// scan compares with every living vector.
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

// Restore builds a graph from the vectors: the library's own file format keeps
// neither the dead apart nor a checksum.
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
