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

	// arenaLock is held for reading by every change of the arena's content, and for writing by what replaces the
	// arena or needs it to stand still. Searches do not take it.
	arenaLock sync.RWMutex
	arena     atomic.Pointer[arena]

	idLocks   [256]sync.Mutex  // a change of an id holds the id's lock
	listLocks [1024]sync.Mutex // a change of a slot's lists holds the slot's lock, and no other of these

	slotsLock sync.RWMutex
	slots     map[uint64]uint32
	count     atomic.Int64
	// relocations counts the moves to another slot. A search that sees it change may have found a vector at both slots,
	// see distinct.
	relocations atomic.Uint64

	pendingLock sync.Mutex
	pendingFree []uint32 // dead slots that links still lead to

	consolidating sync.Mutex // one consolidate at a time

	scratches sync.Pool
}

// New returns an empty graph.
func New(cfg Config) (*Graph, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	a := newArena(&cfg, max(cfg.Capacity, minSlots))
	drawLevels(a.levels, 0, cfg.Seed, cfg.M)
	a.layOutLists(0)
	g := &Graph{cfg: cfg, slots: make(map[uint64]uint32, cfg.Capacity)}
	g.arena.Store(a)
	return g, nil
}

// minSlots is the least number of slots of an arena.
const minSlots = 256

// scratch returns a scratch, which release takes back.
func (g *Graph) scratch() *scratch {
	if s, ok := g.scratches.Get().(*scratch); ok {
		return s
	}
	return &scratch{}
}

// release keeps a scratch for the next search or change. It lets go of the arena, which may be replaced before then.
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
		// The vector moved to another slot, or went, since g.slots was read.
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

// allocateSlot returns a slot that nothing uses and its arena, which it lets grow if need be. It returns with arenaLock
// held for reading: the caller unlocks it.
func (g *Graph) allocateSlot() (*arena, uint32) {
	for {
		g.arenaLock.RLock()
		a := g.arena.Load()
		if slot, ok := a.allocate(); ok {
			return a, slot
		}
		g.arenaLock.RUnlock()
		g.growArena(a)
	}
}

// capacityFor returns the number of slots of an arena for n vectors and some more: a half while they are few, later an
// eighth. A copy of the arena each eighth costs little beside the insertions between two copies.
func capacityFor(n int) int { return n + max(n/8, min(n/2, 1024), 1) }

// growArena replaces the arena full by a larger one, unless another goroutine did.
func (g *Graph) growArena(full *arena) {
	g.arenaLock.Lock()
	defer g.arenaLock.Unlock()
	if g.arena.Load() == full {
		g.slotsLock.Lock()
		defer g.slotsLock.Unlock()
		g.arena.Store(full.grown(&g.cfg, capacityFor(full.slots)))
	}
}

// Put inserts a vector, or moves it if the id is there. What a move does depends on its length and on the mean distance
// of the vector's neighbours in the graph (Graph.spacing), which tells how dense the vectors lie there:
//
//   - If all moves since the links were last chosen add up to no more than Config.RelinkBeyond of that distance,
//     Put rewrites the vector and the links stay.
//   - Else, if the move is no longer than Config.ReinsertBeyond of that distance, Put chooses the links anew, in a
//     search that begins at the present ones (Graph.relink), and likewise those of each neighbour whose own neighbours
//     have moved far enough (addNeighbourDrift). If a short search does not find the vector then, Put links it as if it
//     were inserted (Graph.keepReachable).
//   - Else Put inserts the vector at a new slot, and removes the old one.
//
// Searches find the vector throughout, at one place or the other.
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
	a, slot := g.allocateSlot()
	defer g.arenaLock.RUnlock()
	s.fit(a)
	a.drift[slot] = 0 // it was that of the slot's last vector
	store(&a.neighbourDrift[slot], 0)
	a.write(slot, id, vec, linkable, s.codes)
	old, moved := g.slotOf(id)
	if moved {
		g.link(s, slot, vec, reinsertParams(&g.cfg))
	} else {
		g.link(s, slot, vec, insertParams(&g.cfg))
	}

	g.slotsLock.Lock()
	g.slots[id] = slot
	g.slotsLock.Unlock()
	if !moved {
		a.mark(slot, live|linkable)
		g.count.Add(1)
		return nil
	}
	g.relocations.Add(1)
	a.mark(slot, live|linkable)
	g.remove(s, old, refill)
	return nil
}

// Delete implements annindex.Index.
func (g *Graph) Delete(id uint64) error {
	lock := g.idLock(id)
	lock.Lock()
	defer lock.Unlock()
	g.arenaLock.RLock()
	g.slotsLock.Lock()
	slot, ok := g.slots[id]
	delete(g.slots, id)
	g.slotsLock.Unlock()
	if !ok {
		g.arenaLock.RUnlock()
		return fmt.Errorf("%w %d", ann.ErrUnknown, id)
	}
	g.count.Add(-1)
	s := g.scratch()
	s.fit(g.arena.Load())
	g.remove(s, slot, reselect)
	g.release(s)
	g.arenaLock.RUnlock()
	g.shrinkArena()
	return nil
}
