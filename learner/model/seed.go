package model

import (
	"math"
	"math/rand/v2"
)

// The seeded weights. An untrained network must keep similar what is similar, and must give the neighbourhood some
// weight. So the residuals carry most of a vector; the first basis is the identity, by which a mean of any relation
// enters unchanged; the other bases are rotations, which tell the relations apart; and what fusion adds to the tokens
// begins at zero. Training starts from there and not from noise.
const (
	// layerGain is the gain of a layer's LayerNorm where the residual is added after it.
	layerGain = 0.3
	// selfWeight is the multiple of the identity that W_self begins as.
	selfWeight = 0.3
	// commonCoefficient is the mean coefficient of the first basis; the mean of the others is 0. coefficientDeviation
	// is the standard deviation of all.
	commonCoefficient    = 0.3
	coefficientDeviation = 0.1
	// skipWeight is W_skip relative to the input's weights: the last layer already has the input through the residuals.
	skipWeight = 0.25
)

// initializer writes the seeded values of a parameter into the slice of all weights.
type initializer func(r *rand.Rand, all []float32, p Param)

func constant(v float32) initializer {
	return func(_ *rand.Rand, all []float32, p Param) {
		for i := range p.of(all) {
			p.of(all)[i] = v
		}
	}
}

func normal(deviation float64) initializer {
	return func(r *rand.Rand, all []float32, p Param) {
		w := p.of(all)
		for i := range w {
			w[i] = float32(r.NormFloat64() * deviation)
		}
	}
}

// scaledCopy writes a multiple of an earlier parameter of the same shape.
func scaledCopy(of Param, factor float32) initializer {
	return func(_ *rand.Rand, all []float32, p Param) {
		for i, x := range of.of(all) {
			p.of(all)[i] = factor * x
		}
	}
}

// identities writes square identity matrices, times factor, below each other.
func identities(factor float32) initializer {
	return func(_ *rand.Rand, all []float32, p Param) {
		for i := range p.Rows {
			p.of(all)[i*p.Cols+i%p.Cols] = factor
		}
	}
}

// rotations writes the identity, and below it random orthogonal matrices.
func rotations(r *rand.Rand, all []float32, p Param) {
	w, n := p.of(all), p.Cols
	for i := range n {
		w[i*n+i] = 1
	}
	for at := n * n; at < len(w); at += n * n {
		orthogonal(r, n, n, 1, w[at:at+n*n])
	}
}

func coefficients(r *rand.Rand, all []float32, p Param) {
	normal(coefficientDeviation)(r, all, p)
	for i := range p.Rows {
		p.of(all)[i*p.Cols] += commonCoefficient
	}
}

// projection writes an orthogonal matrix that maps a row of length 1 to coordinates of about 1.
func projection(r *rand.Rand, all []float32, p Param) {
	orthogonal(r, p.Rows, p.Cols, math.Sqrt(float64(max(p.Rows, p.Cols))), p.of(all))
}

// rotation writes an orthogonal matrix that keeps the magnitude of the coordinates.
func rotation(r *rand.Rand, all []float32, p Param) {
	orthogonal(r, p.Rows, p.Cols, math.Sqrt(max(1, float64(p.Cols)/float64(p.Rows))), p.of(all))
}

// orthogonal writes a random matrix whose shorter side is orthonormal, times factor (Saxe, McClelland and Ganguli 2014,
// section 3): as a map it distorts less than a matrix of independent numbers. orthogonal applies Gram-Schmidt to normal
// vectors, in float64 without fused operations, so that every processor gives the same bits.
func orthogonal(r *rand.Rand, rows, cols int, factor float64, w []float32) {
	count, length := min(rows, cols), max(rows, cols)
	basis := make([][]float64, 0, count)
	for len(basis) < count {
		v := make([]float64, length)
		for i := range v {
			v[i] = r.NormFloat64()
		}
		// Two passes of Gram-Schmidt are enough (Giraud, Langou and Rozloznik 2005).
		for range 2 {
			project(basis, v)
		}
		n := math.Sqrt(dot(v, v))
		for i := range v {
			v[i] /= n
		}
		basis = append(basis, v)
	}
	for i, v := range basis {
		for j, x := range v {
			at := i*cols + j
			if rows > cols {
				at = j*cols + i
			}
			w[at] = float32(x * factor)
		}
	}
}

// project subtracts from v its components along basis, four vectors at a time: four independent sums keep the processor
// busy. As dot, it touches no shared memory; go:norace spares the race detector's instrumentation, which would make
// every test that opens a model twenty times slower.
//
//go:norace
func project(basis [][]float64, v []float64) {
	for ; len(basis) >= 4; basis = basis[4:] {
		a, b, c, d := basis[0][:len(v)], basis[1][:len(v)], basis[2][:len(v)], basis[3][:len(v)]
		var p, q, r, s float64
		for i, x := range v {
			p += float64(a[i] * x)
			q += float64(b[i] * x)
			r += float64(c[i] * x)
			s += float64(d[i] * x)
		}
		for i := range v {
			v[i] -= float64(p*a[i]) + float64(q*b[i]) + (float64(r*c[i]) + float64(s*d[i]))
		}
	}
	for _, u := range basis {
		p := dot(u, v)
		for i := range v {
			v[i] -= float64(p * u[i])
		}
	}
}

//go:norace
func dot(a, b []float64) float64 {
	s := 0.0
	for i := range a {
		s += float64(a[i] * b[i])
	}
	return s
}
