package tape

import (
	"fmt"

	"gonum.org/v1/gonum/blas"

	"kilim/learner/tensor/gemm"
	"kilim/learner/tensor/par"
)

// Matrix is dense, row after row.
type Matrix struct {
	Rows, Cols int
	Data       []float32
	grad       *gradient // nil: no gradient is wanted
	from       int       // where Data begins in the whole that grad belongs to
}

// gradient is shared by a matrix and its views.
type gradient struct {
	data []float32
	set  bool // false: to be read as zeros
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

// zeroed makes the gradient readable: what nothing was added to is zero.
func (m Matrix) ensureZeroed() {
	if !m.grad.set {
		clear(m.grad.data)
		m.grad.set = true
	}
}

// sink is where to add a gradient, and whether it holds something yet: a matrix
// as a whole need not be cleared before its first gradient.
func (m Matrix) gradientTarget() (g []float32, add bool) {
	if !m.grad.set && len(m.Data) == len(m.grad.data) {
		m.grad.set = true
		return m.grad.data, false
	}
	return m.Grad(), true
}

// Tape belongs to one goroutine at a time.
type Tape struct {
	pool   *par.Pool
	worker *par.Worker // whose goroutine this is
	gemm   *gemm.Engine
	arena  arena
	ops    []op
	paused    bool // nothing is noted
	slabs  slabs
	children  []*Tape
	usedChildren   int // of them
}

// op is a noted operation.
type op interface{ backward(*Tape) }

// New returns a tape that computes on a team.
func New(pool *par.Pool) *Tape {
	return &Tape{pool: pool, worker: pool.Caller(), gemm: gemm.New(pool)}
}

// Reset forgets all operations and takes back the memory of all matrices.
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

// Record says whether the operations that follow can be differentiated. It is
// on after Reset.
func (t *Tape) SetRecording(on bool) { t.paused = !on }

// New is a matrix of undefined content which operations write.
func (t *Tape) New(rows, cols int) Matrix {
	m := Matrix{Rows: rows, Cols: cols, Data: t.arena.floats(rows * cols)}
	if !t.paused {
		m.grad = t.slabs.gradients.next()
		*m.grad = gradient{data: t.arena.floats(rows * cols)}
	}
	return m
}

// Scratch is n numbers of undefined content.
func (t *Tape) Scratch(n int) []float32 { return t.arena.floats(n) }

// note keeps an operation, unless its result wants no gradient.
func (t *Tape) record(o op, result Matrix) {
	if !t.paused && result.grad != nil {
		t.ops = append(t.ops, o)
	}
}

// Backward adds to every gradient that of the number at, a 1x1 matrix.
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

// multiply is C (+)= op(A)*op(B) on raw memory.
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

// part is how many rows one part of a loop takes.
const rowsPerPart = 64

func parts(rows int) int { return (rows + rowsPerPart - 1) / rowsPerPart }

// bounds are the rows of part i.
func bounds(i, rows int) (from, to int) { return i * rowsPerPart, min((i+1)*rowsPerPart, rows) }
