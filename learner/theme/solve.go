package theme

import (
	"fmt"

	"gonum.org/v1/gonum/blas"

	"kilim/learner/tensor/gemm"
	"kilim/learner/tensor/par"
	"kilim/learner/tensor/vec"
)

const (
	// atOnce is how many Works are multiplied together.
	atOnce = 256
	// jitter is added to the kernel of each landmark with itself: two records of the same content are two equal rows of
	// their kernels, which would have no factor.
	jitter = 1e-3
)

// solve computes alpha, with which the probabilities of a Work's terms are prior + alpha k, k its kernels with the landmarks.
//
// With K the kernels of the landmarks, L its Cholesky factor and C the kernels of all labelled Works with the landmarks, F = C L'^-1 are
// features whose inner products are the Nyström approximation of the kernels of all. Ridge regression on them is (F'F + ridge
// I)^-1 F'(Y - prior). The normal equations of C itself, without L, square the condition of K, and float32 does not bear that.
func (p *Profiler) solve(vectors []Vector) error {
	pool, err := par.New(p.cfg.Threads)
	if err != nil {
		return fmt.Errorf("theme: %w", err)
	}
	defer pool.Close()
	engine := gemm.New(pool)
	m, n := p.marks, len(vectors)

	kernel := p.kernels(vectors[:m])
	for i := range m {
		kernel[i*m+i] += jitter
	}
	span, err := factorize(engine, m, kernel)
	if err != nil {
		return err
	}
	normal := make([]float32, m*m) // F'F, its lower triangle
	p.alpha = make([]float32, len(p.terms)*m)
	total := make([]float32, m)
	for from := 0; from < n; from += atOnce {
		to := min(from+atOnce, n)
		f := p.kernels(vectors[from:to])
		span.forward(to-from, f)
		for j := 0; j < m; j += side {
			v := min(side, m-j)
			engine.Sgemm(blas.Trans, blas.NoTrans, m-j, v, to-from, 1, f[j:], m, f[j:], m, 1, normal[j*m+j:], m)
		}
		for i := from; i < to; i++ {
			row := f[(i-from)*m:][:m]
			vec.Axpy(1, row, total)
			for _, term := range p.labels[i] {
				vec.Axpy(1, row, p.alpha[int(term)*m:][:m])
			}
		}
	}
	for t, prior := range p.prior {
		vec.Axpy(-prior, total, p.alpha[t*m:][:m])
	}
	for i := range m {
		normal[i*m+i] += float32(p.cfg.Ridge)
	}
	ridge, err := factorize(engine, m, normal)
	if err != nil {
		return err
	}
	ridge.forward(len(p.terms), p.alpha)
	ridge.backward(len(p.terms), p.alpha)
	span.backward(len(p.terms), p.alpha)
	return nil
}

// kernels are those of Vectors with the landmarks, a row each.
func (p *Profiler) kernels(vectors []Vector) []float32 {
	out := make([]float32, len(vectors)*p.marks)
	for i, v := range vectors {
		p.landmarks.kernels(v, out[i*p.marks:][:p.marks])
	}
	return out
}
