package vec

import (
	"math"
	"math/rand/v2"
	"testing"
)

func noise(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

func near(t *testing.T, what string, got, want []float32, tolerance float64) {
	t.Helper()
	for i := range want {
		if d := math.Abs(float64(got[i] - want[i])); !(d <= tolerance*(1+math.Abs(float64(want[i])))) {
			t.Fatalf("%s: element %d of %d is %v, want %v", what, i, len(want), got[i], want[i])
		}
	}
}

// TestAgreesWithLoops holds SIMD and Go against plain loops, for all lengths around those of the registers.
func TestAgreesWithLoops(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	for n := range 140 {
		x, y := noise(r, n), noise(r, n)
		near(t, "Dot", []float32{Dot(x, y)}, []float32{dotGo(x, y)}, 2e-5)
		a, b := append([]float32(nil), y...), append([]float32(nil), y...)
		Axpy(1.5, x, a)
		axpyGo(1.5, x, b)
		near(t, "Axpy", a, b, 1e-5)

		a, b = append([]float32(nil), y...), append([]float32(nil), y...)
		Lerp(0.25, x, a)
		lerpGo(0.25, x, b)
		near(t, "Lerp", a, b, 1e-6)
		for _, limit := range []uint16{0, 1 << 14, 1<<16 - 1} {
			Drop(x, a, uint64(n)<<40, limit, 1.5)
			dropGo(x, b, uint64(n)<<40, limit, 1.5)
			near(t, "Drop", a, b, 0)
		}

		const rows = 9
		ld := n + 3
		table, idx, w := noise(r, rows*ld), make([]int32, r.IntN(7)), noise(r, 7)
		for i := range idx {
			idx[i] = r.Int32N(rows)
		}
		a, b = append([]float32(nil), y...), append([]float32(nil), y...)
		Gather(idx, w[:len(idx)], table, ld, a, true)
		gatherGo(idx, w, table, ld, b, 0)
		near(t, "Gather, added", a, b, 1e-5)
		Gather(idx, w[:len(idx)], table, ld, a, false)
		clear(b)
		gatherGo(idx, w, table, ld, b, 0)
		near(t, "Gather", a, b, 1e-5)
		var each [][]float32
		for _, i := range idx {
			each = append(each, table[int(i)*ld:int(i)*ld+n])
		}
		for _, add := range []bool{false, true} {
			c, d := append([]float32(nil), y...), append([]float32(nil), y...)
			Gather(idx, w[:len(idx)], table, ld, c, add)
			Sum(each, w[:len(idx)], d, add)
			near(t, "Sum", d, c, 0)
		}

		a, b = append([]float32(nil), y...), append([]float32(nil), y...)
		AddReLU(x, a)
		addReLUGo(x, b)
		near(t, "AddReLU", a, b, 0)
		g, h := noise(r, n), make([]float32, n)
		copy(h, g)
		ReLUGrad(a, g, 1.25)
		reluGradGo(b, h, 1.25)
		near(t, "Pass", g, h, 0)
		for _, slopes := range []bool{true, false} {
			a, b = append([]float32(nil), y...), append([]float32(nil), y...)
			var sa, sb []float32
			if slopes {
				sa, sb = make([]float32, n), make([]float32, n)
			}
			GELU(a, sa)
			e := make([]float32, n)
			for i, v := range b {
				e[i] = float32(math.Exp(-float64(v) * float64(v) / 2))
			}
			geluGo(e, b, sb)
			near(t, "GELU", a, b, 1e-6)
			near(t, "slope of GELU", sa, sb, 1e-6)
		}

		for i := range x {
			x[i] *= 10
		}
		sum, want := Exp(x, a, 1.25, -0.5), expGo(x, b, 1.25, -0.5)
		near(t, "Exp", a, b, 4e-6)
		near(t, "sum of Exp", []float32{sum}, []float32{want}, 4e-6)
		if n > 0 {
			want := x[0]
			for _, v := range x {
				want = max(want, v)
			}
			if got := Max(x); got != want {
				t.Fatalf("Max of %d is %v, want %v", n, got, want)
			}
		}
	}
}

func TestAddReLUKeepsNaN(t *testing.T) {
	t.Parallel()
	y := make([]float32, 17)
	for i := range y {
		y[i] = float32(math.NaN())
	}
	AddReLU(make([]float32, 17), y)
	for i, x := range y {
		if x == x {
			t.Fatalf("element %d has become %v", i, x)
		}
	}
}

func TestExpIsAccurate(t *testing.T) {
	t.Parallel()
	x := make([]float32, 8000)
	for i := range x {
		x[i] = float32(i-4000) / 4000 * 86
	}
	y := make([]float32, len(x))
	Exp(x, y, 1, 0)
	for i := range x {
		want := math.Exp(float64(x[i]))
		if e := math.Abs(float64(y[i])/want - 1); e > 3e-7 {
			t.Fatalf("exp %v is %v, want %v", x[i], y[i], want)
		}
	}
}

// TestAdam holds Update against the formulas in float64.
func TestAdam(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(2, 2))
	const n = 21
	p, m, v := noise(r, n), make([]float32, n), make([]float32, n)
	wp, wm, wv := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range p {
		wp[i] = float64(p[i])
	}
	for step := 1; step < 20; step++ {
		g := noise(r, n)
		Adam{0.9, 0.99, 1e-8, 0.01, 0.1, step}.Update(p, g, m, v)
		for i := range wp {
			x := float64(g[i])
			wm[i], wv[i] = 0.9*wm[i]+0.1*x, 0.99*wv[i]+0.01*x*x
			mh, vh := wm[i]/(1-math.Pow(0.9, float64(step))), wv[i]/(1-math.Pow(0.99, float64(step)))
			wp[i] -= 0.01*0.1*wp[i] + 0.01*mh/(math.Sqrt(vh)+1e-8)
			if math.Abs(float64(p[i])-wp[i]) > 1e-5 {
				t.Fatalf("step %d, parameter %d is %v, want %v", step, i, p[i], wp[i])
			}
		}
	}
}

