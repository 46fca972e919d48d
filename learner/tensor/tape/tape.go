package tape

import (
	"fmt"

	"gonum.org/v1/gonum/blas"

	"kilim/learner/tensor/gemm"
	"kilim/learner/tensor/par"
)

// Matrix is dense and row-major.
type Matrix struct {
	Rows, Cols int
	Data       []float32
	grad       *gradient // nil: there is no gradient
	from       int       // where Data begins in grad.data
}

// gradient is shared by a matrix and its slices.
type gradient struct {
	data []float32
	set  bool // false: data is undefined and stands for zeros
}

// Constant is a matrix without gradient around data of length rows*cols.
func Constant(rows, cols int, data []float32) Matrix {
	mustFit("data", len(data), rows*cols)
	return Matrix{Rows: rows, Cols: cols, Data: data}
}

// Variable is a matrix whose gradient is added to grad; both have length rows*cols.
func Variable(rows, cols int, data, grad []float32) Matrix {
	mustFit("data", len(data), rows*cols)
	mustFit("grad", len(grad), rows*cols)
	return Matrix{Rows: rows, Cols: cols, Data: data, grad: &gradient{data: grad, set: true}}
}

// Row is row i.
func (m Matrix) Row(i int) []float32 { return m.Data[i*m.Cols : (i+1)*m.Cols] }

// Slice is rows from .. to-1, in the same memory.
func (m Matrix) Slice(from, to int) Matrix {
	m.from += from * m.Cols
	m.Data = m.Data[from*m.Cols : to*m.Cols]
	m.Rows = to - from
	return m
}

// Reshape is the same memory in another shape.
func (m Matrix) Reshape(rows, cols int) Matrix {
	mustFit("reshaped matrix", m.Rows*m.Cols, rows*cols)
	m.Rows, m.Cols = rows, cols
	return m
}

// Grad is the gradient after Backward, nil when there is none.
func (m Matrix) Grad() []float32 {
	if m.grad == nil {
		return nil
	}
	m.ensureZeroed()
	return m.grad.data[m.from : m.from+len(m.Data)]
}

// ensureZeroed makes the gradient readable: if nothing was added to it yet, it is zeros.
func (m Matrix) ensureZeroed() {
	if !m.grad.set {
		clear(m.grad.data)
		m.grad.set = true
	}
}

// gradientTarget is where to add a gradient, and whether that holds something already: a whole matrix need not be
// cleared before its first gradient is written.
func (m Matrix) gradientTarget() (g []float32, add bool) {
	if !m.grad.set && len(m.Data) == len(m.grad.data) {
		m.grad.set = true
		return m.grad.data, false
	}
	return m.Grad(), true
}

// Tape records operations and owns the memory of their results. It belongs to one goroutine at a time.
type Tape struct {
	pool         *par.Pool
	worker       *par.Worker // of the goroutine that the tape belongs to
	gemm         *gemm.Engine
	arena        arena
	ops          []op
	paused       bool // operations are not recorded
	slabs        slabs
	children     []*Tape
	usedChildren int // children in use since the last Reset
}

// op is a recorded operation.
type op interface{ backward(*Tape) }

// New returns a Tape that computes on a Pool.
func New(pool *par.Pool) *Tape {
	return &Tape{pool: pool, worker: pool.Caller(), gemm: gemm.New(pool)}
}

// Reset removes all records and takes back the memory of all matrices.
func (t *Tape) Reset() {
	t.arena.reset()
	t.slabs.reset()
	clear(t.ops)
	t.ops = t.ops[:0]
	t.paused = false
	for _, l := range t.children[:t.usedChildren] {
		l.Reset()
	}
	t.usedChildren = 0
}

// SetRecording says whether the operations that follow are recorded, so that Backward differentiates them. Reset turns
// it on.
func (t *Tape) SetRecording(on bool) { t.paused = !on }

// New returns a matrix of undefined content, for operations to write.
func (t *Tape) New(rows, cols int) Matrix {
	m := Matrix{Rows: rows, Cols: cols, Data: t.arena.floats(rows * cols)}
	if !t.paused {
		m.grad = t.slabs.gradients.next()
		*m.grad = gradient{data: t.arena.floats(rows * cols)}
	}
	return m
}

// Scratch returns n numbers of undefined content, valid as long as a Matrix of New.
func (t *Tape) Scratch(n int) []float32 { return t.arena.floats(n) }

// record adds an operation to the tape, unless its result has no gradient.
func (t *Tape) record(o op, result Matrix) {
	if !t.paused && result.grad != nil {
		t.ops = append(t.ops, o)
	}
}

// Backward adds to every gradient that of the 1x1 matrix at.
func (t *Tape) Backward(at Matrix) {
	mustFit("the number to differentiate", len(at.Data), 1)
	if at.grad == nil {
		panic("tape: the number to differentiate was not recorded")
	}
	at.Grad()[0] = 1
	t.backward()
}

func (t *Tape) backward() {
	for i := len(t.ops) - 1; i >= 0; i-- {
		t.ops[i].backward(t)
	}
}

// multiply is C = op(A)*op(B), or C += op(A)*op(B) when add is set.
func (t *Tape) multiply(worker *par.Worker, tA, tB blas.Transpose, m, n, k int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int, add bool) {
	beta := float32(0)
	if add {
		beta = 1
	}
	t.gemm.SgemmOn(worker, tA, tB, m, n, k, 1, a, lda, b, ldb, beta, c, ldc)
}

func mustFit(what string, have, want int) {
	if have != want {
		panic(fmt.Sprintf("tape: %s has size %d, want %d", what, have, want))
	}
}

// rowsPerPart is how many rows a part of a par.Task takes. It is fixed so that sums over parts have the same bits for
// every number of threads.
const rowsPerPart = 64

func parts(rows int) int { return (rows + rowsPerPart - 1) / rowsPerPart }

// bounds are the rows of part i.
func bounds(i, rows int) (from, to int) { return i * rowsPerPart, min((i+1)*rowsPerPart, rows) }
