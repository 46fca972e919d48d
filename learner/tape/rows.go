package tape

import (
	"math"

	"kilim/learner/par"
	"kilim/learner/vec"
)

// Drop is a dropout: elements are zeroed with probability Rate, the others
// scaled by 1/(1-Rate) (Srivastava et al. 2014). Which ones, Seed and the
// element's place decide. Rate 0 drops nothing.
type Drop struct {
	Rate float64
	Seed uint64
}

func (d Drop) scale() float32 { return float32(1 / (1 - d.Rate)) }

// apply writes row r of the dropout of x to y. Every hash of a counter decides
// about four elements.
func (d Drop) apply(r int, x, y []float32) {
	limit := uint64(d.Rate * (1 << 16))
	scale := d.scale()
	counter := d.Seed + uint64(r)<<20
	var h uint64
	for j, v := range x {
		if j&3 == 0 {
			counter++
			h = mixBits(counter)
		}
		if h&0xffff < limit {
			y[j] = 0
		} else {
			y[j] = v * scale
		}
		h >>= 16
	}
}

// mixBits is the output function of splitmix64 (Steele, Lea, Flood 2014).
func mixBits(x uint64) uint64 {
	x *= 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

type dropout struct {
	y, x Matrix
	drop Drop
}

// Dropout returns drop(x).
func (t *Tape) Dropout(x Matrix, drop Drop) Matrix {
	if drop.Rate == 0 {
		return x
	}
	o := t.slabs.drops.next()
	*o = dropout{y: t.New(x.Rows, x.Cols), x: x, drop: drop}
	t.member.Run((*dropForward)(o), parts(x.Rows))
	t.note(o, o.y)
	return o.y
}

type dropForward dropout

func (o *dropForward) Part(i int, _ *par.Member) {
	from, to := bounds(i, o.x.Rows)
	for r := from; r < to; r++ {
		o.drop.apply(r, o.x.Row(r), o.y.Row(r))
	}
}

func (o *dropout) back(t *Tape) {
	if o.x.grad == nil {
		return
	}
	o.y.zeroed()
	o.x.zeroed()
	t.member.Run((*dropBackward)(o), parts(o.x.Rows))
}

type dropBackward dropout

func (o *dropBackward) Part(i int, _ *par.Member) {
	from, to := bounds(i, o.x.Rows)
	gy, gx := o.y.Grad(), o.x.Grad()
	n := o.x.Cols
	for r := from; r < to; r++ {
		// The gradient of the result is needed no more.
		g := gy[r*n : (r+1)*n]
		o.drop.apply(r, g, g)
		vec.Axpy(1, g, gx[r*n:(r+1)*n])
	}
}

type addition struct{ y, x Matrix }

// Copy is y = x.
func (t *Tape) Copy(y, x Matrix) {
	fit("x", len(x.Data), len(y.Data))
	copy(y.Data, x.Data)
	t.noteSum(y, x)
}

// Add is y += x. No operation that needs its y again, or has read y, may have
// been noted for it but Copy, Product and Add: they alone don't look at it while
// going back.
func (t *Tape) Add(y, x Matrix) {
	fit("x", len(x.Data), len(y.Data))
	vec.Axpy(1, x.Data, y.Data)
	t.noteSum(y, x)
}

func (t *Tape) noteSum(y, x Matrix) {
	o := t.slabs.copies.next()
	*o = addition{y, x}
	t.note(o, y)
}

func (o *addition) back(*Tape) {
	if o.x.grad == nil {
		return
	}
	dy := o.y.Grad()
	if g, add := o.x.sink(); add {
		vec.Axpy(1, dy, g)
	} else {
		copy(g, dy)
	}
}

type norm struct {
	y, x, res, gain, bias Matrix
	mean, scale           []float32 // of each row
	sums                  []float32 // of each part, while going back
}

// epsilon is added to the variance, as PyTorch does.
const epsilon = 1e-5

// LayerNorm is y = LN(x) + res, or LN(x + res) when inside is set; a res without
// rows is none. LN brings a row to mean 0 and variance 1, multiplies by gain and
// adds bias (Ba, Kiros, Hinton 2016).
func (t *Tape) LayerNorm(y, x, res, gain, bias Matrix, inside bool) {
	fit("x", len(x.Data), len(y.Data))
	fit("gain", len(gain.Data), x.Cols)
	fit("bias", len(bias.Data), x.Cols)
	if res.Rows > 0 {
		fit("res", len(res.Data), len(x.Data))
		if inside {
			// In memory of its own: who made x may look at it while going back.
			both := t.New(x.Rows, x.Cols)
			t.Copy(both, x)
			t.Add(both, res)
			x, res = both, Matrix{}
		}
	}
	o := t.slabs.norms.next()
	*o = norm{y: y, x: x, res: res, gain: gain, bias: bias, mean: t.Scratch(x.Rows), scale: t.Scratch(x.Rows)}
	t.member.Run((*normForward)(o), parts(x.Rows))
	t.note(o, y)
}

type normForward norm

func (o *normForward) Part(i int, _ *par.Member) {
	from, to := bounds(i, o.x.Rows)
	gain, bias := o.gain.Data, o.bias.Data[:len(o.gain.Data)]
	for r := from; r < to; r++ {
		x := o.x.Row(r)
		mean := sum(x) / float32(len(x))
		scale := float32(1 / math.Sqrt(float64(deviation(x, mean)/float32(len(x)))+epsilon))
		o.mean[r], o.scale[r] = mean, scale
		y := o.y.Row(r)[:len(gain)]
		if x := x[:len(gain)]; o.res.Rows > 0 {
			res := o.res.Row(r)[:len(gain)]
			for j, g := range gain {
				y[j] = (x[j]-mean)*scale*g + bias[j] + res[j]
			}
		} else {
			for j, g := range gain {
				y[j] = (x[j]-mean)*scale*g + bias[j]
			}
		}
	}
}

func sum(x []float32) float32 {
	var a, b, c, d float32
	for ; len(x) >= 4; x = x[4:] {
		a, b, c, d = a+x[0], b+x[1], c+x[2], d+x[3]
	}
	for _, v := range x {
		a += v
	}
	return (a + b) + (c + d)
}

// deviation is the sum of the squared distances from the mean.
func deviation(x []float32, mean float32) float32 {
	var a, b, c, d float32
	for ; len(x) >= 4; x = x[4:] {
		p, q, r, s := x[0]-mean, x[1]-mean, x[2]-mean, x[3]-mean
		a, b, c, d = a+p*p, b+q*q, c+r*r, d+s*s
	}
	for _, v := range x {
		a += (v - mean) * (v - mean)
	}
	return (a + b) + (c + d)
}

func (o *norm) back(t *Tape) {
	o.y.zeroed()
	if o.x.grad != nil {
		o.x.zeroed()
	}
	if o.res.Rows > 0 && o.res.grad != nil {
		o.res.zeroed()
	}
	n := parts(o.x.Rows)
	o.sums = t.Scratch(2 * n * o.x.Cols)
	t.member.Run((*normBackward)(o), n)
	if o.gain.grad != nil {
		addParts(o.gain.Grad(), o.sums[:n*o.x.Cols])
	}
	if o.bias.grad != nil {
		addParts(o.bias.Grad(), o.sums[n*o.x.Cols:])
	}
}

type normBackward norm

func (o *normBackward) Part(i int, _ *par.Member) {
	from, to := bounds(i, o.x.Rows)
	n := o.x.Cols
	half := len(o.sums) / 2
	dGain, dBias := o.sums[i*n:(i+1)*n], o.sums[half+i*n:half+(i+1)*n]
	clear(dGain)
	clear(dBias)
	gain := o.gain.Data[:n]
	gy := o.y.Grad()
	for r := from; r < to; r++ {
		dy := gy[r*n : (r+1)*n : (r+1)*n]
		x := o.x.Row(r)[:n]
		mean, scale := o.mean[r], o.scale[r]
		var s1, s2 float32
		for j := range n {
			h := (x[j] - mean) * scale
			d := dy[j]
			dGain[j] += d * h
			dBias[j] += d
			d *= gain[j]
			s1 += d
			s2 += d * h
		}
		if o.res.Rows > 0 && o.res.grad != nil {
			vec.Axpy(1, dy, o.res.Grad()[r*n:(r+1)*n])
		}
		if o.x.grad == nil {
			continue
		}
		s1, s2 = s1/float32(n), s2/float32(n)
		dx := o.x.Grad()[r*n : (r+1)*n : (r+1)*n][:n]
		for j := range n {
			h := (x[j] - mean) * scale
			dx[j] += scale * (dy[j]*gain[j] - s1 - h*s2)
		}
	}
}

type unit struct {
	y, x  Matrix
	scale []float32
}

// Unit returns x with every row brought to length 1 (Euclidean, at least 1e-12
// before, as PyTorch's normalize).
func (t *Tape) Unit(x Matrix) Matrix {
	o := t.slabs.units.next()
	*o = unit{y: t.New(x.Rows, x.Cols), x: x, scale: t.Scratch(x.Rows)}
	t.member.Run((*unitForward)(o), parts(x.Rows))
	t.note(o, o.y)
	return o.y
}

type unitForward unit

func (o *unitForward) Part(i int, _ *par.Member) {
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

func (o *unit) back(t *Tape) {
	if o.x.grad == nil {
		return
	}
	o.x.zeroed()
	o.y.zeroed()
	t.member.Run((*unitBackward)(o), parts(o.x.Rows))
}

type unitBackward unit

func (o *unitBackward) Part(i int, _ *par.Member) {
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
