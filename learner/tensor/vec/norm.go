package vec

import "math"

// epsilon is added to the variance, as PyTorch's LayerNorm does.
const epsilon = 1e-5

// Norm brings x to mean 0 and variance 1, multiplies it by gain and adds bias: y = (x-mean)*scale*gain + bias (Ba,
// Kiros, Hinton 2016). All have one length, above 0; y may be x.
func Norm(x, gain, bias, y []float32) (mean, scale float32) {
	must("gain", len(gain), len(x))
	must("bias", len(bias), len(x))
	must("y", len(y), len(x))
	n := float32(len(x))
	done, sum := sumSIMD(x)
	mean = (sum + sumGo(x[done:])) / n
	done, sum = deviationSIMD(x, mean)
	scale = float32(1 / math.Sqrt(float64((sum+deviationGo(x[done:], mean))/n)+epsilon))
	done = normSIMD(x, gain, bias, y, mean, scale)
	normGo(x[done:], gain[done:], bias[done:], y[done:], mean, scale)
	return mean, scale
}

func sumGo(x []float32) (sum float32) {
	for _, v := range x {
		sum += v
	}
	return sum
}

// deviationGo is the sum of the squared distances from the mean.
func deviationGo(x []float32, mean float32) (sum float32) {
	for _, v := range x {
		sum += (v - mean) * (v - mean)
	}
	return sum
}

func normGo(x, gain, bias, y []float32, mean, scale float32) {
	for j, v := range x {
		y[j] = (v-mean)*scale*gain[j] + bias[j]
	}
}

// NormGrad is the gradient of Norm: from the gradient dy of Norm's y it adds to dGain and dBias, and writes the
// gradient of x to dx, or adds it when add is set. dx may be nil.
func NormGrad(x, dy, gain, dGain, dBias, dx []float32, mean, scale float32, add bool) {
	must("dy", len(dy), len(x))
	must("gain", len(gain), len(x))
	must("dGain", len(dGain), len(x))
	must("dBias", len(dBias), len(x))
	var s [2]float32
	done := normSumsSIMD(x, dy, gain, dGain, dBias, mean, scale, &s)
	normSumsGo(x[done:], dy[done:], gain[done:], dGain[done:], dBias[done:], mean, scale, &s)
	if dx == nil {
		return
	}
	must("dx", len(dx), len(x))
	c := [4]float32{mean, scale, s[0] / float32(len(x)), s[1] / float32(len(x))}
	done = normGradSIMD(x, dy, gain, dx, &c, add)
	normGradGo(x[done:], dy[done:], gain[done:], dx[done:], &c, add)
}

func normSumsGo(x, dy, gain, dGain, dBias []float32, mean, scale float32, s *[2]float32) {
	for j, v := range x {
		h, d := (v-mean)*scale, dy[j]
		dGain[j] += d * h
		dBias[j] += d
		d *= gain[j]
		s[0] += d
		s[1] += d * h
	}
}

func normGradGo(x, dy, gain, dx []float32, c *[4]float32, add bool) {
	for j, v := range x {
		d := c[1] * (dy[j]*gain[j] - c[2] - (v-c[0])*c[1]*c[3])
		if add {
			d += dx[j]
		}
		dx[j] = d
	}
}
