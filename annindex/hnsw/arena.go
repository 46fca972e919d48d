package hnsw

import (
	"math"
	"math/bits"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"

	"kilim/annindex/internal/dist"
)

// none marks the end of a list of links, and stands for no slot.
const none = dist.None

// maxSlots bounds the slots so that a key (keyOf) has room for a slot and its flag in 32 bits, and arena.upperAt for
// its offsets.
const maxSlots = 1 << 28

// These are the flags of a slot's state. The bits above them, counted in steps of version, grow with every
// change of what the slot holds: arena.read and scratch.collect see by them that a slot changed while they read it.
const (
	writing  = 1 << iota // the slot's vector and id are being written
	live                 // searches may answer with the slot
	linkable             // links may be made to the slot
	version
)

// arena is the memory of a graph: for each slot its vector, codes, links and the rest, in arrays
// side by side. An arena keeps its size and its place. A graph that needs another size copies
// its arena to a new one (arena.grown, Graph.compact), and searches that began in the old one end there.
//
// Searches read an arena without locks. They follow links to any slot and score it by
// its codes, whole or torn: that only decides where they look. What they
// answer with they read between two reads of the slot's state.
type arena struct {
	slots, dim           int
	vectorStride         int // numbers
	codeStride           int // bytes
	maxLower, maxUpper   int // links that a list may have, on the lowest level and on the others
	lowerList, upperList int // words that a list takes: whole cache lines on the lowest level

	slab           []uint64 // what all below lie in, but upper and levels
	codes          []uint64
	lower          []uint32 // the lists of the lowest level
	states         []uint32 // flags and version
	scales         []float32
	inDegreeLower  []uint32  // the number of links to a slot, on the lowest level
	inDegreeUpper  []uint32  // the number of links to a slot, on all other levels together
	drift          []float32 // how far the slot's vector moved since its links were chosen
	neighbourDrift []uint32  // how far its neighbours moved since then (addNeighbourDrift); not in snapshots
	ids            []uint64
	vectors        []float32
	upperAt        []uint32 // where a slot's lists in upper begin, if its level is above 0
	levels         []uint8
	upper          []uint32 // the lists of the other levels

	rows dist.Rows // codes and scales

	// entry is the slot that searches begin at, with its level in the upper half; or none.
	entry     atomic.Uint64
	entryLock sync.Mutex

	freeLock sync.Mutex
	freeList []uint32
	next     uint32 // the first slot that was never used
}

func pad(n, unit int) int { return (n + unit - 1) / unit * unit }

func newArena(c *Config, slots int) *arena {
	a := &arena{
		slots: slots, dim: c.Dim,
		vectorStride: pad(c.Dim, 16), codeStride: dist.Padded(c.Dim),
		maxLower: 2 * c.M, maxUpper: c.M,
		lowerList: pad(2*c.M, 16), upperList: c.M,
	}
	if c.Dim < 16 {
		a.vectorStride = c.Dim
	}
	line := func(bytes int) int { return pad(bytes, 64) / 8 }
	sizes := []int{
		line(slots * a.codeStride), line(4 * slots * a.lowerList), line(4 * slots), line(4 * slots), line(4 * slots),
		line(4 * slots), line(4 * slots), line(4 * slots), line(8 * slots), line(4 * slots * a.vectorStride), line(4 * slots),
	}
	total := 0
	for _, n := range sizes {
		total += n
	}
	a.slab = allocHuge(total)
	rest := a.slab
	section := func() []uint64 {
		part := rest[:sizes[0]]
		rest, sizes = rest[sizes[0]:], sizes[1:]
		return part
	}
	a.codes = section()[:slots*a.codeStride/8]
	a.lower = words[uint32](section(), slots*a.lowerList)
	a.states = words[uint32](section(), slots)
	a.scales = words[float32](section(), slots)
	a.inDegreeLower = words[uint32](section(), slots)
	a.inDegreeUpper = words[uint32](section(), slots)
	a.drift = words[float32](section(), slots)
	a.neighbourDrift = words[uint32](section(), slots)
	a.ids = section()[:slots]
	a.vectors = words[float32](section(), slots*a.vectorStride)
	a.upperAt = words[uint32](section(), slots)
	a.levels = make([]uint8, slots)
	a.rows = dist.NewRows(a.codes, a.scales, a.codeStride)
	a.entry.Store(none)
	return a
}

// words returns memory as n words of 4 bytes.
func words[T uint32 | float32](memory []uint64, n int) []T {
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(memory))), n)
}

// layOutLists makes the lists of the slots [from, a.slots) empty, with lists in a.upper as their levels ask for.
func (a *arena) layOutLists(from int) {
	clearLinks(a.lower[from*a.lowerList:])
	at := 0
	for slot, level := range a.levels {
		a.upperAt[slot] = uint32(at)
		at += int(level) * a.upperList
	}
	before := len(a.upper)
	a.upper = append(make([]uint32, 0, at), a.upper...)[:at]
	clearLinks(a.upper[before:])
}

func clearLinks(list []uint32) {
	for i := range list {
		list[i] = none
	}
}

