package tape

// arena allocates memory that is freed all at once, by reset.
type arena struct {
	chunks [][]float32
	chunk  int // index of the chunk in use
	used   int // numbers of that chunk that are in use
}

const chunkSize = 1 << 20

func (a *arena) floats(n int) []float32 {
	for a.chunk < len(a.chunks) {
		if c := a.chunks[a.chunk]; a.used+n <= len(c) {
			s := c[a.used : a.used+n : a.used+n]
			// Allocations are whole cache lines, so that no two threads write to one.
			a.used += (n + 15) &^ 15
			return s
		}
		a.chunk, a.used = a.chunk+1, 0
	}
	a.chunks = append(a.chunks, make([]float32, max(chunkSize, n)))
	a.used = (n + 15) &^ 15
	return a.chunks[a.chunk][:n:n]
}

func (a *arena) reset() { a.chunk, a.used = 0, 0 }

// slab allocates values of one type that are freed all at once, by setting used to 0.
type slab[T any] struct {
	blocks [][]T
	used   int
}

const slabBlock = 64

func (s *slab[T]) next() *T {
	if s.used == len(s.blocks)*slabBlock {
		s.blocks = append(s.blocks, make([]T, slabBlock))
	}
	v := &s.blocks[s.used/slabBlock][s.used%slabBlock]
	s.used++
	return v
}

// slabs holds the records of all operations.
type slabs struct {
	gradients  slab[gradient]
	products   slab[product]
	biases     slab[bias]
	norms      slab[norm]
	copies     slab[addition]
	drops      slab[dropout]
	gathers    slab[gather]
	inputs     slab[inputProduct]
	mixes      slab[mix]
	attentions slab[attention]
	gates      slab[gates]
	units      slab[unit]
	contrasts  slab[contrast]
	forks      slab[fork]
	attends    slab[attending]
}

func (s *slabs) reset() {
	s.gradients.used, s.products.used, s.biases.used, s.norms.used = 0, 0, 0, 0
	s.copies.used, s.drops.used, s.gathers.used, s.inputs.used, s.mixes.used = 0, 0, 0, 0, 0
	s.attentions.used, s.gates.used, s.units.used, s.contrasts.used = 0, 0, 0, 0
	s.forks.used, s.attends.used = 0, 0
}
