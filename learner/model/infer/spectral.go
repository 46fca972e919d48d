package infer

import (
	"math"

	"kilim/learner/tensor/gemm"
)

// spectral is an upper bound of the greatest factor by which a matrix lengthens a row, its spectral norm: the 64th root of the sum of
// the 64th powers of its singular values, which is the trace of a power of its Gram matrix. It is above the norm by a factor of
// n^(1/64) at most, 1.09 for n of 256. Power iteration would be cheaper, and comes from below: what it gives bounds nothing.
func spectral(m matrix) float64 {
	// The Gram matrix of the shorter side has the same eigenvalues, but for zeros.
	g := transposed(m)
	if m.rows < m.cols {
		g = m
	}
	n := g.rows
	gram := make([]float32, n*n)
	gemm.Pack(g.cols, n, transposed(g).data).Multiply(n, g.data, gram)
	log, weight := 0.0, 1.0 // of the power so far: gram times e^log is (g g')^(1/weight)
	for range squarings {
		t := trace(gram, n)
		if t == 0 {
			return 0
		}
		for i := range gram {
			gram[i] = float32(float64(gram[i]) / t)
		}
		log += weight * math.Log(t)
		square := make([]float32, n*n)
		gemm.Pack(n, n, gram).Multiply(n, gram, square)
		gram, weight = square, weight/2
	}
	log += weight * math.Log(trace(gram, n))
	return rounding * math.Exp(log/2)
}

const (
	// squarings make of the Gram matrix, whose eigenvalues are the squares of singular values, its 32nd power.
	squarings = 5
	// rounding is more than what single precision takes from the trace.
	rounding = 1.001
)

func trace(m []float32, n int) (sum float64) {
	for i := range n {
		sum += float64(m[i*n+i])
	}
	return sum
}

func transposed(m matrix) matrix {
	t := matrix{m.cols, m.rows, make([]float32, len(m.data))}
	for i := range m.rows {
		for j := range m.cols {
			t.data[j*m.rows+i] = m.data[i*m.cols+j]
		}
	}
	return t
}

// columns are some columns of a matrix.
func (m matrix) columns(from, to int) matrix {
	out := matrix{m.rows, to - from, make([]float32, 0, m.rows*(to-from))}
	for i := range m.rows {
		out.data = append(out.data, m.row(i)[from:to]...)
	}
	return out
}

// top are the first rows of a matrix, and below those after them.
func (m matrix) top(rows int) matrix   { return matrix{rows, m.cols, m.data[:rows*m.cols]} }
func (m matrix) below(rows int) matrix { return matrix{m.rows - rows, m.cols, m.data[rows*m.cols:]} }
