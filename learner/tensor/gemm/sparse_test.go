package gemm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/blas"

	"kilim/learner/tensor/sparse"
)

// sparseRow returns k numbers of which about share are not 0, in both forms. The last is 0.
func sparseRow(r *rand.Rand, k int, share float64) ([]float32, sparse.Vector) {
	row := make([]float32, k)
	for i := range row[:k-1] {
		if r.Float64() < share {
			row[i] = float32(r.NormFloat64())
		}
	}
	return row, sparse.NonZeros(row)
}

// TestMultiplySparseHasTheBitsOfSgemm is the oracle of the sparse product: the dense one of the same row.
func TestMultiplySparseHasTheBitsOfSgemm(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 3))
	engine := newEngine(newPool(t, 1), fastest())
	for _, k := range []int{1, 8, 40, 319, 320, 321, 640, 641, 2048, 2088} {
		for _, n := range []int{1, 8, 24, 31, 128, 256, 264, 520, 521} {
			for _, share := range []float64{0, 0.01, 0.1, 0.7} {
				row, v := sparseRow(r, k, share)
				b, before := noise(r, k*n), noise(r, n)
				for _, add := range []bool{false, true} {
					beta := float32(0)
					if add {
						beta = 1
					}
					want, got := append([]float32(nil), before...), append([]float32(nil), before...)
					engine.Sgemm(blas.NoTrans, blas.NoTrans, 1, n, k, 1, row, k, b, n, beta, want, n)
					MultiplySparse(v, n, b, got, add)
					for i, x := range want {
						if same := got[i] == x; !same && (i < n&^7 || math.Abs(float64(got[i]-x)) > 1e-4) {
							t.Fatalf("%d of %d numbers by %d columns, add %v: element %d is %v, Sgemm's %v", len(v.Index), k, n, add, i, got[i], x)
						}
					}
				}
			}
		}
	}
}

func TestMultiplySparseSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	v := sparse.Of([]float32{0, 0, 0, 0, 0, 0, 0, 0, 1})
	for what, call := range map[string]func(){
		"whole":     func() { MultiplySparse(sparse.Of([]float32{1}), 1, make([]float32, 1), make([]float32, 1), false) },
		"short B":   func() { MultiplySparse(v, 2, make([]float32, 17), make([]float32, 2), false) },
		"short c":   func() { MultiplySparse(v, 2, make([]float32, 18), make([]float32, 1), false) },
		"no column": func() { MultiplySparse(v, 0, nil, nil, false) },
		"far place": func() {
			MultiplySparse(sparse.Vector{Length: 9, Index: []int32{9}, Value: []float32{1}}, 1, make([]float32, 9), make([]float32, 1), false)
		},
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

// BenchmarkMultiplySparse is beside BenchmarkPacked: the product that a row among 32 costs there is what a sparse one saves.
func BenchmarkMultiplySparse(b *testing.B) {
	r := rand.New(rand.NewPCG(4, 4))
	const k, n = 2048, 256
	weights, c := noise(r, k*n), make([]float32, n)
	for _, share := range []float64{0.01, 0.05, 0.07, 0.12} {
		var rows [16]sparse.Vector
		for i := range rows {
			_, rows[i] = sparseRow(r, k, share)
		}
		b.Run(fmt.Sprint(len(rows[0].Index)), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				MultiplySparse(rows[i%len(rows)], n, weights, c, false)
			}
		})
	}
}
