package attend

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestWeight holds Weight to the exponential, Clip to its bounds and Slope to the slope, for scores of any magnitude.
func TestWeight(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 1))
	scores := []float64{0, math.MaxFloat32, -math.MaxFloat32, math.SmallestNonzeroFloat32, 1e12, -1e12}
	for range 10000 {
		scores = append(scores, rng.NormFloat64()*math.Pow(10, 6*rng.Float64()-3))
	}
	for _, score := range scores {
		logit := Clip(score)
		if !(math.Abs(logit) <= Limit && math.Abs(logit) <= math.Abs(score) && logit*score >= 0) {
			t.Fatalf("Clip(%v) is %v", score, logit)
		}
		w, want := Weight(logit), math.Exp(logit-Limit)
		if !(w >= 1.0/256-1e-12 && w <= 1+1e-12 && math.Abs(w/want-1) < 1e-12) {
			t.Fatalf("Weight(%v) is %v, want %v", logit, w, want)
		}
		if step := 1e-4 * max(1, math.Abs(score)); step < 1e6 {
			if slope := (Clip(score+step) - Clip(score-step)) / (2 * step); math.Abs(slope-Slope(score)) > 1e-4*max(slope, 0.01) {
				t.Fatalf("Slope(%v) is %v, want %v", score, Slope(score), slope)
			}
		}
	}
	if Weight(0) != 1.0/16 {
		t.Errorf("Weight(0) is %v: of equal logits a product would not be exact", Weight(0))
	}
}

// TestSameBits holds the functions to bits that were made on another day: on every processor they are the same.
func TestSameBits(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(2, 2))
	sum := uint64(0)
	for n := range 300 {
		a, b := make([]float32, n+1), make([]float32, n+1)
		for i := range a {
			a[i], b[i] = float32(rng.NormFloat64()), float32(rng.NormFloat64())
		}
		score := Dot(a, b)
		sum = sum*31 + math.Float64bits(score)
		sum = sum*31 + math.Float64bits(Weight(Clip(score)))
	}
	const want = 0xe8085d65c45eed41
	if sum != want {
		t.Errorf("the bits are %#x, want %#x", sum, uint64(want))
	}
}
