package bound

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestBoundsAgree holds what the processor's instructions add up against Go's, of a block in which some lists are nobody's and some anybody's.
func TestBoundsAgree(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 3))
		some := func(n int) []float32 {
			out := make([]float32, n)
			for i := range out {
				out[i] = 2*rng.Float32() - 1
			}
			return out
		}
		b := block{numbers: some(rowCount * blockSize)}
		for range 20 {
			b.row(rowTotal + rng.IntN(2))[rng.IntN(blockSize)] = float32(math.Inf(2*rng.IntN(2) - 1))
		}
		f := factors{rng.Float32(), rng.Float32(), rng.Float32(), rng.Float32(), rng.Float32(), rng.Float32(), rng.Float32()}
		products, words, entities := some(blockSize), some(blockSize), some(blockSize)
		type made struct {
			total, general [blockSize]float32
			peaks          [strides]peak
		}
		var got, want made
		bounds(&f, b.numbers, products, words, entities, got.total[:], got.general[:], got.peaks[:])
		boundsGo(&f, b.numbers, products, words, entities, want.total[:], want.general[:], want.peaks[:])
		near := func(a, b float32) bool { return a == b || math.Abs(float64(a)-float64(b)) < 1e-5 }
		for i := range got.total {
			if !near(got.total[i], want.total[i]) || !near(got.general[i], want.general[i]) {
				t.Fatalf("seed %d, slot %d: %v and %v, want %v and %v", seed, i, got.total[i], got.general[i], want.total[i], want.general[i])
			}
		}
		for i, p := range got.peaks {
			w := want.peaks[i]
			if !near(p.total, w.total) || !near(p.general, w.general) || !near(p.inTotal, w.inTotal) || !near(p.inGeneral, w.inGeneral) {
				t.Fatalf("seed %d, stride %d: %v, want %v", seed, i, p, w)
			}
		}
	}
}
