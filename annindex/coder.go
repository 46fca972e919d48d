package annindex

import (
	"fmt"
	"io"
	"math/rand"
	"slices"
	"sync"

	"github.com/coder/hnsw"
)

// coder is github.com/coder/hnsw behind the interface. The library panics when
// a key is added again and after deletions, and finds a third to a half of the
// true neighbours of real vectors. So each Put gets a key of its own, what was moved or
// deleted stays in the graph as a dead key that answers skip, and the graph
// is built anew when the dead outnumber the living.
type coder struct {
	dim   int
	lock  sync.RWMutex
	graph *hnsw.Graph[uint64]
	// owner tells whose vector a key of the graph is; a dead key has none.
	owner map[uint64]uint64
	live  map[uint64]entry
	keys  uint64
}

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
	g.EfSearch = 200
	return g
}

func (c *coder) Put(id uint64, vec []float32) error {
	if err := checkVector(vec, c.dim); err != nil {
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
	if err := c.add(e); err != nil || c.tooManyDead() {
		return c.rebuild()
	}
	return nil
}

// add reports the library's panic as an error.
func (c *coder) add(e entry) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("annindex: coder/hnsw: %v", r)
		}
	}()
	c.graph.Add(hnsw.MakeNode(e.key, e.vec))
	return nil
}

func (c *coder) tooManyDead() bool { return c.graph.Len() > 2*len(c.live)+16 }

// rebuild makes the graph anew from the living.
func (c *coder) rebuild() error {
	c.graph = newGraph()
	ids := make([]uint64, 0, len(c.live))
	for id := range c.live {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		if err := c.add(c.live[id]); err != nil {
			return err
		}
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
	if c.tooManyDead() {
		return c.rebuild()
	}
	return nil
}

func (c *coder) Search(vec []float32, k int, keep func(uint64) bool) (hits []Hit, err error) {
	if err := checkVector(vec, c.dim); err != nil {
		return nil, err
	}
	if err := checkK(k); err != nil {
		return nil, err
	}
	c.lock.RLock()
	defer c.lock.RUnlock()
	if len(c.live) == 0 {
		return nil, nil
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("annindex: coder/hnsw: %v", r)
		}
	}()
	t := top{k: k}
	dead := c.graph.Len() - len(c.live)
	for _, n := range c.graph.Search(vec, k+dead) {
		id, ok := c.owner[n.Key]
		if !ok || keep != nil && !keep(id) {
			continue
		}
		t.offer(Hit{id, Dot(vec, n.Value)})
	}
	return t.sorted(), nil
}

func (c *coder) SearchMany(vecs [][]float32, k int) ([][]Hit, error) {
	out := make([][]Hit, len(vecs))
	for i, v := range vecs {
		hits, err := c.Search(v, k, nil)
		if err != nil {
			return nil, fmt.Errorf("query %d: %w", i, err)
		}
		out[i] = hits
	}
	return out, nil
}

func (c *coder) Vector(id uint64, out []float32) bool {
	c.lock.RLock()
	defer c.lock.RUnlock()
	e, ok := c.live[id]
	if ok {
		copy(out, e.vec)
	}
	return ok
}

func (c *coder) Len() int {
	c.lock.RLock()
	defer c.lock.RUnlock()
	return len(c.live)
}

func (c *coder) Dim() int { return c.dim }

func (c *coder) Snapshot(w io.Writer) error {
	c.lock.RLock()
	defer c.lock.RUnlock()
	var ids []uint64
	for id := range c.live {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	var vectors []float32
	for _, id := range ids {
		vectors = append(vectors, c.live[id].vec...)
	}
	return writeSnapshot(w, c.dim, ids, vectors)
}

func (c *coder) Restore(r io.Reader) error {
	ids, vectors, err := readSnapshot(r, c.dim)
	if err != nil {
		return err
	}
	next := newCoder(c.dim)
	for i, id := range ids {
		if err := next.Put(id, vectors[i*c.dim:(i+1)*c.dim]); err != nil {
			return fmt.Errorf("%w: vector %d: %v", ErrSnapshot, id, err)
		}
	}
	c.lock.Lock()
	defer c.lock.Unlock()
	c.graph, c.owner, c.live, c.keys = next.graph, next.owner, next.live, next.keys
	return nil
}
