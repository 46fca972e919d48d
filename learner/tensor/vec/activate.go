package vec

import "math"

// AddReLU is y = max(y+b, 0); a NaN stays one.
func AddReLU(b, y []float32) {
	must("b", len(b), len(y))
	done := addReLUSIMD(b, y)
	addReLUGo(b[done:], y[done:])
}

func addReLUGo(b, y []float32) {
	for i, x := range b {
		v := y[i] + x
		if v < 0 {
			v = 0
		}
		y[i] = v
	}
}

// ReLUGrad is g = scale*g where y, the result of a ReLU, is above 0, and 0 elsewhere.
func ReLUGrad(y, g []float32, scale float32) {
	must("g", len(g), len(y))
	done := reluGradSIMD(y, g, scale)
	reluGradGo(y[done:], g[done:], scale)
}

func reluGradGo(y, g []float32, scale float32) {
	for i, x := range y {
		if x > 0 {
			g[i] *= scale
		} else {
			g[i] = 0
		}
	}
}

// GELU replaces y by y*Phi(y) (Hendrycks, Gimpel 2016) and, unless slope is nil, writes the derivative to it. The
// distribution function Phi is taken from erf by Abramowitz and Stegun 7.1.26, which is within 1.5e-7.
func GELU(y, slope []float32) {
	if slope != nil {
		must("slope", len(slope), len(y))
	}
	var e [64]float32
	for len(y) > 0 {
		n := min(len(e), len(y))
		for j, x := range y[:n] {
			e[j] = x * x
		}
		Exp(e[:n], e[:n], -0.5, 0)
		var s []float32
		if slope != nil {
			s, slope = slope[:n], slope[n:]
		}
		done := geluSIMD(e[:n], y[:n], s)
		if s != nil {
			s = s[done:]
		}
		geluGo(e[done:n], y[done:n], s)
		y = y[n:]
	}
}

func geluGo(e, y, slope []float32) {
	for j, x := range y {
		z := x
		if z < 0 {
			z = -z
		}
		k := 1 / (1 + 0.3275911*math.Sqrt2/2*z)
		tail := 0.5 * e[j] * k * (0.254829592 + k*(-0.284496736+k*(1.421413741+k*(-1.453152027+k*1.061405429))))
		phi := 1 - tail
		if x < 0 {
			phi = tail
		}
		y[j] = x * phi
		if slope != nil {
			slope[j] = phi + x*e[j]*float32(1/(math.Sqrt2*math.SqrtPi))
		}
	}
}
