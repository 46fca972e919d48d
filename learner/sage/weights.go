package sage

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/blas/blas32"
)

// The initialization. Untrained, the network must leave alike what is alike and
// let the neighbourhood say its part. So the residual carries most of h, the
// first basis is the identity (a mean enters as what it is, by every relation)
// and the other bases are rotations, small against it, which tell the relations
// apart. The numbers were chosen on a real archive, where a greater say of the
// neighbourhood finds more artifacts of one dynasty and fewer halves of one
// record; see TestRealArchive.
const (
	// gain is what a layer adds to its residual.
	gain = 0.3
	// selfWeight is W_self, a multiple of the identity.
	selfWeight = 0.3
	// The coefficient of the first basis has this mean, those of the others mean 0.
	commonCoefficient    = 0.3
	coefficientDeviation = 0.1
	// A type says little beside the features: it must not make all carpets alike.
	typeDeviation = 0.1
	// A node without features has a vector like another's.
	absentDeviation = 1
	// skip is W_skip over W_out: h2 holds h0 through the residuals already.
	skip = 0.25
)

// weightSource draws weights. The same seed gives the same weights: they are
// computed in float64 by plain loops, in one order, without fused operations.
type weightSource struct{ rng *rand.Rand }

// normal is a matrix of independent normal numbers.
func (w weightSource) normal(rows, cols int, deviation float64) blas32.General {
	m := matrix(rows, cols)
	for i := range m.Data {
		m.Data[i] = float32(w.rng.NormFloat64() * deviation)
	}
	return m
}

func matrix(rows, cols int) blas32.General {
	return blas32.General{Rows: rows, Cols: cols, Stride: cols, Data: make([]float32, rows*cols)}
}

// orthogonal is a random matrix whose shorter side is orthonormal (Saxe,
// McClelland, Ganguli 2014, section 3): as a map it distorts less than one of
// independent numbers, by Gram-Schmidt on normal vectors.
func (w weightSource) orthogonal(rows, cols int) blas32.General {
	count, length := min(rows, cols), max(rows, cols)
	basis := make([][]float64, 0, count)
	for len(basis) < count {
		v := make([]float64, length)
		for i := range v {
			v[i] = w.rng.NormFloat64()
		}
		// Twice is enough (Giraud, Langou, Rozloznik 2005).
		for range 2 {
			for _, u := range basis {
				d := dot(u, v)
				for i := range v {
					v[i] -= float64(d * u[i])
				}
			}
		}
		n := math.Sqrt(dot(v, v))
		for i := range v {
			v[i] /= n
		}
		basis = append(basis, v)
	}
	m := matrix(rows, cols)
	for i, v := range basis {
		for j, x := range v {
			if rows <= cols {
				m.Data[i*cols+j] = float32(x)
			} else {
				m.Data[j*cols+i] = float32(x)
			}
		}
	}
	return m
}

// dot forbids fused operations, which not every processor has.
func dot(a, b []float64) float64 {
	s := 0.0
	for i := range a {
		s += float64(a[i] * b[i])
	}
	return s
}

func scaled(m blas32.General, factor float64) blas32.General {
	out := matrix(m.Rows, m.Cols)
	for i, x := range m.Data {
		out.Data[i] = float32(float64(x) * factor)
	}
	return out
}

// stack puts matrices of equal width above each other.
func stack(parts ...blas32.General) blas32.General {
	out := blas32.General{Cols: parts[0].Cols, Stride: parts[0].Cols}
	for _, p := range parts {
		out.Rows += p.Rows
		out.Data = append(out.Data, p.Data...)
	}
	return out
}

func identity(n int, factor float64) blas32.General {
	m := matrix(n, n)
	for i := range n {
		m.Data[i*n+i] = float32(factor)
	}
	return m
}

func (w weightSource) layer(cfg Config) layer {
	parts := []blas32.General{identity(cfg.Width, selfWeight), identity(cfg.Width, 1)}
	for range cfg.Bases - 1 {
		parts = append(parts, w.orthogonal(cfg.Width, cfg.Width))
	}
	l := layer{weights: stack(parts...), coefficients: w.normal(cfg.Relations, cfg.Bases, coefficientDeviation)}
	for r := range cfg.Relations {
		row(l.coefficients, r)[0] += commonCoefficient
	}
	return l
}
