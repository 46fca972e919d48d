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

// none is no slot.
const none = dist.None

// maxSlots keeps a slot and a flag in 32 bits, and offsets in the upper lists too.
const maxSlots = 1 << 28

// The state of a slot: flags, and above them a number that grows with every
// change of what the slot holds.
const (
	writing  = 1 << iota // its vector and id are being written
	live                 // searches may answer with it
	linkable             // links may be made to it
	version
)

// arena is the memory of a graph: for each slot its vector, codes, links and the rest, in arrays
// side by side. It never moves and never shrinks; a graph that needs another size copies
// it to a new one, while searches end on the old.
//
// Searches read it without locks. They follow links to any slot and score it by
// its codes, whole or torn: that only decides where they look. What they
// answer with they read between two looks at the slot's state.
type arena struct {
	slots, dim           int
	vectorStride         int // numbers
	codeStride           int // bytes
	maxLower, maxUpper   int
	lowerList, upperList int // words a list takes: cache lines on the lowest level

	slab    []uint64 // what all below lie in, but upper and levels
	codes   []uint64
	lower   []uint32
	states  []uint32
	scales  []float32
	inLower []uint32 // the number of links to a slot, on the lowest level
	inUpper []uint32 // and on the others together
	drift   []float32
	unrest  []uint32 // how far what it links to moved since its links were chosen, see disturb; a snapshot leaves it out
	ids     []uint64
	vectors []float32
	upperAt []uint32 // where a slot's upper lists begin, if its level is above 0
	levels  []uint8
	upper   []uint32

	rows dist.Rows

	// entry is the slot that searches begin at, its level in the upper half; or none.
	entry     atomic.Uint64
	entryLock sync.Mutex

	freeLock sync.Mutex
	free     []uint32
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
	a.slab = huge(total)
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
	a.inLower = words[uint32](section(), slots)
	a.inUpper = words[uint32](section(), slots)
	a.drift = words[float32](section(), slots)
	a.unrest = words[uint32](section(), slots)
	a.ids = section()[:slots]
	a.vectors = words[float32](section(), slots*a.vectorStride)
	a.upperAt = words[uint32](section(), slots)
	a.levels = make([]uint8, slots)
	a.rows = dist.NewRows(a.codes, a.scales, a.codeStride)
	a.entry.Store(none)
	return a
}

// words is memory as n words of 4 bytes.
func words[T uint32 | float32](memory []uint64, n int) []T {
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(memory))), n)
}

// lay makes the lists of the slots [from, slots): empty, and upper ones as their levels ask for.
func (a *arena) lay(from int) {
	fill(a.lower[from*a.lowerList:])
	at := 0
	for slot, level := range a.levels {
		a.upperAt[slot] = uint32(at)
		at += int(level) * a.upperList
	}
	before := len(a.upper)
	a.upper = append(make([]uint32, 0, at), a.upper...)[:at]
	fill(a.upper[before:])
}

func fill(list []uint32) {
	for i := range list {
		list[i] = none
	}
}

// drawLevels gives slots their levels, by a hash of seed and slot: the distribution of the
// paper (Algorithm 1, line 4, with m_L = 1/ln M). A slot keeps its level
// when it is used again, so the shares of the levels stay what they are at first.
func drawLevels(levels []uint8, from int, seed uint64, m int) {
	scale := 1 / math.Log(float64(m))
	for slot := from; slot < len(levels); slot++ {
		x := mix(seed + mix(uint64(slot)))
		u := (float64(x>>11) + 0.5) / (1 << 53)
		levels[slot] = uint8(min(-math.Log(u)*scale, 31))
	}
}

// mix is a bijection of 64 bits that spreads them: multiplications and folds.
func mix(x uint64) uint64 {
	for range 2 {
		hi, lo := bits.Mul64(x^0x9e3779b97f4a7c15, 0xd6e8feb86659fd93)
		x = hi ^ lo
	}
	return x
}

