package gemm

import (
	"fmt"
	"sync"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"

	"kilim/learner/tensor/par"
)

// maxK, blockRows and maxN are the sizes of the blocks, in elements, for caches of 32 KiB and 512 KiB. A panel of B,
// maxK x nr, and a tile of A share the first cache; a block of A, blockRows x maxK, lies in the second. maxN bounds the
// copy of B.
const (
	maxK      = 320
	blockRows = 96
	maxN      = 4096
)

// Engine multiplies on the workers of a par.Pool. It implements gonum's blas.Float32 for the Pool's Caller; other
// workers multiply by SgemmOn.
type Engine struct {
	gonum.Implementation
	pool *par.Pool
	kern kernel
	// packedA is each worker's copy of a block of A, edgeTile its tile where C ends within one.
	packedA  [][]float32
	edgeTile [][]float32
	mu       sync.Mutex
	idle     []*job // for their memory, used by earlier products
}

var _ blas.Float32 = (*Engine)(nil)

// New returns an Engine on a Pool, with the fastest kernel of this processor.
func New(pool *par.Pool) *Engine { return newEngine(pool, fastest()) }

func newEngine(pool *par.Pool, kern kernel) *Engine {
	e := &Engine{
		pool:     pool,
		kern:     kern,
		packedA:  make([][]float32, pool.Size()),
		edgeTile: make([][]float32, pool.Size()),
	}
	for i := range e.edgeTile {
		e.edgeTile[i] = make([]float32, kern.mr*kern.nr)
	}
	return e
}

// Kernel is the name of the kernel in use.
func (e *Engine) Kernel() string { return e.kern.name }

// job is one product, C = alpha*op(A)*op(B) + beta*C, and the blocks of it that are computed now.
type job struct {
	*Engine
	worker        *par.Worker
	packedB       []float32 // B's block in panels
	tA, tB        bool
	m, n, k       int
	alpha         float32
	a, b, c       []float32
	lda, ldb, ldc int

	p0, kc     int // the block of k
	j0, nc     int // the block of columns
	add        bool
	rowBlocks  int
	rowsEach   int // a multiple of mr
	panelsEach int
}

