package hnsw

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"kilim/annindex/internal/ann"
)

// Graph is an index of vectors by id. All methods may be called concurrently.
type Graph struct {
	cfg Config

	// shape is held for reading by every change, and for writing by what replaces the
	// arena or needs it to stand still. Searches take no lock but of the pool of scratches.
	shape sync.RWMutex
	arena atomic.Pointer[arena]

	idLocks   [256]sync.Mutex  // a change of an id holds its lock
	listLocks [1024]sync.Mutex // a change of a slot's lists holds its lock, and no other such

	slotsLock sync.RWMutex
	slots     map[uint64]uint32
	count     atomic.Int64
	// moves grows when a vector that is answered with gets another slot.
	moves atomic.Uint64

	limboLock sync.Mutex
	limbo     []uint32 // slots that are dead, while links lead to them
	sweeping  sync.Mutex

	scratches sync.Pool
}

// New returns an empty graph.
func New(cfg Config) (*Graph, error) {
	cfg, err := cfg.checked()
	if err != nil {
		return nil, err
	}
	g := &Graph{cfg: cfg}
	g.reset(cfg.Capacity)
	return g, nil
}

const leastSlots = 256

func (g *Graph) reset(capacity int) {
	a := newArena(&g.cfg, max(capacity, leastSlots))
	drawLevels(a.levels, 0, g.cfg.Seed, g.cfg.M)
	a.lay(0)
	g.slots = make(map[uint64]uint32, capacity)
	g.count.Store(0)
	g.limbo = nil
	g.arena.Store(a)
}

func (g *Graph) scratch() *scratch {
	if s, ok := g.scratches.Get().(*scratch); ok {
		return s
	}
	return &scratch{}
}

// release keeps a scratch for the next, but not the arena for as long.
func (g *Graph) release(s *scratch) {
	s.arena = nil
	g.scratches.Put(s)
}

// Len implements annindex.Index.
func (g *Graph) Len() int { return int(g.count.Load()) }

// Dim implements annindex.Index.
func (g *Graph) Dim() int { return g.cfg.Dim }

// IDs implements annindex.Index.
func (g *Graph) IDs() []uint64 {
	g.slotsLock.RLock()
	ids := slices.Collect(maps.Keys(g.slots))
	g.slotsLock.RUnlock()
	slices.Sort(ids)
	return ids
}

// Vector implements annindex.Index.
func (g *Graph) Vector(id uint64, out []float32) bool {
	for {
		g.slotsLock.RLock()
		slot, ok := g.slots[id]
		a := g.arena.Load()
		g.slotsLock.RUnlock()
		if !ok {
			return false
		}
		if found, ok := a.read(slot, out[:g.cfg.Dim]); ok && found == id {
			return true
		}
		// It moved or went since; look again.
	}
}

func (g *Graph) idLock(id uint64) *sync.Mutex { return &g.idLocks[mix(id)%uint64(len(g.idLocks))] }

func (g *Graph) listLock(slot uint32) *sync.Mutex { return &g.listLocks[slot%uint32(len(g.listLocks))] }

func (g *Graph) slotOf(id uint64) (slot uint32, ok bool) {
	g.slotsLock.RLock()
	defer g.slotsLock.RUnlock()
	slot, ok = g.slots[id]
	return slot, ok
}

// reserve returns a slot that nothing uses, making room if need be, with shape locked for reading.
func (g *Graph) reserve() (*arena, uint32) {
	for {
		g.shape.RLock()
		a := g.arena.Load()
		if slot, ok := a.take(); ok {
			return a, slot
		}
		g.shape.RUnlock()
		g.grow(a)
	}
}

// roomFor is the number of slots of an arena for n vectors and some more: a half while they are few, later an
// eighth. To copy an arena that much more often still costs little beside the insertions between.
func roomFor(n int) int { return n + max(n/8, min(n/2, 1024), 1) }

// grow replaces an arena that is full, unless another goroutine did.
func (g *Graph) grow(full *arena) {
	g.shape.Lock()
	defer g.shape.Unlock()
	if g.arena.Load() == full {
		g.slotsLock.Lock()
		defer g.slotsLock.Unlock()
		g.arena.Store(full.grown(&g.cfg, roomFor(full.slots)))
	}
}

// Put inserts a vector, or moves it if the id is there. A move is graded by the way
// the vector goes and by the mean distance of its neighbours in the graph, which tells how dense it is there:
//
//   - if all ways since the links were last chosen add up to no more than Config.Still of that distance,
//     the vector is rewritten and the links stay;
//   - else, if the way is no more than Config.Far of it, the links are chosen anew, in a search that begins
//     at the present ones, and so are those of each neighbour whose own neighbours have moved far enough;
//     if a short search does not find it then, it is linked as if it were inserted;
//   - else the vector is inserted again, and removed from where it was.
//
// It is found throughout, at one place or the other.
func (g *Graph) Put(id uint64, vec []float32) error {
	if err := ann.CheckVector(vec, g.cfg.Dim); err != nil {
		return err
	}
	lock := g.idLock(id)
	lock.Lock()
	defer lock.Unlock()
	s := g.scratch()
	defer g.release(s)
	if g.moveInPlace(s, id, vec) {
		return nil
	}
	a, slot := g.reserve()
	defer g.shape.RUnlock()
	s.fit(a)
	a.drift[slot] = 0 // of another vector
	store(&a.unrest[slot], 0)
	a.write(slot, id, vec, linkable, s.codes)
	old, moved := g.slotOf(id)
	if moved {
		g.link(s, slot, vec, relinking(&g.cfg))
	} else {
		g.link(s, slot, vec, inserting(&g.cfg))
	}

	g.slotsLock.Lock()
	g.slots[id] = slot
	g.slotsLock.Unlock()
	if !moved {
		a.mark(slot, live|linkable)
		g.count.Add(1)
		return nil
	}
	g.moves.Add(1)
	a.mark(slot, live|linkable)
	g.remove(s, old, false)
	return nil
}

// Delete implements annindex.Index.
func (g *Graph) Delete(id uint64) error {
	lock := g.idLock(id)
	lock.Lock()
	defer lock.Unlock()
	g.shape.RLock()
	g.slotsLock.Lock()
	slot, ok := g.slots[id]
	delete(g.slots, id)
	g.slotsLock.Unlock()
	if !ok {
		g.shape.RUnlock()
		return fmt.Errorf("%w %d", ann.ErrUnknown, id)
	}
	g.count.Add(-1)
	s := g.scratch()
	s.fit(g.arena.Load())
	g.remove(s, slot, true)
	g.release(s)
	g.shape.RUnlock()
	g.shrink()
	return nil
}