// grown copies the arena to one with more slots. No writer may be at work.
func (a *arena) grown(c *Config, slots int) *arena {
	b := newArena(c, slots)
	copy(b.codes, a.codes)
	copy(b.lower, a.lower)
	copy(b.states, a.states)
	copy(b.scales, a.scales)
	copy(b.inLower, a.inLower)
	copy(b.inUpper, a.inUpper)
	copy(b.drift, a.drift)
	copy(b.unrest, a.unrest)
	copy(b.ids, a.ids)
	copy(b.vectors, a.vectors)
	copy(b.levels, a.levels)
	drawLevels(b.levels, a.slots, c.Seed, c.M)
	b.upper = a.upper
	b.lay(a.slots)
	b.entry.Store(a.entry.Load())
	b.free, b.next = a.free, a.next
	return b
}

// take returns a slot that nothing uses.
func (a *arena) take() (slot uint32, ok bool) {
	a.freeLock.Lock()
	defer a.freeLock.Unlock()
	if n := len(a.free); n > 0 {
		slot = a.free[n-1]
		a.free = a.free[:n-1]
		return slot, true
	}
	if int(a.next) == a.slots {
		return 0, false
	}
	a.next++
	return a.next - 1, true
}

func (a *arena) giveBack(slot uint32) {
	a.freeLock.Lock()
	defer a.freeLock.Unlock()
	a.free = append(a.free, slot)
}

// links is the list of a slot on a level that it has.
func (a *arena) links(slot uint32, level int) []uint32 {
	if level == 0 {
		at := int(slot) * a.lowerList
		return a.lower[at : at+a.maxLower : at+a.maxLower]
	}
	at := int(a.upperAt[slot]) + (level-1)*a.upperList
	return a.upper[at : at+a.maxUpper : at+a.maxUpper]
}

// in is the number of links to a slot.
func (a *arena) in(slot uint32, level int) *uint32 {
	if level == 0 {
		return &a.inLower[slot]
	}
	return &a.inUpper[slot]
}

func (a *arena) vector(slot uint32) []float32 {
	at := int(slot) * a.vectorStride
	return a.vectors[at : at+a.dim : at+a.dim]
}

func (a *arena) state(slot uint32) uint32 { return atomic.LoadUint32(&a.states[slot]) }

func (a *arena) id(slot uint32) uint64 { return atomic.LoadUint64(&a.ids[slot]) }

func (a *arena) is(slot uint32, flag uint32) bool { return a.state(slot)&flag != 0 }

// write sets the vector, the codes and the id of a slot, and its flags when done. Only one goroutine
// writes a slot at a time.
func (a *arena) write(slot uint32, id uint64, vec []float32, flags uint32, codes []int16) {
	// An addition, not a store: what follows must not be seen before it.
	before := atomic.AddUint32(&a.states[slot], writing) &^ (writing | live | linkable)
	dist.CopyRow(a.vector(slot), vec)
	scale := dist.Codes(vec, 127, codes)
	a.rows.Store(slot, codes)
	atomic.StoreUint32((*uint32)(unsafe.Pointer(&a.scales[slot])), math.Float32bits(scale))
	atomic.StoreUint64(&a.ids[slot], id)
	atomic.StoreUint32(&a.states[slot], before+version|flags)
}

// mark replaces the flags of a slot.
func (a *arena) mark(slot uint32, flags uint32) {
	atomic.StoreUint32(&a.states[slot], a.state(slot)&^(writing|live|linkable)+version|flags)
}

// read copies the vector of a slot and returns its id; not ok if searches may not answer with it.
func (a *arena) read(slot uint32, out []float32) (id uint64, ok bool) {
	for {
		before := a.state(slot)
		if before&live == 0 {
			return 0, false
		}
		if before&writing != 0 {
			runtime.Gosched() // it takes as long as to copy a vector
			continue
		}
		dist.CopyRow(out, a.vector(slot))
		id = atomic.LoadUint64(&a.ids[slot])
		if a.state(slot) == before {
			return id, true
		}
	}
}
