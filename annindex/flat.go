package annindex

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"

	"kilim/annindex/internal/ann"
	"kilim/annindex/internal/dist"
)

// flat is the engine that holds its vectors in one block of memory and compares a query with all of them.
type flat struct {
	dim  int
	lock sync.RWMutex
	// ids and vectors are parallel: the vector of ids[i] is vectors[i*dim:(i+1)*dim], and slots[ids[i]] is i. Delete
	// moves the last vector into the gap, so memory follows the number of vectors.
	ids     []uint64
	vectors []float32
	slots   map[uint64]int
}

func newFlat(dim int) *flat { return &flat{dim: dim, slots: map[uint64]int{}} }

// Dot is the score of a pair of vectors of equal length, as Search computes it.
func Dot(a, b []float32) float32 { return dist.Dot(a, b) }

func (f *flat) at(slot int) []float32 { return f.vectors[slot*f.dim : (slot+1)*f.dim] }

func (f *flat) Put(id uint64, vec []float32) error {
	if err := ann.CheckVector(vec, f.dim); err != nil {
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
	if err := ann.CheckVector(vec, f.dim); err != nil {
		return nil, err
	}
	if err := ann.CheckK(k); err != nil {
		return nil, err
	}
	return f.search([][]float32{vec}, k, keep)[0], nil
}

func (f *flat) SearchExact(vec []float32, k int, keep func(uint64) bool) ([]Hit, error) {
	return f.Search(vec, k, keep)
}

func (f *flat) SearchMany(vecs [][]float32, k int) ([][]Hit, error) {
	if err := ann.CheckMany(vecs, k, f.dim); err != nil {
		return nil, err
	}
	return f.search(vecs, k, nil), nil
}

const (
	// tile is the number of vectors that scan compares with every query while they
	// are in the cache: a pass over all vectors for each query would read all memory each time.
	tile = 64
	// rowsPerWorker is the least number of rows worth a goroutine: fewer are compared
	// in the time that it takes to start one.
	rowsPerWorker = 4096
)

// search shares the work among the cores: by queries when there are as many as cores, else by ranges of rows, whose
// answers it merges. ann.Better is a total order, so both give the same: TestCoresAgree holds it.
func (f *flat) search(vecs [][]float32, k int, keep func(uint64) bool) [][]Hit {
	f.lock.RLock()
	defer f.lock.RUnlock()
	n, cores := len(f.ids), runtime.GOMAXPROCS(0)
	out := make([][]Hit, len(vecs))
	if len(vecs) >= cores {
		parallel(len(vecs), cores, func(_, from, to int) {
			for i, t := range f.scan(vecs[from:to], k, keep, 0, n) {
				out[from+i] = t.sorted()
			}
		})
		return out
	}
	parts := make([][]top, min(cores, n/rowsPerWorker+1))
	parallel(n, len(parts), func(w, from, to int) { parts[w] = f.scan(vecs, k, keep, from, to) })
	for q := range vecs {
		all := parts[0][q]
		for _, part := range parts[1:] {
			for _, h := range part[q].hits {
				all.offer(h)
			}
		}
		out[q] = all.sorted()
	}
	return out
}

// parallel calls fn for the parts of [0, n), each in a goroutine when there are several.
func parallel(n, parts int, fn func(part, from, to int)) {
	if parts == 1 {
		fn(0, 0, n)
		return
	}
	var wg sync.WaitGroup
	for p := range parts {
		wg.Go(func() { fn(p, n*p/parts, n*(p+1)/parts) })
	}
	wg.Wait()
}

// scan compares the rows [from, to) with every query and returns the best of each.
func (f *flat) scan(vecs [][]float32, k int, keep func(uint64) bool, from, to int) []top {
	tops := make([]top, len(vecs))
	for i := range tops {
		tops[i] = top{k: k, hits: make([]Hit, 0, min(k, to-from))}
	}
	for start := from; start < to; start += tile {
		end := min(start+tile, to)
		for q, vec := range vecs {
			t := &tops[q]
			for i := start; i < end; i++ {
				if keep != nil && !keep(f.ids[i]) {
					continue
				}
				h := Hit{ID: f.ids[i], Score: Dot(vec, f.at(i))}
				if len(t.hits) == k && h.Score < t.hits[0].Score {
					continue // offer would find so too, but for nearly all rows the call would cost more than the comparison
				}
				t.offer(h)
			}
		}
	}
	return tops
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

func (f *flat) IDs() []uint64 {
	f.lock.RLock()
	defer f.lock.RUnlock()
	return slices.Sorted(slices.Values(f.ids))
}

func (f *flat) Snapshot(w io.Writer) error {
	f.lock.RLock()
	defer f.lock.RUnlock()
	return writeSnapshot(w, f.dim, f.ids, f.at)
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
