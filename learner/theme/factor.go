package theme

import (
	"fmt"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack/lapack64"

	"kilim/learner/tensor/gemm"
)

// side is the order of the blocks on the diagonal of a factor: these are factorized and inverted in float64 by gonum, all else
// is products of blocks in float32.
const side = 128

// factor is the Cholesky factor L of a symmetric positive definite matrix A = L L'. Its rows are those of A, its upper triangle
// holds nothing that is read.
type factor struct {
	n       int
	l       []float32
	inverse [][]float32 // of the blocks on the diagonal, each side x side at most
	engine  *gemm.Engine
}

// factorize makes the factor of a, n x n, in its place (Golub and Van Loan, "Matrix Computations", 4th edition, section 4.2.9: block
// outer product Cholesky). Only the lower triangle of a is read.
func factorize(engine *gemm.Engine, n int, a []float32) (*factor, error) {
	f := &factor{n: n, l: a, engine: engine}
	var panel []float32
	for k := 0; k < n; k += side {
		w := min(side, n-k)
		inv, err := f.diagonal(k, w)
		if err != nil {
			return nil, err
		}
		f.inverse = append(f.inverse, inv)
		below := n - k - w
		if below == 0 {
			break
		}
		// The panel below the block: A21 L11'^-1.
		panel = append(panel[:0], make([]float32, below*w)...)
		engine.Sgemm(blas.NoTrans, blas.Trans, below, w, w, 1, a[(k+w)*n+k:], n, inv, w, 0, panel, w)
		for i := range below {
			copy(a[(k+w+i)*n+k:][:w], panel[i*w:][:w])
		}
		// What is right of it, the lower triangle alone.
		for j := k + w; j < n; j += side {
			v := min(side, n-j)
			engine.Sgemm(blas.NoTrans, blas.Trans, n-j, v, w, -1, a[j*n+k:], n, a[j*n+k:], n, 1, a[j*n+j:], n)
		}
	}
	return f, nil
}

// diagonal factorizes the block at k and returns the inverse of its factor.
func (f *factor) diagonal(k, w int) ([]float32, error) {
	block := blas64.Symmetric{N: w, Stride: w, Uplo: blas.Lower, Data: make([]float64, w*w)}
	for i := range w {
		for j := range i + 1 {
			block.Data[i*w+j] = float64(f.l[(k+i)*f.n+k+j])
		}
	}
	l, ok := lapack64.Potrf(block)
	if !ok {
		return nil, fmt.Errorf("theme: a matrix of %d rows is not positive definite at row %d", f.n, k)
	}
	for i := range w {
		for j := range i + 1 {
			f.l[(k+i)*f.n+k+j] = float32(l.Data[i*w+j])
		}
	}
	if !lapack64.Trtri(l) {
		return nil, fmt.Errorf("theme: a matrix of %d rows is singular at row %d", f.n, k)
	}
	inv := make([]float32, w*w)
	for i := range w {
		for j := range i + 1 {
			inv[i*w+j] = float32(l.Data[i*w+j])
		}
	}
	return inv, nil
}

// forward solves x L' = b for each of the rows of b, in its place: each row becomes L^-1 times it.
func (f *factor) forward(rows int, b []float32) {
	x := make([]float32, rows*side)
	for k := 0; k < f.n; k += side {
		w := min(side, f.n-k)
		if k > 0 {
			f.engine.Sgemm(blas.NoTrans, blas.Trans, rows, w, k, -1, b, f.n, f.l[k*f.n:], f.n, 1, b[k:], f.n)
		}
		f.engine.Sgemm(blas.NoTrans, blas.Trans, rows, w, w, 1, b[k:], f.n, f.inverse[k/side], w, 0, x, w)
		for i := range rows {
			copy(b[i*f.n+k:][:w], x[i*w:][:w])
		}
	}
}

// backward makes L'^-1 times each of the rows of b of it, in its place.
func (f *factor) backward(rows int, b []float32) {
	x := make([]float32, rows*side)
	for k := (f.n - 1) / side * side; k >= 0; k -= side {
		w := min(side, f.n-k)
		if after := k + w; after < f.n {
			f.engine.Sgemm(blas.NoTrans, blas.NoTrans, rows, w, f.n-after, -1, b[after:], f.n, f.l[after*f.n+k:], f.n, 1, b[k:], f.n)
		}
		f.engine.Sgemm(blas.NoTrans, blas.NoTrans, rows, w, w, 1, b[k:], f.n, f.inverse[k/side], w, 0, x, w)
		for i := range rows {
			copy(b[i*f.n+k:][:w], x[i*w:][:w])
		}
	}
}