// drawLevels gives the slots from `from` on their levels, by a hash of seed and slot: the distribution of the
// paper (Algorithm 1, line 4, with m_L = 1/ln M). A slot keeps its level
// when it is used again, so the shares of the levels stay as they were drawn.
func drawLevels(levels []uint8, from int, seed uint64, m int) {
	scale := 1 / math.Log(float64(m))
	for slot := from; slot < len(levels); slot++ {
		x := mix(seed + mix(uint64(slot)))
		u := (float64(x>>11) + 0.5) / (1 << 53)
		levels[slot] = uint8(min(-math.Log(u)*scale, 31))
	}
}

// mix is a hash of 64 bits to 64 bits: multiplications and folds.
func mix(x uint64) uint64 {
	for range 2 {
		hi, lo := bits.Mul64(x^0x9e3779b97f4a7c15, 0xd6e8feb86659fd93)
		x = hi ^ lo
	}
	return x
}

// grown returns a copy of the arena with more slots. The caller holds Graph.arenaLock for writing.
func (a *arena) grown(c *Config, slots int) *arena {
	b := newArena(c, slots)
	copy(b.codes, a.codes)
	copy(b.lower, a.lower)
	copy(b.states, a.states)
	copy(b.scales, a.scales)
	copy(b.inDegreeLower, a.inDegreeLower)
	copy(b.inDegreeUpper, a.inDegreeUpper)
	copy(b.drift, a.drift)
	copy(b.neighbourDrift, a.neighbourDrift)
	copy(b.ids, a.ids)
	copy(b.vectors, a.vectors)
	copy(b.levels, a.levels)
	drawLevels(b.levels, a.slots, c.Seed, c.M)
	b.upper = a.upper
	b.layOutLists(a.slots)
	b.entry.Store(a.entry.Load())
	b.freeList, b.next = a.freeList, a.next
	return b
}

// allocate returns a slot that nothing uses, or not ok if the arena is full.
func (a *arena) allocate() (slot uint32, ok bool) {
	a.freeLock.Lock()
	defer a.freeLock.Unlock()
	if n := len(a.freeList); n > 0 {
		slot = a.freeList[n-1]
		a.freeList = a.freeList[:n-1]
		return slot, true
	}
	if int(a.next) == a.slots {
		return 0, false
	}
	a.next++
	return a.next - 1, true
}

// free makes a slot, to which no link leads, available to allocate.
func (a *arena) free(slot uint32) {
	a.freeLock.Lock()
	defer a.freeLock.Unlock()
	a.freeList = append(a.freeList, slot)
}

// links returns the list of a slot on a level that the slot has.
func (a *arena) links(slot uint32, level int) []uint32 {
	if level == 0 {
		at := int(slot) * a.lowerList
		return a.lower[at : at+a.maxLower : at+a.maxLower]
	}
	at := int(a.upperAt[slot]) + (level-1)*a.upperList
	return a.upper[at : at+a.maxUpper : at+a.maxUpper]
}

// inDegree returns the counter of the links to a slot: that of the lowest level, or of all others together.
func (a *arena) inDegree(slot uint32, level int) *uint32 {
	if level == 0 {
		return &a.inDegreeLower[slot]
	}
	return &a.inDegreeUpper[slot]
}

func (a *arena) vector(slot uint32) []float32 {
	at := int(slot) * a.vectorStride
	return a.vectors[at : at+a.dim : at+a.dim]
}

func (a *arena) state(slot uint32) uint32 { return atomic.LoadUint32(&a.states[slot]) }

func (a *arena) id(slot uint32) uint64 { return atomic.LoadUint64(&a.ids[slot]) }

func (a *arena) is(slot uint32, flag uint32) bool { return a.state(slot)&flag != 0 }

// write sets the vector, the codes and the id of a slot, and its flags when done. codes is scratch space for
// dist.Codes. The lock of the slot's id (Graph.idLock) lets only one goroutine write a slot at a time.
func (a *arena) write(slot uint32, id uint64, vec []float32, flags uint32, codes []int16) {
	// AddUint32, not StoreUint32: a reader must not see what follows before it sees the flag writing.
	before := atomic.AddUint32(&a.states[slot], writing) &^ (writing | live | linkable)
	dist.CopyRow(a.vector(slot), vec)
	scale := dist.Codes(vec, 127, codes)
	a.rows.Store(slot, codes)
	atomic.StoreUint32((*uint32)(unsafe.Pointer(&a.scales[slot])), math.Float32bits(scale))
	atomic.StoreUint64(&a.ids[slot], id)
	atomic.StoreUint32(&a.states[slot], before+version|flags)
}

// mark replaces the flags of a slot and steps its version.
func (a *arena) mark(slot uint32, flags uint32) {
	atomic.StoreUint32(&a.states[slot], a.state(slot)&^(writing|live|linkable)+version|flags)
}

// read copies the vector of a slot to out and returns the id that belongs to it; not ok if the slot is not live.
func (a *arena) read(slot uint32, out []float32) (id uint64, ok bool) {
	for {
		before := a.state(slot)
		if before&live == 0 {
			return 0, false
		}
		if before&writing != 0 {
			runtime.Gosched() // write takes about as long as to copy a vector
			continue
		}
		dist.CopyRow(out, a.vector(slot))
		id = atomic.LoadUint64(&a.ids[slot])
		if a.state(slot) == before {
			return id, true
		}
	}
}
