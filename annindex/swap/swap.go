// Package swap serves one index while another is built beside it from the same vectors, and then
// lets the other take its place.
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

// Index is an annindex.Index that can be rebuilt while it serves. Searches take no lock of its own.
// Changes are made one at a time and, during a rebuild, to both indexes.
type Index struct {
	serving atomic.Pointer[annindex.Index]

	rebuilding sync.Mutex
	// change is held by each change.
	change sync.Mutex
	// next is the index that is built, nil if none is; an id in changed is as it should be there.
	next    annindex.Index
	changed map[uint64]struct{}
}

var _ annindex.Index = (*Index)(nil)

var (
	// ErrRebuilding is returned by Rebuild while another is under way.
	ErrRebuilding = errors.New("annindex: a rebuild is under way")
	// ErrAbandoned is returned by a Rebuild during which the index was restored or a change failed
	// in the index that was built.
	ErrAbandoned = errors.New("annindex: the rebuild was abandoned")
)

// New wraps an index, which is changed through the wrapper only from then on.
func New(index annindex.Index) *Index {
	x := &Index{}
	x.serving.Store(&index)
	return x
}

func (x *Index) now() annindex.Index { return *x.serving.Load() }

// Put implements annindex.Index.
func (x *Index) Put(id uint64, vec []float32) error {
	x.change.Lock()
	defer x.change.Unlock()
	if err := x.now().Put(id, vec); err != nil {
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
	x.change.Lock()
	defer x.change.Unlock()
	if err := x.now().Delete(id); err != nil {
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

// abandon ends a rebuild: the serving index has what the other lacks. change is held.
func (x *Index) abandon() { x.next, x.changed = nil, nil }

// Rebuild fills an empty index with the vectors of the serving one, in the order of their ids, while that goes on
// serving, and lets it take its place. An error, or the end of the context, which is looked at before each vector,
// leaves all as it was.
func (x *Index) Rebuild(ctx context.Context, next annindex.Index) error {
	if next.Len() > 0 || next.Dim() != x.Dim() {
		return fmt.Errorf("annindex: rebuild in an index of dimension %d with %d vectors, want %d and none", next.Dim(), next.Len(), x.Dim())
	}
	if !x.rebuilding.TryLock() {
		return ErrRebuilding
	}
	defer x.rebuilding.Unlock()
	// What comes after these ids is put into both.
	x.change.Lock()
	ids := x.now().IDs()
	x.next, x.changed = next, map[uint64]struct{}{}
	x.change.Unlock()
	defer func() {
		x.change.Lock()
		x.abandon()
		x.change.Unlock()
	}()
	vec := make([]float32, x.Dim())
	for _, id := range ids {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("annindex: rebuild: %w", err)
		}
		if err := x.carry(id, vec); err != nil {
			return fmt.Errorf("annindex: rebuild: id %d: %w", id, err)
		}
	}
	x.change.Lock()
	defer x.change.Unlock()
	if x.next == nil {
		return ErrAbandoned
	}
	x.serving.Store(&next)
	return nil
}

// carry copies a vector to the index that is built, unless a change did meanwhile.
func (x *Index) carry(id uint64, vec []float32) error {
	x.change.Lock()
	defer x.change.Unlock()
	if x.next == nil {
		return ErrAbandoned
	}
	if _, ok := x.changed[id]; ok || !x.now().Vector(id, vec) {
		return nil
	}
	return x.next.Put(id, vec)
}

// Search implements annindex.Index.
func (x *Index) Search(vec []float32, k int, keep func(uint64) bool) ([]annindex.Hit, error) {
	return x.now().Search(vec, k, keep)
}

// SearchExact implements annindex.Index.
func (x *Index) SearchExact(vec []float32, k int, keep func(uint64) bool) ([]annindex.Hit, error) {
	return x.now().SearchExact(vec, k, keep)
}

// SearchMany implements annindex.Index.
func (x *Index) SearchMany(vecs [][]float32, k int) ([][]annindex.Hit, error) {
	return x.now().SearchMany(vecs, k)
}

// Vector implements annindex.Index.
func (x *Index) Vector(id uint64, out []float32) bool { return x.now().Vector(id, out) }

// Len implements annindex.Index.
func (x *Index) Len() int { return x.now().Len() }

// Dim implements annindex.Index.
func (x *Index) Dim() int { return x.now().Dim() }

// IDs implements annindex.Index.
func (x *Index) IDs() []uint64 { return x.now().IDs() }

// Snapshot implements annindex.Index.
func (x *Index) Snapshot(w io.Writer) error {
	x.change.Lock()
	defer x.change.Unlock()
	return x.now().Snapshot(w)
}

// Restore implements annindex.Index. A rebuild that is under way is abandoned.
func (x *Index) Restore(r io.Reader) error {
	x.change.Lock()
	defer x.change.Unlock()
	if err := x.now().Restore(r); err != nil {
		return err
	}
	x.abandon()
	return nil
}
