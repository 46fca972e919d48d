package tape

import (
	"math"

	"kilim/learner/tensor/par"
	"kilim/learner/tensor/vec"
)

// Drop is a dropout: elements are zeroed with probability Rate, the others scaled by 1/(1-Rate) (Srivastava et al.
// 2014, section 10). Seed and the element's place decide which ones. Rate 0 drops nothing.
type Drop struct {
	Rate float64
	Seed uint64
}

func (d Drop) scale() float32 { return float32(1 / (1 - d.Rate)) }

// apply writes row r of the dropout of x to y.
func (d Drop) apply(r int, x, y []float32) {
	vec.Drop(x, y, d.Seed+uint64(r)<<20, uint16(d.Rate*(1<<16)), d.scale())
}

type dropout struct {
	y, x Matrix
	drop Drop
	dx   []float32 // while going back
	add  bool
}

// Dropout returns drop(x).
func (t *Tape) Dropout(x Matrix, drop Drop) Matrix {
	if drop.Rate == 0 {
		return x
	}
	o := t.slabs.drops.next()
	*o = dropout{y: t.New(x.Rows, x.Cols), x: x, drop: drop}
	t.worker.Run((*dropForward)(o), parts(x.Rows))
	t.record(o, o.y)
	return o.y
}

type dropForward dropout

func (o *dropForward) Part(i int, _ *par.Worker) {
	from, to := bounds(i, o.x.Rows)
	for r := from; r < to; r++ {
		o.drop.apply(r, o.x.Row(r), o.y.Row(r))
	}
}

func (o *dropout) backward(t *Tape) {
	if o.x.grad == nil {
		return
	}
	o.y.ensureZeroed()
	o.dx, o.add = o.x.gradientTarget()
	t.worker.Run((*dropBackward)(o), parts(o.x.Rows))
}

type dropBackward dropout

func (o *dropBackward) Part(i int, _ *par.Worker) {
	from, to := bounds(i, o.x.Rows)
	gy, n := o.y.Grad(), o.x.Cols
	for r := from; r < to; r++ {
		// The gradient of y is not needed after this, so the dropout may overwrite it.
		g, dx := gy[r*n:(r+1)*n], o.dx[r*n:(r+1)*n]
		if o.add {
			o.drop.apply(r, g, g)
			vec.Axpy(1, g, dx)
		} else {
			o.drop.apply(r, g, dx)
		}
	}
}

type addition struct{ y, x Matrix }

// Copy is y = x.
func (t *Tape) Copy(y, x Matrix) {
	mustFit("x", len(x.Data), len(y.Data))
	copy(y.Data, x.Data)
	t.recordSum(y, x)
}

// Add is y += x. Of the operations recorded for y before, only Copy, Product and Add are allowed: their gradients don't
// read y, which Add changes.
func (t *Tape) Add(y, x Matrix) {
	mustFit("x", len(x.Data), len(y.Data))
	vec.Axpy(1, x.Data, y.Data)
	t.recordSum(y, x)
}

func (t *Tape) recordSum(y, x Matrix) {
	o := t.slabs.copies.next()
	*o = addition{y, x}
	t.record(o, y)
}

func (o *addition) backward(*Tape) {
	if o.x.grad == nil {
		return
	}
	dy := o.y.Grad()
	g, add := o.x.gradientTarget()
	accumulate(g, dy, add)
}

type norm struct {
	y, x, res, gain, bias Matrix
	sum                   []float32 // x + res, if that is what is normalized
	mean, scale           []float32 // of each row
	// while going back
	sums         []float32 // of each part: the gradients of gain, then those of bias
	dx, dRes     []float32
	addX, addRes bool
}

// LayerNorm is y = LN(x) + res, or y = LN(x + res) when inside is set; a res without rows is left out. LN brings a row
// to mean 0 and variance 1, multiplies by gain and adds bias (Ba, Kiros and Hinton 2016, section 3).
func (t *Tape) LayerNorm(y, x, res, gain, bias Matrix, inside bool) {
	mustFit("x", len(x.Data), len(y.Data))
	mustFit("gain", len(gain.Data), x.Cols)
	mustFit("bias", len(bias.Data), x.Cols)
	o := t.slabs.norms.next()
	*o = norm{y: y, x: x, res: res, gain: gain, bias: bias, mean: t.Scratch(x.Rows), scale: t.Scratch(x.Rows)}
	if res.Rows > 0 {
		mustFit("res", len(res.Data), len(x.Data))
		if inside {
			// The sum has memory of its own because the operation that made x may read x in its gradient.
			o.sum = t.Scratch(len(x.Data))
		}
	}
	t.worker.Run((*normForward)(o), parts(x.Rows))
	t.record(o, y)
}

// normalized is the row that LN normalizes: of sum if there is one, else of x.
func (o *norm) normalized(r int) []float32 {
	if o.sum != nil {
		return o.sum[r*o.x.Cols : (r+1)*o.x.Cols]
	}
	return o.x.Row(r)
}

