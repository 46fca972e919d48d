package gemm

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/blas"

	"kilim/learner/tensor/par"
)

func noise(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

func newPool(t testing.TB, size int) *par.Pool {
	t.Helper()
	p, err := par.New(size)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// tested returns the kernels that this processor can run; with -short, for an emulated processor, without the slow one
// in Go.
func tested() []kernel {
	all := kernels()
	if testing.Short() && len(all) > 1 {
		all = all[:len(all)-1]
	}
	return all
}

func engines(t testing.TB) map[string]*Engine {
	all := make(map[string]*Engine)
	for _, kern := range tested() {
		for _, size := range []int{1, 3} {
			all[fmt.Sprint(kern.name, " ", size)] = newEngine(newPool(t, size), kern)
		}
	}
	return all
}

// at returns element (i,j) of op(X).
func at(x []float32, ld int, t blas.Transpose, i, j int) float64 {
	if t != blas.NoTrans {
		i, j = j, i
	}
	return float64(x[i*ld+j])
}

// TestSgemmAgreesWithLoops compares with sums in float64, for random shapes, strides, transpositions and factors;
// numbers between the rows of C are not written.
func TestSgemmAgreesWithLoops(t *testing.T) {
	t.Parallel()
	sizes := []int{1, 2, 4, 5, 6, 7, 8, 9, 12, 15, 16, 17, 31, 32, 33, 48, 95, 100}
	depths := []int{1, 3, 8, 9, 31, 64, 319, 321, 700}
	factors := []float32{0, 1, 0.5, -2}
	products := 120
	if testing.Short() {
		products = 25
	}
	for name, e := range engines(t) {
		r := rand.New(rand.NewPCG(1, 1))
		for range products {
			m, n, k := sizes[r.IntN(len(sizes))], sizes[r.IntN(len(sizes))], depths[r.IntN(len(depths))]
			tA, tB := blas.NoTrans, blas.NoTrans
			ra, ca, rb, cb := m, k, k, n
			if r.IntN(2) == 0 {
				tA, ra, ca = blas.Trans, k, m
			}
			if r.IntN(2) == 0 {
				tB, rb, cb = blas.Trans, n, k
			}
			lda, ldb, ldc := ca+r.IntN(4), cb+r.IntN(4), n+r.IntN(4)
			a, b, c := noise(r, (ra-1)*lda+ca), noise(r, (rb-1)*ldb+cb), noise(r, (m-1)*ldc+n)
			alpha, beta := factors[r.IntN(4)], factors[r.IntN(4)]
			got := append([]float32(nil), c...)
			if beta == 0 {
				for i := range m {
					for j := range n {
						got[i*ldc+j] = float32(math.NaN()) // must not be read
					}
				}
			}
			e.Sgemm(tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, got, ldc)
			for at0 := range got {
				i, j := at0/ldc, at0%ldc
				want := float64(c[at0])
				if j < n {
					want *= float64(beta)
					for p := range k {
						want += float64(alpha) * at(a, lda, tA, i, p) * at(b, ldb, tB, p, j)
					}
				}
				if d := math.Abs(float64(got[at0]) - want); !(d <= 2e-5*math.Sqrt(float64(k))*4) {
					t.Fatalf("%s: %c%c %dx%dx%d alpha %v beta %v ld %d,%d,%d: (%d,%d) is %v, want %v",
						name, tA, tB, m, k, n, alpha, beta, lda, ldb, ldc, i, j, got[at0], want)
				}
			}
		}
	}
}

// TestSgemmRowsDoNotDependOnTheirBatch: a row has the same bits alone and in any batch, for any number of threads.
func TestSgemmRowsDoNotDependOnTheirBatch(t *testing.T) {
	t.Parallel()
	for name, e := range engines(t) {
		for _, s := range []struct{ n, k int }{{128, 640}, {31, 33}, {1, 700}, {16, 1}} {
			for _, tB := range []blas.Transpose{blas.NoTrans, blas.Trans} {
				t.Run(fmt.Sprintf("%s/%dx%d%c", name, s.k, s.n, tB), func(t *testing.T) {
					r := rand.New(rand.NewPCG(2, uint64(s.n*s.k)))
					const rows = 131
					ldb := s.n
					if tB != blas.NoTrans {
						ldb = s.k
					}
					a, b := noise(r, rows*s.k), noise(r, s.k*s.n)
					product := func(e *Engine, from, m int) []float32 {
						c := make([]float32, m*s.n)
						e.Sgemm(blas.NoTrans, tB, m, s.n, s.k, 1, a[from*s.k:], s.k, b, ldb, 0, c, s.n)
						return c
					}
					all := product(e, 0, rows)
					for _, m := range []int{1, 5, 6, 64, 100} {
						from := r.IntN(rows - m)
						for i, x := range product(e, from, m) {
							if want := all[from*s.n+i]; math.Float32bits(x) != math.Float32bits(want) {
								t.Fatalf("batch of %d: element %d is %v, in the whole %v", m, i, x, want)
							}
						}
					}
				})
			}
		}
	}
}

// fused is C = A*B as the package promises it: each product is added before it is rounded, in blocks of k of equal
// size, each summed alone.
func fused(m, n, k int, a, b []float32) []float32 {
	c := make([]float32, m*n)
	depth := evenSize(k, maxK, 1)
	for i := range c {
		for p0 := 0; p0 < k; p0 += depth {
			var sum float32
			for p := p0; p < min(p0+depth, k); p++ {
				x, y := a[i/n*k+p], b[p*n+i%n]
				z := new(big.Float).SetPrec(400).SetFloat64(float64(x) * float64(y)) // exact: 48 bits
				sum, _ = z.Add(z, big.NewFloat(float64(sum))).Float32()
			}
			if p0 == 0 {
				c[i] = sum
				continue
			}
			c[i] += sum
		}
	}
	return c
}

// TestVectorKernelsSumAsPromised: the kernels in assembly have the bits of fused, and so of each other.
func TestVectorKernelsSumAsPromised(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(4, 4))
	const m, n, k = 9, 33, 322
	a, b := noise(r, m*k), noise(r, k*n)
	want := fused(m, n, k, a, b)
	for _, kern := range kernels() {
		if kern.name == portable().name { // it rounds products
			continue
		}
		t.Log("this processor has", kern.name)
		got := make([]float32, m*n)
		newEngine(newPool(t, 1), kern).Sgemm(blas.NoTrans, blas.NoTrans, m, n, k, 1, a, k, b, n, 0, got, n)
		for i, x := range got {
			if math.Float32bits(x) != math.Float32bits(want[i]) {
				t.Fatalf("%s: element %d,%d is %v, want %v", kern.name, i/n, i%n, x, want[i])
			}
		}
	}
}

func TestSgemmSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Fatal("a product with a short C did not panic")
		}
	}()
	x := make([]float32, 16)
	New(newPool(t, 1)).Sgemm(blas.NoTrans, blas.NoTrans, 4, 4, 4, 1, x, 4, x, 4, 0, make([]float32, 15), 4)
}

