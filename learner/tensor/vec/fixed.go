package vec

import "math"

// fixedOne is 1.0 in fixed point, whose steps are of 2^-32.
const fixedOne = 1 << 32

// AddFixed is y += sign*x, where x, whose numbers are below 2^31, is brought to fixed point first: to the nearest step, halves to
// the even one. sign is 1 or -1. Like AddInts and MeanFixed it has the same bits on every processor.
func AddFixed(x []float32, sign int64, y []int64) {
	must("y", len(y), len(x))
	done := addFixedSIMD(x, sign, y)
	addFixedGo(x[done:], sign, y[done:])
}

func addFixedGo(x []float32, sign int64, y []int64) {
	y = y[:len(x)]
	for i, v := range x {
		y[i] += sign * int64(math.RoundToEven(float64(v)*fixedOne))
	}
}

// AddInts is y += x.
func AddInts(x, y []int64) {
	must("y", len(y), len(x))
	done := addIntsSIMD(x, y)
	addIntsGo(x[done:], y[done:])
}

func addIntsGo(x, y []int64) {
	y = y[:len(x)]
	for i, v := range x {
		y[i] += v
	}
}

// MeanFixed is y = x/n, with x in fixed point.
func MeanFixed(x []int64, n int64, y []float32) {
	must("y", len(y), len(x))
	scale := 1 / (fixedOne * float64(n))
	done := scaleIntsSIMD(x, scale, y)
	scaleIntsGo(x[done:], scale, y[done:])
}

func scaleIntsGo(x []int64, scale float64, y []float32) {
	y = y[:len(x)]
	for i, v := range x {
		y[i] = float32(float64(v) * scale)
	}
}