type normForward norm

func (f *normForward) Part(i int, _ *par.Worker) {
	o := (*norm)(f)
	from, to := bounds(i, o.x.Rows)
	for r := from; r < to; r++ {
		in, y := o.normalized(r), o.y.Row(r)
		if o.sum != nil {
			copy(in, o.x.Row(r))
			vec.Axpy(1, o.res.Row(r), in)
		}
		o.mean[r], o.scale[r] = vec.Norm(in, o.gain.Data, o.bias.Data, y)
		if o.sum == nil && o.res.Rows > 0 {
			vec.Axpy(1, o.res.Row(r), y)
		}
	}
}

func (o *norm) backward(t *Tape) {
	o.y.ensureZeroed()
	if o.x.grad != nil {
		o.dx, o.addX = o.x.gradientTarget()
	}
	if o.res.Rows > 0 && o.res.grad != nil {
		o.dRes, o.addRes = o.res.gradientTarget()
	}
	n := parts(o.x.Rows)
	o.sums = t.Scratch(2 * n * o.x.Cols)
	t.worker.Run((*normBackward)(o), n)
	if o.gain.grad != nil {
		addParts(o.gain.Grad(), o.sums[:n*o.x.Cols])
	}
	if o.bias.grad != nil {
		addParts(o.bias.Grad(), o.sums[n*o.x.Cols:])
	}
}

type normBackward norm

func (b *normBackward) Part(i int, _ *par.Worker) {
	o := (*norm)(b)
	from, to := bounds(i, o.x.Rows)
	n := o.x.Cols
	half := len(o.sums) / 2
	dGain, dBias := o.sums[i*n:(i+1)*n], o.sums[half+i*n:half+(i+1)*n]
	clear(dGain)
	clear(dBias)
	gy := o.y.Grad()
	for r := from; r < to; r++ {
		dy := gy[r*n : (r+1)*n]
		if o.sum != nil {
			// The gradient of the sum takes the place of dy, which is not needed after this.
			vec.NormGrad(o.normalized(r), dy, o.gain.Data, dGain, dBias, dy, o.mean[r], o.scale[r], false)
			if o.dx != nil {
				accumulate(o.dx[r*n:(r+1)*n], dy, o.addX)
			}
			if o.dRes != nil {
				accumulate(o.dRes[r*n:(r+1)*n], dy, o.addRes)
			}
			continue
		}
		var dx []float32
		if o.dx != nil {
			dx = o.dx[r*n : (r+1)*n]
		}
		vec.NormGrad(o.normalized(r), dy, o.gain.Data, dGain, dBias, dx, o.mean[r], o.scale[r], o.addX)
		if o.dRes != nil {
			accumulate(o.dRes[r*n:(r+1)*n], dy, o.addRes)
		}
	}
}

// accumulate adds d to a gradient, or writes it when add is not set.
func accumulate(g, d []float32, add bool) {
	if add {
		vec.Axpy(1, d, g)
	} else {
		copy(g, d)
	}
}

type unit struct {
	y, x  Matrix
	scale []float32
}

// Unit returns x with every row scaled to Euclidean length 1. A length below 1e-12 counts as 1e-12, as in PyTorch's
// normalize.
func (t *Tape) Unit(x Matrix) Matrix {
	o := t.slabs.units.next()
	*o = unit{y: t.New(x.Rows, x.Cols), x: x, scale: t.Scratch(x.Rows)}
	t.worker.Run((*unitForward)(o), parts(x.Rows))
	t.record(o, o.y)
	return o.y
}

type unitForward unit

func (o *unitForward) Part(i int, _ *par.Worker) {
	from, to := bounds(i, o.x.Rows)
	for r := from; r < to; r++ {
		x, y := o.x.Row(r), o.y.Row(r)
		s := float32(1 / max(math.Sqrt(float64(vec.Dot(x, x))), 1e-12))
		o.scale[r] = s
		for j, v := range x {
			y[j] = v * s
		}
	}
}

func (o *unit) backward(t *Tape) {
	if o.x.grad == nil {
		return
	}
	o.x.ensureZeroed()
	o.y.ensureZeroed()
	t.worker.Run((*unitBackward)(o), parts(o.x.Rows))
}

type unitBackward unit

func (o *unitBackward) Part(i int, _ *par.Worker) {
	from, to := bounds(i, o.x.Rows)
	n := o.x.Cols
	gy, gx := o.y.Grad(), o.x.Grad()
	for r := from; r < to; r++ {
		y, dy, dx := o.y.Row(r), gy[r*n:(r+1)*n], gx[r*n:(r+1)*n]
		d := vec.Dot(y, dy)
		vec.Axpy(o.scale[r], dy, dx)
		vec.Axpy(-o.scale[r]*d, y, dx)
	}
}
