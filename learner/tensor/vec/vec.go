package vec

import (
	"fmt"
	"math"
)

func must(what string, have, want int) {
	if have != want {
		panic(fmt.Sprintf("vec: %s has length %d, want %d", what, have, want))
	}
}

// Dot is the sum of x[i]*y[i].
func Dot(x, y []float32) float32 {
	must("y", len(y), len(x))
	done, sum := dotSIMD(x, y)
	return sum + dotGo(x[done:], y[done:])
}

func dotGo(x, y []float32) (sum float32) {
	for i, a := range x {
		sum += a * y[i]
	}
	return sum
}

// Axpy adds a*x to y.
func Axpy(a float32, x, y []float32) {
	must("y", len(y), len(x))
	done := axpySIMD(a, x, y)
	axpyGo(a, x[done:], y[done:])
}

func axpyGo(a float32, x, y []float32) {
	for i, b := range x {
		// The conversion forbids a fused operation: without assembly package gemm rounds products too.
		y[i] += float32(a * b)
	}
}

// Lerp brings y nearer to x: y += a*(x-y).
func Lerp(a float32, x, y []float32) {
	must("y", len(y), len(x))
	done := lerpSIMD(a, x, y)
	lerpGo(a, x[done:], y[done:])
}

func lerpGo(a float32, x, y []float32) {
	for i, b := range x {
		y[i] += a * (b - y[i])
	}
}

// Gather writes to y the sum of w[k] times the row idx[k] of a table, or adds it when add is set. The table's rows are
// ld apart and at least as long as y.
func Gather(idx []int32, w, table []float32, ld int, y []float32, add bool) {
	must("w", len(w), len(idx))
	for _, r := range idx {
		if at := int(r) * ld; r < 0 || at+len(y) > len(table) {
			panic(fmt.Sprintf("vec: row %d of %d columns, the table has %d numbers", r, ld, len(table)))
		}
	}
	done := gatherSIMD(idx, w, table, ld, y, add)
	if !add {
		clear(y[done:])
	}
	if done < len(y) {
		gatherGo(idx, w, table, ld, y, done)
	}
}

func gatherGo(idx []int32, w, table []float32, ld int, y []float32, from int) {
	for k, r := range idx {
		axpyGo(w[k], table[int(r)*ld+from:int(r)*ld+len(y)], y[from:])
	}
}

// Sum writes to y the sum of w[k] times the row k, or adds it when add is set. All rows are as long as y. It is Gather for
// rows that don't lie in one table.
func Sum(rows [][]float32, w, y []float32, add bool) {
	must("w", len(w), len(rows))
	for _, x := range rows {
		must("a row", len(x), len(y))
	}
	done := sumRowsSIMD(rows, w, y, add)
	if !add {
		clear(y[done:])
	}
	for k, x := range rows {
		axpyGo(w[k], x[done:], y[done:])
	}
}

// Exp writes exp(scale*x+shift) to y, which may be x, and returns the sum. The argument of exp is clamped to -87..88;
// the relative error is below 3e-7.
func Exp(x, y []float32, scale, shift float32) float32 {
	must("y", len(y), len(x))
	done, sum := expSIMD(x, y, scale, shift)
	return sum + expGo(x[done:], y[done:], scale, shift)
}

func expGo(x, y []float32, scale, shift float32) (sum float32) {
	for i, a := range x {
		e := float32(math.Exp(float64(min(max(scale*a+shift, -87), 88))))
		y[i] = e
		sum += e
	}
	return sum
}

// Max is the greatest element; x is not empty.
func Max(x []float32) float32 {
	done, most := maxSIMD(x)
	if done == 0 {
		most = x[0]
	}
	return maxGo(x[done:], most)
}

func maxGo(x []float32, most float32) float32 {
	a, b, c, d := most, most, most, most
	for ; len(x) >= 4; x = x[4:] {
		a, b, c, d = larger(a, x[0]), larger(b, x[1]), larger(c, x[2]), larger(d, x[3])
	}
	for _, y := range x {
		a = larger(a, y)
	}
	return larger(larger(a, b), larger(c, d))
}

// larger is max without the builtin's rules for NaN and signed zeros, which cost more than the rest of Max's loop.
func larger(a, b float32) float32 {
	if b > a {
		return b
	}
	return a
}

// Adam is the setting of one step of AdamW.
type Adam struct {
	Beta1, Beta2, Epsilon float64
	Rate, Decay           float64
	Step                  int // from 1
}

// Update is one step of AdamW, decay apart from the gradient (Loshchilov and Hutter 2019, Algorithm 2), for parameters
// p with gradients g and moments m, v.
func (a Adam) Update(p, g, m, v []float32) {
	must("g", len(g), len(p))
	must("m", len(m), len(p))
	must("v", len(v), len(p))
	c := [8]float32{
		float32(a.Beta1), float32(1 - a.Beta1), float32(a.Beta2), float32(1 - a.Beta2),
		float32(a.Rate / (1 - math.Pow(a.Beta1, float64(a.Step)))),
		float32(1 / math.Sqrt(1-math.Pow(a.Beta2, float64(a.Step)))),
		float32(a.Epsilon), float32(1 - a.Rate*a.Decay),
	}
	done := adamSIMD(p, g, m, v, &c)
	adamGo(p[done:], g[done:], m[done:], v[done:], &c)
}

func adamGo(p, g, m, v []float32, c *[8]float32) {
	for i, x := range g {
		m[i] = c[0]*m[i] + c[1]*x
		v[i] = c[2]*v[i] + c[3]*x*x
		p[i] = c[7]*p[i] - c[4]*m[i]/(float32(math.Sqrt(float64(v[i])))*c[5]+c[6])
	}
}
