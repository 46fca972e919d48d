package tape

import (
	"slices"

	"gonum.org/v1/gonum/blas"

	"kilim/learner/tensor/gemm"
	"kilim/learner/tensor/par"
	"kilim/learner/tensor/sparse"
	"kilim/learner/tensor/vec"
)

type inputProduct struct {
	y, w    Matrix
	x       Rows
	add     bool
	dw      []float32 // while going back
	columns columns
}

// InputProduct is y = x*w, or y += x*w when add is set, for the first y.Rows rows of x: Product for what Gather returned.
// y has the bits that Product gives it, as gemm.MultiplySparse says. The gradient of w is a sum in another order: over
// the whole rows first and the sparse ones after them. It is the gradient of all of w: the rows of w that no row of x
// reads have zeros, as they have with Product.
func (t *Tape) InputProduct(y Matrix, x *Rows, w Matrix, add bool) {
	mustFit("x", x.matrix.Cols, w.Rows)
	mustFit("y", y.Cols, w.Cols)
	mustFit("x", min(len(x.whole)+len(x.few), y.Rows), y.Rows)
	o := t.slabs.inputs.next()
	*o = inputProduct{y: y, w: w, x: x.first(y.Rows), add: add, columns: o.columns}
	if n := len(o.x.whole); n == y.Rows {
		o.multiply(t, y.Data)
	} else if n > 0 {
		out := t.Scratch(n * y.Cols)
		if add {
			collect(out, y, o.x.whole)
		}
		o.multiply(t, out)
		for k, place := range o.x.whole {
			copy(y.Row(int(place)), out[k*y.Cols:])
		}
	}
	t.worker.Run((*inputForward)(o), parts(len(o.x.few)))
	t.record(o, y)
}

// multiply multiplies the whole rows.
func (o *inputProduct) multiply(t *Tape, out []float32) {
	x, w := o.x.matrix, o.w
	t.multiply(t.worker, blas.NoTrans, blas.NoTrans, x.Rows, w.Cols, w.Rows, x.Data, x.Cols, w.Data, w.Cols, out, w.Cols, o.add)
}

// collect copies some rows of m to out, one after the other.
func collect(out []float32, m Matrix, rows []int32) {
	for k, r := range rows {
		copy(out[k*m.Cols:(k+1)*m.Cols], m.Row(int(r)))
	}
}

// inputForward multiplies the sparse rows.
type inputForward inputProduct

func (o *inputForward) Part(i int, _ *par.Worker) {
	from, to := bounds(i, len(o.x.few))
	for k := from; k < to; k++ {
		gemm.MultiplySparse(o.x.sparse[k], o.w.Cols, o.w.Data, o.y.Row(int(o.x.few[k])), o.add)
	}
}

func (o *inputProduct) backward(t *Tape) {
	if o.w.grad == nil {
		return
	}
	x, w := o.x.matrix, o.w
	dy := Constant(o.y.Rows, o.y.Cols, o.y.Grad())
	dw, add := w.gradientTarget()
	if x.Rows > 0 {
		whole := dy.Data
		if x.Rows < dy.Rows {
			whole = t.Scratch(x.Rows * dy.Cols)
			collect(whole, dy, o.x.whole)
		}
		t.multiply(t.worker, blas.Trans, blas.NoTrans, w.Rows, w.Cols, x.Rows, x.Data, x.Cols, whole, dy.Cols, dw, w.Cols, add)
	} else if !add {
		clear(dw)
	}
	if len(o.x.few) > 0 {
		o.dw = dw
		o.columns.make(w.Rows, o.x.few, o.x.sparse)
		t.worker.Run((*inputBackward)(o), parts(w.Rows))
	}
}

// inputBackward adds the sparse rows to the gradient: to each row of w, whose number is a column of x, the sum over the
// rows of x that read it. A row of w is summed by one part in the order of the rows, for any number of threads.
type inputBackward inputProduct

func (o *inputBackward) Part(i int, _ *par.Worker) {
	from, to := bounds(i, o.w.Rows)
	n := o.w.Cols
	dy := o.y.Grad()
	for j := from; j < to; j++ {
		if a, b := o.columns.start[j], o.columns.start[j+1]; a < b {
			vec.Gather(o.columns.row[a:b], o.columns.value[a:b], dy, n, o.dw[j*n:(j+1)*n], true)
		}
	}
}

// columns are the numbers of sparse rows by column: those of column j, by ascending row, from start[j] to start[j+1]-1.
type columns struct {
	start, row []int32
	value      []float32
}

// make takes in the numbers of rows, whose places are few, in the memory that c has.
func (c *columns) make(cols int, few []int32, rows []sparse.Vector) {
	c.start = resize(c.start, cols+1)
	clear(c.start)
	for _, v := range rows {
		for _, j := range v.Index {
			c.start[j]++
		}
	}
	sum := int32(0)
	for j, n := range c.start {
		sum += n
		c.start[j] = sum // the end of column j, for now
	}
	c.row, c.value = resize(c.row, int(sum)), resize(c.value, int(sum))
	for k := len(rows) - 1; k >= 0; k-- {
		for i, j := range rows[k].Index {
			c.start[j]--
			c.row[c.start[j]], c.value[c.start[j]] = few[k], rows[k].Value[i]
		}
	}
}

// resize returns a slice of n elements of undefined content, in the memory of s where that is enough.
func resize[T any](s []T, n int) []T { return slices.Grow(s[:0], n)[:n] }
