package simd

import (
	"github.com/viterin/vek"
	"github.com/viterin/vek/vek32"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
)

// Kernels implements blas.Float32. The zero value is gonum's implementation
// unchanged; use New.
type Kernels struct {
	gonum.Implementation
	accelerated bool
}

var _ blas.Float32 = Kernels{}

// New returns the fastest kernels that this processor can run.
func New() Kernels {
	return Kernels{accelerated: vek.Info().Acceleration}
}

// Accelerated tells whether SIMD kernels are in use.
func (k Kernels) Accelerated() bool { return k.accelerated }

// Sgemm is C = alpha*A*B + beta*C, or with A or B transposed. Dense, untransposed
// products with alpha 1 and beta 0 are accelerated.
func (k Kernels) Sgemm(tA, tB blas.Transpose, m, n, kk int, alpha float32, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int) {
	fast := k.accelerated && tA == blas.NoTrans && tB == blas.NoTrans && alpha == 1 && beta == 0 &&
		m > 0 && n > 1 && kk > 0 && lda == kk && ldb == n && ldc == n &&
		len(a) >= m*kk && len(b) >= kk*n && len(c) >= m*n
	if !fast {
		// Also the way for wrong shapes: gonum says in a panic what is wrong.
		k.Implementation.Sgemm(tA, tB, m, n, kk, alpha, a, lda, b, ldb, beta, c, ldc)
		return
	}
	// A single column (n == 1) takes another kernel in vek, a dot product.
	vek32.MatMul_Into(c[:m*n:m*n], a[:m*kk], b[:kk*n], kk)
}
