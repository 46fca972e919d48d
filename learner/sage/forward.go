package sage

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
)

// must guards lengths and indices. They follow from the configuration and not
// from data: a wrong one is a programming error.
func must(what string, have, want int) {
	if have != want {
		panic(fmt.Sprintf("sage: %s has length %d, want %d", what, have, want))
	}
}

func below(what string, have, limit int) {
	if have < 0 || have >= limit {
		panic(fmt.Sprintf("sage: %s %d, the model has %d", what, have, limit))
	}
}

// maxMagnitude keeps the products far from overflow. Real values are below 100.
const maxMagnitude = 1e12

// finite guards what would spread: one NaN in a running sum stays for ever.
func finite(what string, v []float32) {
	for i, x := range v {
		if !(x >= -maxMagnitude && x <= maxMagnitude) {
			panic(fmt.Sprintf("sage: %s[%d] is %v", what, i, x))
		}
	}
}

// Input writes h0 of a node of the given type to out, of length Width. Nil
// features, or features that are all zero, are absent ones.
//
// Here and in Layer and Output, a vector of another length, a type or relation
// out of range, and a number that is not finite (or beyond 1e12) are programming
// errors: they panic in the caller's goroutine and say which.
func (m *Model) Input(features []float32, typ int, out []float32) {
	must("out", len(out), m.cfg.Width)
	below("type", typ, m.cfg.Types)
	if absent(features) {
		copy(out, m.absent)
	} else {
		must("features", len(features), m.cfg.Features)
		finite("features", features)
		m.product(features, m.in, out)
	}
	for i, t := range row(m.types, typ) {
		out[i] += t
	}
	normalize(out)
}

func absent(features []float32) bool {
	for _, x := range features {
		if x != 0 {
			return false
		}
	}
	return true
}

// Output writes the embedding of a node, of length Embedding, to out: a unit
// vector. h2 is what the last layer gave, h0 what Input gave.
func (m *Model) Output(h2, h0, out []float32) {
	must("h2", len(h2), m.cfg.Width)
	must("h0", len(h0), m.cfg.Width)
	must("out", len(out), m.cfg.Embedding)
	finite("h2", h2)
	finite("h0", h0)
	b := m.blocks.Get().(*block)
	defer m.blocks.Put(b)
	both := b.rows[:2*m.cfg.Width]
	copy(both, h2)
	copy(both[m.cfg.Width:], h0)
	m.product(both, m.out, out)
	var n float64
	for _, x := range out {
		n += float64(x) * float64(x)
	}
	scale := float32(1 / math.Sqrt(max(n, 1e-20)))
	for i := range out {
		out[i] *= scale
	}
}

// product writes a*b to c, a and c dense, a in rows of b's height.
func (m *Model) product(a []float32, b blas32.General, c []float32) {
	m.blas.Sgemm(blas.NoTrans, blas.NoTrans, len(a)/b.Rows, b.Cols, b.Rows, 1, a, b.Rows, b.Data, b.Stride, 0, c, b.Cols)
}

// normalize is layer normalization without gain and bias (Ba, Kiros, Hinton
// 2016): mean 0, variance 1.
func normalize(v []float32) {
	var sum, square float64
	for _, x := range v {
		sum += float64(x)
	}
	mean := sum / float64(len(v))
	for _, x := range v {
		d := float64(x) - mean
		square += d * d
	}
	scale := 1 / math.Sqrt(square/float64(len(v))+1e-5)
	for i, x := range v {
		v[i] = float32((float64(x) - mean) * scale)
	}
}
