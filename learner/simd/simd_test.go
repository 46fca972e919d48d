package simd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
)

func noise(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
		if r.IntN(8) == 0 {
			x[i] = 0
		}
	}
	return x
}

// product computes m rows by a fresh copy of a, at an address shifted by
// offset elements.
func product(impl blas.Float32, a, b []float32, m, n, k, offset int) []float32 {
	shifted := append(make([]float32, offset, offset+m*k), a[:m*k]...)[offset:]
	c := make([]float32, offset+m*n)[offset:]
	for i := range c {
		c[i] = float32(math.NaN()) // beta 0 must not read C
	}
	impl.Sgemm(blas.NoTrans, blas.NoTrans, m, n, k, 1, shifted, k, b, n, 0, c, n)
	return c
}

// Every row must have the bits it has alone, in every batch, place and address.
func TestSgemmRowsDoNotDependOnTheirBatch(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for name, impl := range map[string]blas.Float32{"fastest": New(), "gonum": gonum.Implementation{}} {
		for _, s := range []struct{ n, k int }{{128, 640}, {128, 256}, {12, 48}, {31, 33}, {64, 1}, {2, 700}, {127, 129}} {
			t.Run(fmt.Sprintf("%s/%dx%d", name, s.k, s.n), func(t *testing.T) {
				r := rand.New(rand.NewPCG(1, uint64(s.n*s.k)))
				const rows = 131
				a, b := noise(r, rows*s.k), noise(r, s.k*s.n)
				alone := make([][]float32, rows)
				for i := range alone {
					alone[i] = product(impl, a[i*s.k:], b, 1, s.n, s.k, 0)
				}
				for _, procs := range []int{1, 3} {
					runtime.GOMAXPROCS(procs)
					for _, m := range []int{1, 2, 3, 4, 5, 7, 64, 65, 100, rows} {
						at := r.IntN(rows - m + 1)
						c := product(impl, a[at*s.k:], b, m, s.n, s.k, r.IntN(9))
						for i := range m {
							for j := range s.n {
								if got, want := c[i*s.n+j], alone[at+i][j]; math.Float32bits(got) != math.Float32bits(want) {
									t.Fatalf("batch of %d rows, row %d, column %d: %v, alone %v", m, i, j, got, want)
								}
							}
						}
					}
				}
			})
		}
	}
}

func TestSgemmAgreesWithLoops(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	k := New()
	for range 200 {
		m, n, d := 1+r.IntN(9), 1+r.IntN(70), 1+r.IntN(70)
		a, b := noise(r, m*d), noise(r, d*n)
		c := make([]float32, m*n)
		k.Sgemm(blas.NoTrans, blas.NoTrans, m, n, d, 1, a, d, b, n, 0, c, n)
		for i := range m {
			for j := range n {
				want := 0.0
				for l := range d {
					want += float64(a[i*d+l]) * float64(b[l*n+j])
				}
				if got := float64(c[i*n+j]); math.Abs(got-want) > 1e-4 {
					t.Fatalf("%dx%dx%d: element (%d,%d) is %v, want %v", m, d, n, i, j, got, want)
				}
			}
		}
	}
}

// Strides, transposition and factors are gonum's.
func TestSgemmPassesOnWhatItDoesNotSpeedUp(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	const m, n, d, pad = 5, 6, 7, 3
	a, b, c := noise(r, 100), noise(r, 100), noise(r, 100)
	for _, tb := range []blas.Transpose{blas.NoTrans, blas.Trans} {
		got, want := append([]float32(nil), c...), append([]float32(nil), c...)
		New().Sgemm(blas.NoTrans, tb, m, n, d, 2, a, d+pad, b, d+pad, 0.5, got, n+pad)
		gonum.Implementation{}.Sgemm(blas.NoTrans, tb, m, n, d, 2, a, d+pad, b, d+pad, 0.5, want, n+pad)
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("transposed %c: element %d is %v, gonum has %v", tb, i, got[i], want[i])
			}
		}
	}
}

func TestSgemmRefusesShortSlices(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Fatal("a product with a short C did not panic")
		}
	}()
	x := make([]float32, 16)
	New().Sgemm(blas.NoTrans, blas.NoTrans, 4, 4, 4, 1, x, 4, x, 4, 0, make([]float32, 15), 4)
}

func BenchmarkSgemm(b *testing.B) {
	for name, impl := range map[string]blas.Float32{"fastest": New(), "gonum": gonum.Implementation{}} {
		for _, rows := range []int{1, 3, 64, 256} {
			b.Run(fmt.Sprintf("%s/%dx640x128", name, rows), func(b *testing.B) {
				r := rand.New(rand.NewPCG(1, 1))
				x, w, c := noise(r, rows*640), noise(r, 640*128), make([]float32, rows*128)
				for b.Loop() {
					impl.Sgemm(blas.NoTrans, blas.NoTrans, rows, 128, 640, 1, x, 640, w, 128, 0, c, 128)
				}
				b.ReportMetric(float64(2*rows*640*128)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOPS")
			})
		}
	}
}
