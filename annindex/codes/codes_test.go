package codes

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestProductsAreWithinWhatRoundingTook multiplies vectors of any size and shape, with large, tiny and equal numbers and zeros among them.
func TestProductsAreWithinWhatRoundingTook(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 71))
		dim, n := 1+rng.IntN(300), 4*(1+rng.IntN(10))
		invent := func() []float32 {
			v := make([]float32, dim)
			size := math.Pow(10, float64(rng.IntN(9)-5))
			for i := range v {
				switch rng.IntN(4) {
				case 0:
				case 1:
					v[i] = float32(size)
				default:
					v[i] = float32(size * rng.NormFloat64())
				}
			}
			return v
		}
		rows, vectors, rests := NewRows(dim, n), make([][]float32, n), make([]float32, n)
		for range 2 { // a row that is set again is as new
			for i := range vectors {
				vectors[i] = invent()
				rests[i] = rows.Set(i, vectors[i])
			}
		}
		var q Query
		for range 3 {
			query := invent()
			rest, coarse := q.Set(query)
			out, most, some := make([]float32, n), make([]float32, n), make([]uint32, n)
			for i := range some {
				some[i] = uint32(n - 1 - i)
			}
			scale, coarseScale := rows.Products(&q, some, out), rows.Coarse(&q, most)
			for i, v := range vectors {
				want, lq, lv := 0.0, 0.0, 0.0
				for j := range v {
					want += float64(v[j]) * float64(query[j])
					lq += float64(query[j]) * float64(query[j])
					lv += float64(v[j]) * float64(v[j])
				}
				lq, lv = math.Sqrt(lq), math.Sqrt(lv)
				for _, of := range []struct{ got, rest float64 }{
					{float64(scale) * float64(out[n-1-i]), float64(rest)},
					{float64(coarseScale) * float64(most[i]), float64(coarse)},
				} {
					within := lq*float64(rests[i]) + of.rest*lv
					if math.Abs(of.got-want) > within+1e-6*lq*lv {
						t.Errorf("seed %d: product %v, want %v within %v", seed, of.got, want, within)
					}
					if within > 0.1*lq*lv && lv > 0 && dim > 1 {
						t.Errorf("seed %d: rounding takes %v of %v", seed, within, lq*lv)
					}
				}
			}
		}
	}
}
