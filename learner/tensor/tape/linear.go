package tape

import (
	"gonum.org/v1/gonum/blas"

	"kilim/learner/tensor/par"
	"kilim/learner/tensor/vec"
)

type product struct {
	y, x, w    Matrix
	tape       *Tape
	dx, dw     []float32 // while going back
	addX, addW bool
}

// Product is y = x*w, or y += x*w when add is set.
func (t *Tape) Product(y, x, w Matrix, add bool) {
	mustFit("x", x.Cols, w.Rows)
	mustFit("y", y.Cols, w.Cols)
	mustFit("y", y.Rows, x.Rows)
	if x.Rows == 0 {
		return
	}
	t.multiply(t.worker, blas.NoTrans, blas.NoTrans, x.Rows, w.Cols, x.Cols, x.Data, x.Cols, w.Data, w.Cols, y.Data, y.Cols, add)
	o := t.slabs.products.next()
	*o = product{y: y, x: x, w: w, tape: t}
	t.record(o, y)
}

func (o *product) backward(t *Tape) {
	o.y.ensureZeroed()
	parts := 0
	if o.w.grad != nil {
		o.dw, o.addW = o.w.gradientTarget()
		parts++
	}
	if o.x.grad != nil {
		o.dx, o.addX = o.x.gradientTarget()
		parts++
	}
	t.worker.Run((*productBackward)(o), parts)
}

// productBackward has part 0 compute the gradient of w, and the last part that of x, where they are wanted.
type productBackward product

func (o *productBackward) Part(i int, m *par.Worker) {
	dy := o.y.Grad()
	if i == 0 && o.dw != nil {
		o.tape.multiply(m, blas.Trans, blas.NoTrans, o.w.Rows, o.w.Cols, o.x.Rows, o.x.Data, o.x.Cols, dy, o.y.Cols, o.dw, o.w.Cols, o.addW)
		return
	}
	o.tape.multiply(m, blas.NoTrans, blas.Trans, o.x.Rows, o.x.Cols, o.y.Cols, dy, o.y.Cols, o.w.Data, o.w.Cols, o.dx, o.x.Cols, o.addX)
}

// Activation is the function that Bias applies.
type Activation int

// The activations. GELU is the exact one, x*Phi(x) (Hendrycks and Gimpel 2016, section 2).
const (
	Identity Activation = iota
	ReLU
	GELU
)

type bias struct {
	y, b  Matrix
	act   Activation
	slope []float32 // of GELU
	sums  []float32 // of each part, while going back
	drop  Drop
}

// Bias is y = drop(act(y + b)), in place; b is one row. A Drop with a Rate above 0 is allowed with ReLU only.
func (t *Tape) Bias(y, b Matrix, act Activation, drop Drop) {
	mustFit("bias", len(b.Data), y.Cols)
	if drop.Rate > 0 && act != ReLU {
		panic("tape: Bias drops with ReLU only")
	}
	o := t.slabs.biases.next()
	*o = bias{y: y, b: b, act: act, drop: drop}
	if act == GELU && !t.paused {
		o.slope = t.Scratch(len(y.Data))
	}
	t.worker.Run((*biasForward)(o), parts(y.Rows))
	t.record(o, y)
}

type biasForward bias

func (o *biasForward) Part(i int, _ *par.Worker) {
	from, to := bounds(i, o.y.Rows)
	b := o.b.Data
	for r := from; r < to; r++ {
		y := o.y.Row(r)
		switch o.act {
		case Identity:
			vec.Axpy(1, b, y)
		case ReLU:
			vec.AddReLU(b, y)
			if o.drop.Rate > 0 {
				o.drop.apply(r, y, y)
			}
		case GELU:
			vec.Axpy(1, b, y)
			var slope []float32
			if o.slope != nil {
				slope = o.slope[r*len(b) : (r+1)*len(b)]
			}
			vec.GELU(y, slope)
		}
	}
}

func (o *bias) backward(t *Tape) {
	o.y.Grad() // clears the gradient before the parts read it
	n := parts(o.y.Rows)
	o.sums = t.Scratch(n * o.y.Cols)
	t.worker.Run((*biasBackward)(o), n)
	if o.b.grad != nil {
		addParts(o.b.Grad(), o.sums)
	}
}

// addParts adds to a gradient the sums of all parts, in their order.
func addParts(to, sums []float32) {
	for ; len(sums) > 0; sums = sums[len(to):] {
		vec.Axpy(1, sums[:len(to)], to)
	}
}

type biasBackward bias

func (o *biasBackward) Part(i int, _ *par.Worker) {
	from, to := bounds(i, o.y.Rows)
	n := o.y.Cols
	grad := o.y.Grad()
	sum := o.sums[i*n : (i+1)*n]
	clear(sum)
	scale := float32(1)
	if o.drop.Rate > 0 {
		scale = o.drop.scale()
	}
	for r := from; r < to; r++ {
		g := grad[r*n : (r+1)*n]
		switch o.act {
		case ReLU:
			// Zero stands where ReLU or the dropout put it.
			vec.ReLUGrad(o.y.Row(r), g, scale)
		case GELU:
			for j, s := range o.slope[r*n : (r+1)*n] {
				g[j] *= s
			}
		}
		vec.Axpy(1, g, sum)
	}
}
