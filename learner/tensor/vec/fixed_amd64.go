package vec

import "golang.org/x/sys/cpu"

//go:noescape
func addFixedAVX512(n int, x *float32, y *int64)

//go:noescape
func subFixedAVX512(n int, x *float32, y *int64)

//go:noescape
func addIntsAVX512(n int, x, y *int64)

//go:noescape
func scaleIntsAVX512(n int, x *int64, scale float64, y *float32)

// hasAVX512 tells whether this processor can run that assembly. cpu.X86 has these flags false also where the system does not keep the
// registers.
var hasAVX512 = cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL

func addFixedSIMD(x []float32, sign int64, y []int64) (done int) {
	n := len(x) &^ 7
	if !hasAVX512 || n == 0 {
		return 0
	}
	if sign > 0 {
		addFixedAVX512(n, &x[0], &y[0])
	} else {
		subFixedAVX512(n, &x[0], &y[0])
	}
	return n
}

func addIntsSIMD(x, y []int64) (done int) {
	n := len(x) &^ 7
	if !hasAVX512 || n == 0 {
		return 0
	}
	addIntsAVX512(n, &x[0], &y[0])
	return n
}

func scaleIntsSIMD(x []int64, scale float64, y []float32) (done int) {
	n := len(x) &^ 7
	if !hasAVX512 || n == 0 {
		return 0
	}
	scaleIntsAVX512(n, &x[0], scale, &y[0])
	return n
}
