package gemm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/blas"
)

func TestPackedHasTheBitsOfSgemm(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for _, kern := range tested() {
		engine := newEngine(newPool(t, 1), kern)
		for _, k := range []int{1, 5, 128, 320, 321, 700} {
			for _, n := range []int{1, 15, 16, 32, 33, 128} {
				b := noise(r, k*n)
				packed := pack(k, n, b, kern)
				for _, m := range []int{0, 1, 2, 4, 5, 6, 7, 8, 12, 31} {
					a, want, got := noise(r, m*k), make([]float32, m*n), noise(r, m*n+3)
					rest := [3]float32(got[m*n:])
					engine.Sgemm(blas.NoTrans, blas.NoTrans, m, n, k, 1, a, k, b, n, 0, want, n)
					packed.Multiply(m, a, got)
					for i, x := range want {
						if math.Float32bits(x) != math.Float32bits(got[i]) {
							t.Fatalf("%s, %d x %d x %d: element %d is %v, Sgemm's %v", kern.name, m, k, n, i, got[i], x)
						}
					}
					if [3]float32(got[m*n:]) != rest {
						t.Fatalf("%s, %d x %d x %d: wrote beyond the end", kern.name, m, k, n)
					}
				}
			}
		}
	}
}

func TestPackedSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	p := Pack(3, 2, make([]float32, 6))
	for what, call := range map[string]func(){
		"short B": func() { Pack(3, 2, make([]float32, 5)) },
		"no B":    func() { Pack(0, 2, nil) },
		"short A": func() { p.Multiply(2, make([]float32, 5), make([]float32, 4)) },
		"short C": func() { p.Multiply(2, make([]float32, 6), make([]float32, 3)) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", what)
				}
			}()
			call()
		}()
	}
}

func BenchmarkPacked(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, k := range []int{1024, 1280} {
		weights := noise(r, k*256)
		for _, m := range []int{1, 4, 32} {
			a, c := noise(r, m*k), make([]float32, m*256)
			for _, kern := range kernels() {
				b.Run(fmt.Sprintf("%dx%dx256/%s", m, k, kern.name), func(b *testing.B) {
					p := pack(k, 256, weights, kern)
					for b.Loop() {
						p.Multiply(m, a, c)
					}
					b.ReportMetric(2*float64(m*k*256)*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GFLOPS")
				})
			}
		}
	}
}
