package annindex

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"

	"github.com/viterin/vek/vek32"
)

// flat holds its vectors in one block of memory and compares with all of them.
type flat struct {
	dim  int
	lock sync.RWMutex
	// ids and vectors are parallel: vector i is vectors[i*dim:(i+1)*dim]. A
	// deletion moves the last one into the gap, so memory follows the living.
	ids     []uint64
	vectors []float32
	slots   map[uint64]int
}

func newFlat(dim int) *flat { return &flat{dim: dim, slots: map[uint64]int{}} }

// Dot is the score of a pair of vectors of equal length, as Search computes it.
func Dot(a, b []float32) float32 { return vek32.Dot(a, b) }

func (f *flat) at(slot int) []float32 { return f.vectors[slot*f.dim : (slot+1)*f.dim] }

func (f *flat) Put(id uint64, vec []float32) error {
	if err := checkVector(vec, f.dim); err != nil {
		return err
	}
	f.lock.Lock()
	defer f.lock.Unlock()
	if slot, ok := f.slots[id]; ok {
		copy(f.at(slot), vec)
		return nil
	}
	f.slots[id] = len(f.ids)
	f.ids = append(f.ids, id)
	f.vectors = append(f.vectors, vec...)
	return nil
}

func (f *flat) Delete(id uint64) error {
	f.lock.Lock()
	defer f.lock.Unlock()
	slot, ok := f.slots[id]
	if !ok {
		return fmt.Errorf("%w %d", ErrUnknown, id)
	}
	last := len(f.ids) - 1
	if slot != last {
		f.ids[slot] = f.ids[last]
		copy(f.at(slot), f.at(last))
		f.slots[f.ids[slot]] = slot
	}
	f.ids = f.ids[:last]
	f.vectors = f.vectors[:last*f.dim]
	delete(f.slots, id)
	if cap(f.ids) > 1024 && len(f.ids) < cap(f.ids)/4 {
		f.ids = slices.Clip(slices.Clone(f.ids))
		f.vectors = slices.Clip(slices.Clone(f.vectors))
	}
	return nil
}

func (f *flat) Search(vec []float32, k int, keep func(uint64) bool) ([]Hit, error) {
	if err := checkVector(vec, f.dim); err != nil {
		return nil, err
	}
	if err := checkK(k); err != nil {
		return nil, err
	}
	f.lock.RLock()
	defer f.lock.RUnlock()
	t := top{k: k}
	for i, id := range f.ids {
		if keep != nil && !keep(id) {
			continue
		}
		t.offer(Hit{id, Dot(vec, f.at(i))})
	}
	return t.sorted(), nil
}

// tile is the number of vectors that are compared with every query while they are
// in the cache: a scan per query would read all memory each time.
const tile = 64

func (f *flat) SearchMany(vecs [][]float32, k int) ([][]Hit, error) {
	if err := checkK(k); err != nil {
		return nil, err
	}
	for i, v := range vecs {
		if err := checkVector(v, f.dim); err != nil {
			return nil, fmt.Errorf("query %d: %w", i, err)
		}
	}
	f.lock.RLock()
	defer f.lock.RUnlock()
	out := make([][]Hit, len(vecs))
	workers := min(runtime.GOMAXPROCS(0), len(vecs))
	var wg sync.WaitGroup
	for w := range workers {
		from, to := len(vecs)*w/workers, len(vecs)*(w+1)/workers
		wg.Go(func() { f.scan(vecs[from:to], k, out[from:to]) })
	}
	wg.Wait()
	return out, nil
}

func (f *flat) scan(vecs [][]float32, k int, out [][]Hit) {
	tops := make([]top, len(vecs))
	for i := range tops {
		tops[i] = top{k: k, hits: make([]Hit, 0, min(k, len(f.ids)))}
	}
	for start := 0; start < len(f.ids); start += tile {
		end := min(start+tile, len(f.ids))
		for q, vec := range vecs {
			t := &tops[q]
			for i := start; i < end; i++ {
				h := Hit{f.ids[i], Dot(vec, f.at(i))}
				if len(t.hits) == k && h.Score < t.hits[0].Score {
					continue
				}
				t.offer(h)
			}
		}
	}
	for i := range tops {
		out[i] = tops[i].sorted()
	}
}

func (f *flat) Vector(id uint64, out []float32) bool {
	f.lock.RLock()
	defer f.lock.RUnlock()
	slot, ok := f.slots[id]
	if ok {
		copy(out, f.at(slot))
	}
	return ok
}

func (f *flat) Len() int {
	f.lock.RLock()
	defer f.lock.RUnlock()
	return len(f.ids)
}

func (f *flat) Dim() int { return f.dim }

func (f *flat) Snapshot(w io.Writer) error {
	f.lock.RLock()
	defer f.lock.RUnlock()
	return writeSnapshot(w, f.dim, f.ids, f.vectors)
}

func (f *flat) Restore(r io.Reader) error {
	ids, vectors, err := readSnapshot(r, f.dim)
	if err != nil {
		return err
	}
	slots := make(map[uint64]int, len(ids))
	for i, id := range ids {
		slots[id] = i
	}
	f.lock.Lock()
	defer f.lock.Unlock()
	f.ids, f.vectors, f.slots = ids, vectors, slots
	return nil
}
