package swap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"kilim/annindex"
)

// Index is an annindex.Index that can be rebuilt while it serves. Searches take no lock of Index.
// Changes are made one at a time and, during a Rebuild, to both indexes.
type Index struct {
	serving atomic.Pointer[annindex.Index]

	rebuilding sync.Mutex // one Rebuild at a time
	// writing is held by each change of serving, of next and of changed.
	writing sync.Mutex
	// next is the index that Rebuild fills, nil if there is no Rebuild. changed holds the ids that Put or Delete
	// changed in next since Rebuild began: copyVector must not overwrite them with what it read.
	next    annindex.Index
	changed map[uint64]struct{}
}

var _ annindex.Index = (*Index)(nil)

var (
	// ErrRebuilding is returned by Rebuild while another Rebuild runs.
	ErrRebuilding = errors.New("annindex: a rebuild is under way")
	// ErrAbandoned is returned by a Rebuild during which Restore was called, or a change that succeeded in the serving
	// index failed in the new one.
	ErrAbandoned = errors.New("annindex: the rebuild was abandoned")
)

// New returns an Index that serves index. From then on index must be changed through the Index only.
func New(index annindex.Index) *Index {
	x := &Index{}
	x.serving.Store(&index)
	return x
}

func (x *Index) current() annindex.Index { return *x.serving.Load() }

// Put implements annindex.Index.
func (x *Index) Put(id uint64, vec []float32) error {
	x.writing.Lock()
	defer x.writing.Unlock()
	if err := x.current().Put(id, vec); err != nil {
		return err
	}
	if x.next != nil {
		x.changed[id] = struct{}{}
		if x.next.Put(id, vec) != nil {
			x.abandon()
		}
	}
	return nil
}

// Delete implements annindex.Index.
func (x *Index) Delete(id uint64) error {
	x.writing.Lock()
	defer x.writing.Unlock()
	if err := x.current().Delete(id); err != nil {
		return err
	}
	if x.next != nil {
		x.changed[id] = struct{}{}
		if err := x.next.Delete(id); err != nil && !errors.Is(err, annindex.ErrUnknown) {
			x.abandon()
		}
	}
	return nil
}

// abandon lets go of next, so that Rebuild ends with ErrAbandoned if it runs. The caller holds writing.
func (x *Index) abandon() { x.next, x.changed = nil, nil }

// Rebuild fills next, an empty index, with the vectors of the serving one, in the order of their ids, while that goes
// on serving, and then lets next serve. On an error, or when ctx ends, the serving index goes on as if there had been
// no Rebuild. Rebuild looks at ctx before each vector.
func (x *Index) Rebuild(ctx context.Context, next annindex.Index) error {
	if next.Len() > 0 || next.Dim() != x.Dim() {
		return fmt.Errorf("annindex: rebuild in an index of dimension %d with %d vectors, want %d and none", next.Dim(), next.Len(), x.Dim())
	}
	if !x.rebuilding.TryLock() {
		return ErrRebuilding
	}
	defer x.rebuilding.Unlock()
	// ids and next are set under one lock: an id that is put later is not in ids, but Put then writes it to next.
	x.writing.Lock()
	ids := x.current().IDs()
	x.next, x.changed = next, map[uint64]struct{}{}
	x.writing.Unlock()
	defer func() {
		x.writing.Lock()
		x.abandon()
		x.writing.Unlock()
	}()
	vec := make([]float32, x.Dim())
	for _, id := range ids {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("annindex: rebuild: %w", err)
		}
		if err := x.copyVector(id, vec); err != nil {
			return fmt.Errorf("annindex: rebuild: id %d: %w", id, err)
		}
	}
	x.writing.Lock()
	defer x.writing.Unlock()
	if x.next == nil {
		return ErrAbandoned
	}
	x.serving.Store(&next)
	return nil
}

// copyVector copies a vector from the serving index to next, unless a change has written or deleted it there. vec is
// room for it.
func (x *Index) copyVector(id uint64, vec []float32) error {
	x.writing.Lock()
	defer x.writing.Unlock()
	if x.next == nil {
		return ErrAbandoned
	}
	if _, ok := x.changed[id]; ok || !x.current().Vector(id, vec) {
		return nil
	}
	return x.next.Put(id, vec)
}

// Search implements annindex.Index.
func (x *Index) Search(vec []float32, k int, keep func(uint64) bool) ([]annindex.Hit, error) {
	return x.current().Search(vec, k, keep)
}

// SearchExact implements annindex.Index.
func (x *Index) SearchExact(vec []float32, k int, keep func(uint64) bool) ([]annindex.Hit, error) {
	return x.current().SearchExact(vec, k, keep)
}

// SearchMany implements annindex.Index.
func (x *Index) SearchMany(vecs [][]float32, k int) ([][]annindex.Hit, error) {
	return x.current().SearchMany(vecs, k)
}

// Vector implements annindex.Index.
func (x *Index) Vector(id uint64, out []float32) bool { return x.current().Vector(id, out) }

// Len implements annindex.Index.
func (x *Index) Len() int { return x.current().Len() }

// Dim implements annindex.Index.
func (x *Index) Dim() int { return x.current().Dim() }

// IDs implements annindex.Index.
func (x *Index) IDs() []uint64 { return x.current().IDs() }

// Snapshot implements annindex.Index.
func (x *Index) Snapshot(w io.Writer) error {
	x.writing.Lock()
	defer x.writing.Unlock()
	return x.current().Snapshot(w)
}

// Restore implements annindex.Index. A Rebuild that runs is abandoned: next has the vectors of before.
func (x *Index) Restore(r io.Reader) error {
	x.writing.Lock()
	defer x.writing.Unlock()
	if err := x.current().Restore(r); err != nil {
		return err
	}
	x.abandon()
	return nil
}
