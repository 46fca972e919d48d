package refresh

import (
	"math"

	"kilim/learner/tensor/vec"
)

// A running sum has, for each block of the vectors in it (what nodes give, see given.go), the sum of the block and then the number of
// vectors that have it: vectors without the block do not count. It ends with the last block that any vector has.
//
// Sums are in package vec's fixed point, with steps of 2^-32. Features have length 1 and pass one linear map, and vectors
// above that are layer-normalized, so a coordinate stays far below 2^7: an int64 has room for 2^24 addends of that size,
// and for 2^28 of ordinary ones.

// addVector adds sign*v, a vector with blocks of width numbers, to a running sum and returns that, with blocks that no vector
// has left at its end. From an empty sum it makes what addFixed adds: a vector that goes into many sums is converted once.
func addVector(sum []int64, v []float32, sign int64, width int) []int64 {
	for b := 0; b*width < len(v); b++ {
		block := v[b*width : (b+1)*width]
		if !present(block) {
			continue
		}
		if end := (b + 1) * (width + 1); len(sum) < end {
			sum = append(sum, make([]int64, end-len(sum))...)
		}
		to := sum[b*(width+1) : (b+1)*(width+1)]
		vec.AddFixed(block, sign, to[:width])
		to[width] += sign
	}
	return sum
}

// addFixed adds part, which addVector made, to a running sum with blocks of width numbers, and returns the sum.
func addFixed(sum, part []int64, width int) []int64 {
	if len(sum) < len(part) {
		sum = append(sum, make([]int64, len(part)-len(sum))...)
	}
	vec.AddInts(part, sum[:len(part)])
	for len(sum) > 0 && sum[len(sum)-1] == 0 {
		sum = sum[:len(sum)-width-1]
	}
	if len(sum) == 0 {
		return nil
	}
	return sum
}

func present(block []float32) bool {
	for _, x := range block {
		if x != 0 {
			return true
		}
	}
	return false
}

// meanOf writes to out, for each block of a running sum, the mean over the vectors that have it.
func meanOf(sum []int64, width int, out []float32) {
	for b := 0; b*width < len(out); b++ {
		from := sum[b*(width+1) : (b+1)*(width+1)]
		to := out[b*width : (b+1)*width]
		if from[width] == 0 {
			clear(to)
			continue
		}
		vec.MeanFixed(from[:width], from[width], to)
	}
}

// meanLength is the length of the vector that meanOf writes.
func meanLength(sum []int64, width int) int { return len(sum) / (width + 1) * width }

// rms is the distance of a from b: the root of the mean squared difference over the coordinates of a block, for the
// block where that is greatest. A block that only one of them has is infinitely far, for means are taken over other neighbours then;
// so is a missing vector.
func rms(a, b []float32, width int) float32 {
	if len(a) < len(b) {
		a, b = b, a
	}
	if len(a) == 0 {
		return 0
	}
	if len(b) == 0 {
		return float32(math.Inf(1))
	}
	var most float64
	for from := 0; from < len(a); from += width {
		block, other := a[from:from+width], b[min(from, len(b)):min(from+width, len(b))]
		if present(block) != present(other) {
			return float32(math.Inf(1))
		}
		var s float64
		for i, x := range other {
			d := float64(block[i]) - float64(x)
			s += d * d
		}
		most = max(most, s)
	}
	return float32(math.Sqrt(most / float64(width)))
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