// Sgemm is C = alpha*op(A)*op(B) + beta*C with op the identity or transposition; op(A) is m x k, op(B) k x n, C m x n,
// rows lda, ldb and ldc apart. As in gonum, wrong sizes panic, and with beta 0 C is not read.
func (e *Engine) Sgemm(tA, tB blas.Transpose, m, n, k int, alpha float32, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int) {
	e.SgemmOn(e.pool.Caller(), tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
}

// SgemmOn is Sgemm on a worker of the Pool. Several workers may multiply at the same time.
func (e *Engine) SgemmOn(worker *par.Worker, tA, tB blas.Transpose, m, n, k int, alpha float32, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int) {
	if !multipliable(tA, tB, m, n, k, alpha, a, lda, b, ldb, c, ldc) {
		// With nothing to multiply gonum scales C; with wrong sizes it panics and says which.
		e.Implementation.Sgemm(tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
		return
	}
	if beta != 0 && beta != 1 {
		for i := range m {
			for j, x := range c[i*ldc : i*ldc+n] {
				c[i*ldc+j] = beta * x
			}
		}
	}
	g := e.takeJob()
	*g = job{
		Engine: e, worker: worker, packedB: g.packedB,
		tA: tA != blas.NoTrans, tB: tB != blas.NoTrans,
		m: m, n: n, k: k, alpha: alpha, a: a, b: b, c: c, lda: lda, ldb: ldb, ldc: ldc,
	}
	depth := evenSize(k, maxK, 1)
	for g.j0 = 0; g.j0 < n; g.j0 += maxN {
		g.nc = min(maxN, n-g.j0)
		for g.p0 = 0; g.p0 < k; g.p0 += depth {
			g.kc = min(depth, k-g.p0)
			g.add = beta != 0 || g.p0 > 0
			g.block()
		}
	}
	g.a, g.b, g.c = nil, nil, nil
	e.putJob(g)
}

// takeJob returns a job that no product uses.
func (e *Engine) takeJob() *job {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := len(e.idle)
	if n == 0 {
		return &job{}
	}
	g := e.idle[n-1]
	e.idle = e.idle[:n-1]
	return g
}

func (e *Engine) putJob(g *job) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.idle = append(e.idle, g)
}

func multipliable(tA, tB blas.Transpose, m, n, k int, alpha float32, a []float32, lda int, b []float32, ldb int, c []float32, ldc int) bool {
	if m <= 0 || n <= 0 || k <= 0 || alpha == 0 {
		return false
	}
	fits := func(t blas.Transpose, rows, cols int, data []float32, ld int) bool {
		switch t {
		case blas.NoTrans:
		case blas.Trans, blas.ConjTrans:
			rows, cols = cols, rows
		default:
			return false
		}
		return ld >= cols && len(data) >= (rows-1)*ld+cols
	}
	return fits(tA, m, k, a, lda) && fits(tB, k, n, b, ldb) && fits(blas.NoTrans, m, n, c, ldc)
}

// evenSize is the size of equal blocks of n, none above limit, rounded up to a multiple of unit.
func evenSize(n, limit, unit int) int {
	pieces := (n + limit - 1) / limit
	each := (n + pieces - 1) / pieces
	return (each + unit - 1) / unit * unit
}

// block multiplies one block of k and columns: it copies B, then divides C among the workers.
func (g *job) block() {
	mr, nr := g.kern.mr, g.kern.nr
	panels := (g.nc + nr - 1) / nr
	if need := panels * nr * g.kc; len(g.packedB) < need {
		g.packedB = make([]float32, need)
	}
	g.worker.Run((*packTask)(g), (panels+panelsPerPart-1)/panelsPerPart)

	threads := g.pool.Size()
	// The number of row blocks is a multiple of the threads, so that none waits for another's last block.
	g.rowsEach = evenSize(g.m, max(evenSize((g.m+threads-1)/threads, blockRows, mr), mr), mr)
	g.rowBlocks = (g.m + g.rowsEach - 1) / g.rowsEach
	columnBlocks := 1
	if g.rowBlocks < threads {
		columnBlocks = min(panels, (2*threads+g.rowBlocks-1)/g.rowBlocks)
	}
	g.panelsEach = (panels + columnBlocks - 1) / columnBlocks
	g.worker.Run((*multiplyTask)(g), g.rowBlocks*((panels+g.panelsEach-1)/g.panelsEach))
}

const panelsPerPart = 4

// packTask is the par.Task that copies B, panelsPerPart panels a part.
type packTask job

func (t *packTask) Part(i int, _ *par.Worker) {
	g := (*job)(t)
	nr := g.kern.nr
	for p := i * panelsPerPart; p < (i+1)*panelsPerPart && p*nr < g.nc; p++ {
		g.packB(g.packedB[p*nr*g.kc:(p+1)*nr*g.kc], g.p0, g.kc, g.j0+p*nr)
	}
}

// multiplyTask is the par.Task that computes one block of rows and panels a part.
type multiplyTask job

func (t *multiplyTask) Part(part int, worker *par.Worker) {
	g, index := (*job)(t), worker.Index()
	mr, nr := g.kern.mr, g.kern.nr
	from := part % g.rowBlocks * g.rowsEach
	to := min(from+g.rowsEach, g.m)
	first := part / g.rowBlocks * g.panelsEach
	last := min(first+g.panelsEach, (g.nc+nr-1)/nr)

	// Tiles of A above row inPlace are read where they lie; those from it on are copied.
	inPlace := from + (to-from)/mr*mr
	if g.tA || g.alpha != 1 {
		inPlace = from
	}
	if need := (g.rowsEach + mr) * g.kc; len(g.packedA[index]) < need {
		g.packedA[index] = make([]float32, need)
	}
	tiles := g.packedA[index]
	g.packA(tiles, g.p0, g.kc, inPlace, to)
	for p := first; p < last; p++ {
		j := g.j0 + p*nr
		panel := g.packedB[p*nr*g.kc : (p+1)*nr*g.kc]
		for i := from; i < to; i += mr {
			a, rowStride, colStride := tiles, g.kc, 1
			switch {
			case i < inPlace:
				a, rowStride = g.a[i*g.lda+g.p0:], g.lda
			case g.tA:
				a, rowStride, colStride = tiles[(i-inPlace)*g.kc:], 1, mr
			default:
				a = tiles[(i-inPlace)*g.kc:]
			}
			if i+mr <= g.m && j+nr <= g.n {
				g.kern.tile(mr, g.kc, a, rowStride, colStride, panel, g.c[i*g.ldc+j:], g.ldc, g.add)
				continue
			}
			edge := g.edgeTile[index]
			g.kern.tile(min(mr, g.m-i), g.kc, a, rowStride, colStride, panel, edge, nr, false)
			g.putEdge(edge, i, j)
		}
	}
}

// putEdge writes the part of an edge tile that lies within C.
func (g *job) putEdge(tile []float32, i, j int) {
	mr, nr := g.kern.mr, g.kern.nr
	width := min(nr, g.n-j)
	for r := range min(mr, g.m-i) {
		out := g.c[(i+r)*g.ldc+j:][:width]
		if !g.add {
			copy(out, tile[r*nr:])
			continue
		}
		for c := range out {
			out[c] += tile[r*nr+c]
		}
	}
}

func (e *Engine) String() string {
	return fmt.Sprintf("gemm: %s kernel, %d threads", e.kern.name, e.pool.Size())
}