func TestGatherRefusesRowsOutside(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Fatal("a row outside the table was read")
		}
	}()
	Gather([]int32{3}, []float32{1}, make([]float32, 24), 8, make([]float32, 8), false)
}

// TestNormAgreesWithLoops holds Norm and NormGrad against plain loops, for all lengths around those of the registers.
func TestNormAgreesWithLoops(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 3))
	for n := 1; n < 70; n++ {
		x, gain, bias, dy := noise(r, n), noise(r, n), noise(r, n), noise(r, n)
		y, want := make([]float32, n), make([]float32, n)
		mean, scale := Norm(x, gain, bias, y)
		m := sumGo(x) / float32(n)
		s := float32(1 / math.Sqrt(float64(deviationGo(x, m)/float32(n))+epsilon))
		near(t, "mean and scale", []float32{mean, scale}, []float32{m, s}, 1e-5)
		normGo(x, gain, bias, want, mean, scale)
		near(t, "Norm", y, want, 1e-5)

		start := noise(r, 3*n)
		got, plain := append([]float32(nil), start...), append([]float32(nil), start...)
		for _, add := range []bool{true, false} {
			NormGrad(x, dy, gain, got[:n], got[n:2*n], got[2*n:], mean, scale, add)
			var sums [2]float32
			normSumsGo(x, dy, gain, plain[:n], plain[n:2*n], mean, scale, &sums)
			normGradGo(x, dy, gain, plain[2*n:], &[4]float32{mean, scale, sums[0] / float32(n), sums[1] / float32(n)}, add)
			near(t, "gradients of Norm", got, plain, 5e-5)
		}
		NormGrad(x, dy, gain, got[:n], got[n:2*n], nil, mean, scale, false)
	}
}
