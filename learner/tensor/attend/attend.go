package attend

import "math"

// Limit is what no logit reaches: 4 ln 2, by which a weight is at most 256 times another.
const Limit = 4 * math.Ln2

// Clip is the logit of a score. It is Lipschitz with 1.
func Clip(score float64) float64 { return Limit * score / (Limit + math.Abs(score)) }

// Slope is the derivative of Clip.
func Slope(score float64) float64 {
	s := Limit / (Limit + math.Abs(score))
	return s * s
}

// Weight is e^(logit - Limit), between 2^-8 and 1; of a logit of 0 it is 2^-4, by which products are exact.
func Weight(logit float64) float64 {
	power := float64(logit*math.Log2E) - 4
	whole := math.Floor(power)
	x := float64((power - whole) * math.Ln2)
	// The series of e^x, for x from 0 to ln 2: what is left out is below 1e-13.
	sum := 1.0
	for n := terms; n > 0; n-- {
		sum = 1 + float64(sum*x)/float64(n)
	}
	return math.Ldexp(sum, int(whole))
}

const terms = 13

// Dot is the scalar product of two vectors of the same length, divided by the root of that. Four sums are independent of each other,
// so that a processor need not wait for each addition.
func Dot(a, b []float32) float64 {
	n := len(a)
	b = b[:n]
	var p, q, r, s float64
	i := 0
	for ; i+4 <= n; i += 4 {
		p += float64(float64(a[i]) * float64(b[i]))
		q += float64(float64(a[i+1]) * float64(b[i+1]))
		r += float64(float64(a[i+2]) * float64(b[i+2]))
		s += float64(float64(a[i+3]) * float64(b[i+3]))
	}
	for ; i < n; i++ {
		p += float64(float64(a[i]) * float64(b[i]))
	}
	return (p + q + (r + s)) / math.Sqrt(float64(n))
}
