package refresh

import "math"

// fixedOne is 1.0 in the running sums. Inputs are layer-normalized, so a
// coordinate stays below sqrt(width) + |bias|, far under 2^7: an int64 has room
// for 2^24 addends of that size, and for 2^28 of ordinary ones.
const fixedOne = 1 << 32

func toFixed(x float32) int64 { return int64(math.RoundToEven(float64(x) * fixedOne)) }

// addFixed adds sign*v to sum, which it makes when it is nil.
func addFixed(sum []int64, v []float32, sign int64) []int64 {
	if len(v) == 0 {
		return sum
	}
	if len(sum) == 0 {
		sum = make([]int64, len(v))
	}
	for i, x := range v {
		sum[i] += sign * toFixed(x)
	}
	return sum
}

// meanOf writes sum/n to out.
func meanOf(sum []int64, n uint32, out []float32) {
	scale := 1 / (fixedOne * float64(n))
	for i, s := range sum {
		out[i] = float32(float64(s) * scale)
	}
}

// rms is the root of the mean squared difference of a and b; a missing vector
// is infinitely far from a present one.
func rms(a, b []float32) float32 {
	if len(a) != len(b) {
		return float32(math.Inf(1))
	}
	if len(a) == 0 {
		return 0
	}
	var s float64
	for i := range a {
		d := float64(a[i]) - float64(b[i])
		s += d * d
	}
	return float32(math.Sqrt(s / float64(len(a))))
}

func distance(a, b []float32) float64 {
	if len(a) != len(b) {
		return math.Inf(1)
	}
	var s float64
	for i := range a {
		d := float64(a[i]) - float64(b[i])
		s += d * d
	}
	return math.Sqrt(s)
}
