package vec

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestFixedHasTheBitsOfLoops compares the assembly with loops in Go, bit for bit, over lengths around those of a register and over
// numbers of every magnitude, halves of a step and what no integer holds among them.
func TestFixedHasTheBitsOfLoops(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	special := []float32{0, float32(math.Copysign(0, -1)), 0.5 / fixedOne, 1.5 / fixedOne, 2.5 / fixedOne, -0.5 / fixedOne, -1.5 / fixedOne, 1, -1,
		math.MaxFloat32, -math.MaxFloat32, math.SmallestNonzeroFloat32, 1 << 30, -(1 << 31), 1 << 31, float32(math.NaN()), float32(math.Inf(1))}
	for n := range 70 {
		x, start, ints := make([]float32, n), make([]int64, n), make([]int64, n)
		for i := range x {
			if x[i] = float32(math.Ldexp(r.NormFloat64(), r.IntN(60)-45)); r.IntN(4) == 0 {
				x[i] = special[r.IntN(len(special))]
			}
			start[i], ints[i] = int64(r.Uint64()), int64(r.Uint64())>>r.IntN(64)
		}
		for _, sign := range []int64{1, -1} {
			got, want := slices.Clone(start), slices.Clone(start)
			AddFixed(x, sign, got)
			addFixedGo(x, sign, want)
			if !slices.Equal(got, want) {
				t.Errorf("AddFixed of %v, sign %d: %v, want %v", x, sign, got, want)
			}
		}
		got, want := slices.Clone(start), slices.Clone(start)
		AddInts(ints, got)
		addIntsGo(ints, want)
		if !slices.Equal(got, want) {
			t.Errorf("AddInts of %v to %v: %v, want %v", ints, start, got, want)
		}
		count := 1 + r.Int64N(1<<40)
		mean, wanted := make([]float32, n), make([]float32, n)
		MeanFixed(ints, count, mean)
		scaleIntsGo(ints, 1/(fixedOne*float64(count)), wanted)
		if !slices.Equal(mean, wanted) {
			t.Errorf("MeanFixed of %v, %d: %v, want %v", ints, count, mean, wanted)
		}
	}
}

// TestFixedRounds holds what AddFixed means.
func TestFixedRounds(t *testing.T) {
	t.Parallel()
	x := []float32{1, -1, 0.5 / fixedOne, 1.5 / fixedOne, -2.5 / fixedOne, 0.75, 0, 3.0 / fixedOne, 1}
	y := make([]int64, len(x))
	AddFixed(x, 1, y)
	if want := []int64{fixedOne, -fixedOne, 0, 2, -2, 3 * fixedOne / 4, 0, 3, fixedOne}; !slices.Equal(y, want) {
		t.Errorf("%v, want %v", y, want)
	}
	AddFixed(x, -1, y)
	if slices.ContainsFunc(y, func(v int64) bool { return v != 0 }) {
		t.Errorf("what was added and taken away leaves %v", y)
	}
}
