package theme

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kilim/learner/tensor/gemm"
	"kilim/learner/tensor/par"
)

// TestFactorAgainstGonum: what a factor solves is what gonum solves in float64.
func TestFactorAgainstGonum(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 127, 128, 129, 300} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			pool, err := par.New(2)
			if err != nil {
				t.Fatal(err)
			}
			defer pool.Close()
			rng := rand.New(rand.NewPCG(uint64(n), 1))
			// a is x x' + 0.5: as badly conditioned as a ridge regression may be.
			x := mat.NewDense(n, n/2+1, nil)
			for i := range n {
				for j := range n/2 + 1 {
					x.Set(i, j, rng.NormFloat64()/math.Sqrt(float64(n)))
				}
			}
			var product mat.Dense
			product.Mul(x, x.T())
			a, want := make([]float32, n*n), mat.NewSymDense(n, nil)
			for i := range n {
				for j := range n {
					v := product.At(i, j)
					if i == j {
						v += 0.5
					}
					if a[i*n+j] = float32(v); j >= i {
						want.SetSym(i, j, v)
					}
				}
				for j := i + 1; j < n; j++ {
					a[i*n+j] = float32(math.NaN()) // which nobody may read
				}
			}
			f, err := factorize(gemm.New(pool), n, a)
			if err != nil {
				t.Fatal(err)
			}
			var oracle mat.Cholesky
			if !oracle.Factorize(want) {
				t.Fatal("gonum has no factor")
			}
			const rows = 3
			b, right := make([]float32, rows*n), mat.NewDense(n, rows, nil)
			for i := range rows {
				for j := range n {
					v := rng.NormFloat64()
					b[i*n+j] = float32(v)
					right.Set(j, i, v)
				}
			}
			var solved mat.Dense
			if err := oracle.SolveTo(&solved, right); err != nil {
				t.Fatal(err)
			}
			f.forward(rows, b)
			f.backward(rows, b)
			for i := range rows {
				for j := range n {
					if got, want := float64(b[i*n+j]), solved.At(j, i); math.Abs(got-want) > 2e-5*max(1, math.Abs(want)) {
						t.Fatalf("solution %d, row %d: %g, want %g", i, j, got, want)
					}
				}
			}
		})
	}
}

// TestFactorOfNone: a matrix that has no factor is told, and where.
func TestFactorOfNone(t *testing.T) {
	t.Parallel()
	pool, err := par.New(1)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	n := 2 * side
	a := make([]float32, n*n)
	for i := range n {
		a[i*n+i] = 1
	}
	a[(n-1)*n+n-1] = -1
	if _, err := factorize(gemm.New(pool), n, a); err == nil {
		t.Error("a matrix with a negative eigenvalue has a factor")
	}
}
