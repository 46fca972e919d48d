package vec

import "golang.org/x/sys/cpu"

//go:noescape
func dotAVX2(n int, x, y *float32) float32

//go:noescape
func axpyAVX2(n int, a float32, x, y *float32)

//go:noescape
func gatherAVX2(n int, idx *int32, w, table *float32, ld int, y *float32, cols int, add bool)

//go:noescape
func sumRowsAVX2(n int, rows *[]float32, w, y *float32, cols int, add bool)

//go:noescape
func expAVX2(n int, x, y *float32, scale, shift float32) float32

//go:noescape
func adamAVX2(n int, p, grad, m, v *float32, c *[8]float32)

//go:noescape
func addReLUAVX2(n int, b, y *float32)

//go:noescape
func reluGradAVX2(n int, y, grad *float32, scale float32)

//go:noescape
func geluAVX2(n int, e, y, slope *float32)

//go:noescape
func sumAVX2(n int, x *float32) float32

//go:noescape
func maxAVX2(n int, x *float32) float32

//go:noescape
func deviationAVX2(n int, x *float32, mean float32) float32

//go:noescape
func normAVX2(n int, x, gain, bias, y *float32, mean, scale float32)

//go:noescape
func normSumsAVX2(n int, x, dy, gain, dGain, dBias *float32, mean, scale float32, s *[2]float32)

//go:noescape
func normGradAVX2(n int, x, dy, gain, dx *float32, c *[4]float32, add bool)

//go:noescape
func lerpAVX2(n int, a float32, x, y *float32)

//go:noescape
func dropAVX2(n int, x, y *float32, counter uint64, limit int32, scale float32)

// hasAVX2 tells whether this processor can run the assembly.
var hasAVX2 = cpu.X86.HasAVX2 && cpu.X86.HasFMA

func dotSIMD(x, y []float32) (done int, sum float32) {
	n := len(x) &^ 7
	if !hasAVX2 || n == 0 {
		return 0, 0
	}
	return n, dotAVX2(n, &x[0], &y[0])
}

func axpySIMD(a float32, x, y []float32) (done int) {
	n := len(x) &^ 7
	if hasAVX2 && n > 0 {
		axpyAVX2(n, a, &x[0], &y[0])
		return n
	}
	return 0
}

func gatherSIMD(idx []int32, w, table []float32, ld int, y []float32, add bool) (done int) {
	n := len(y) &^ 7
	if hasAVX2 && n > 0 && len(idx) > 0 {
		gatherAVX2(len(idx), &idx[0], &w[0], &table[0], ld*4, &y[0], n, add)
		return n
	}
	return 0
}

func sumRowsSIMD(rows [][]float32, w, y []float32, add bool) (done int) {
	n := len(y) &^ 7
	if hasAVX2 && n > 0 && len(rows) > 0 {
		sumRowsAVX2(len(rows), &rows[0], &w[0], &y[0], n, add)
		return n
	}
	return 0
}

func expSIMD(x, y []float32, scale, shift float32) (done int, sum float32) {
	n := len(x) &^ 7
	if !hasAVX2 || n == 0 {
		return 0, 0
	}
	return n, expAVX2(n, &x[0], &y[0], scale, shift)
}

func adamSIMD(p, g, m, v []float32, c *[8]float32) (done int) {
	n := len(p) &^ 7
	if hasAVX2 && n > 0 {
		adamAVX2(n, &p[0], &g[0], &m[0], &v[0], c)
		return n
	}
	return 0
}

func addReLUSIMD(b, y []float32) (done int) {
	n := len(y) &^ 7
	if hasAVX2 && n > 0 {
		addReLUAVX2(n, &b[0], &y[0])
		return n
	}
	return 0
}

func reluGradSIMD(y, g []float32, scale float32) (done int) {
	n := len(y) &^ 7
	if hasAVX2 && n > 0 {
		reluGradAVX2(n, &y[0], &g[0], scale)
		return n
	}
	return 0
}

func geluSIMD(e, y, slope []float32) (done int) {
	n := len(y) &^ 7
	if !hasAVX2 || n == 0 {
		return 0
	}
	var s *float32
	if slope != nil {
		s = &slope[0]
	}
	geluAVX2(n, &e[0], &y[0], s)
	return n
}

func sumSIMD(x []float32) (done int, sum float32) {
	n := len(x) &^ 7
	if !hasAVX2 || n == 0 {
		return 0, 0
	}
	return n, sumAVX2(n, &x[0])
}

func maxSIMD(x []float32) (done int, most float32) {
	n := len(x) &^ 7
	if !hasAVX2 || n == 0 {
		return 0, 0
	}
	return n, maxAVX2(n, &x[0])
}

func deviationSIMD(x []float32, mean float32) (done int, sum float32) {
	n := len(x) &^ 7
	if !hasAVX2 || n == 0 {
		return 0, 0
	}
	return n, deviationAVX2(n, &x[0], mean)
}

func normSIMD(x, gain, bias, y []float32, mean, scale float32) (done int) {
	n := len(x) &^ 7
	if hasAVX2 && n > 0 {
		normAVX2(n, &x[0], &gain[0], &bias[0], &y[0], mean, scale)
		return n
	}
	return 0
}

func normSumsSIMD(x, dy, gain, dGain, dBias []float32, mean, scale float32, s *[2]float32) (done int) {
	n := len(x) &^ 7
	if hasAVX2 && n > 0 {
		normSumsAVX2(n, &x[0], &dy[0], &gain[0], &dGain[0], &dBias[0], mean, scale, s)
		return n
	}
	return 0
}

func normGradSIMD(x, dy, gain, dx []float32, c *[4]float32, add bool) (done int) {
	n := len(x) &^ 7
	if hasAVX2 && n > 0 {
		normGradAVX2(n, &x[0], &dy[0], &gain[0], &dx[0], c, add)
		return n
	}
	return 0
}

func lerpSIMD(a float32, x, y []float32) (done int) {
	n := len(x) &^ 7
	if hasAVX2 && n > 0 {
		lerpAVX2(n, a, &x[0], &y[0])
		return n
	}
	return 0
}

func dropSIMD(x, y []float32, counter uint64, limit uint16, scale float32) (done int) {
	n := len(x) &^ 7
	if hasAVX2 && n > 0 {
		dropAVX2(n, &x[0], &y[0], counter, int32(limit), scale)
		return n
	}
	return 0
}