func TestNoGarbage(t *testing.T) {
	e := New(newPool(t, 2))
	r := rand.New(rand.NewPCG(3, 3))
	a, b, c := noise(r, 200*100), noise(r, 100*50), make([]float32, 200*50)
	if n := testing.AllocsPerRun(20, func() {
		e.Sgemm(blas.NoTrans, blas.NoTrans, 200, 50, 100, 1, a, 100, b, 50, 0, c, 50)
	}); n > 0 {
		t.Fatalf("%v allocations a product", n)
	}
}

func BenchmarkSgemm(b *testing.B) {
	for _, s := range []struct {
		tA, tB  blas.Transpose
		m, k, n int
	}{
		{blas.NoTrans, blas.NoTrans, 1024, 1024, 1024},
		{blas.NoTrans, blas.NoTrans, 2816, 512, 128},
		{blas.NoTrans, blas.Trans, 256, 128, 4096},
		{blas.NoTrans, blas.NoTrans, 256, 4096, 128},
		{blas.Trans, blas.NoTrans, 512, 2816, 128},
		{blas.NoTrans, blas.Trans, 1000, 128, 640},
		{blas.NoTrans, blas.NoTrans, 70, 128, 128},
	} {
		r := rand.New(rand.NewPCG(1, 1))
		lda, ldb := s.k, s.n
		if s.tA != blas.NoTrans {
			lda = s.m
		}
		if s.tB != blas.NoTrans {
			ldb = s.k
		}
		x, w, c := noise(r, s.m*s.k), noise(r, s.k*s.n), make([]float32, s.m*s.n)
		for _, kern := range kernels() {
			b.Run(fmt.Sprintf("%c%c/%dx%dx%d/%s", s.tA, s.tB, s.m, s.k, s.n, kern.name), func(b *testing.B) {
				e := newEngine(newPool(b, 1), kern)
				for b.Loop() {
					e.Sgemm(s.tA, s.tB, s.m, s.n, s.k, 1, x, lda, w, ldb, 0, c, s.n)
				}
				b.ReportMetric(float64(2*s.m*s.n*s.k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOPS")
			})
		}
	}
}
