package audio

import "math"

// resampler changes the sampling rate by band-limited interpolation (J. O. Smith,
// "Digital Audio Resampling", https://ccrma.stanford.edu/~jos/resample/): each
// sample is the sum of its neighbours under a sinc with a Kaiser window. It
// streams: it holds no more than the filter reaches over.
type resampler struct {
	in, out int
	half    int         // of the filter, in samples of the input
	phases  [][]float32 // filters of 2*half taps, by the position between two samples
	buf     []float32   // the input from sample number first on
	first   int64
	next    int64 // number of the next sample of the output
}

const (
	// crossings of zero of the sinc at each side, and the shape of its window: what
	// folds back is some 80 dB down.
	crossings = 16
	kaiser    = 8.0
	// cutoff leaves room for the filter's slope, in parts of the narrower band.
	cutoff = 0.94
	// maxPhases bounds the filters that are kept. Rates with a common divisor need
	// fewer and are exact; for others, positions are rounded to a 1024th of a sample.
	maxPhases = 1024
)

func newResampler(in, out int) *resampler {
	r := &resampler{in: in, out: out}
	if in == out {
		return r
	}
	band := cutoff * min(1, float64(out)/float64(in))
	r.half = int(math.Ceil(crossings / band))
	r.phases = make([][]float32, min(out/gcd(in, out), maxPhases))
	for p := range r.phases {
		taps := make([]float32, 2*r.half)
		frac := float64(p) / float64(len(r.phases))
		var sum float64
		filter := make([]float64, len(taps))
		for k := range filter {
			t := float64(k-r.half+1) - frac
			filter[k] = sinc(band*t) * kaiserWindow(t/float64(r.half))
			sum += filter[k]
		}
		for k := range taps {
			taps[k] = float32(filter[k] / sum)
		}
		r.phases[p] = taps
	}
	// The first sample has silence before it.
	r.first = -int64(r.half)
	r.buf = make([]float32, r.half, 4*r.half+16<<10)
	return r
}

// push appends to out what can be computed with the samples in.
func (r *resampler) push(out, in []float32) []float32 {
	if r.phases == nil {
		return append(out, in...)
	}
	r.buf = append(r.buf, in...)
	for {
		at := r.next * int64(r.in)
		centre, rest := at/int64(r.out), at%int64(r.out)
		from := int(centre - int64(r.half) + 1 - r.first)
		if from+2*r.half > len(r.buf) {
			keep := min(max(from, 0), len(r.buf))
			r.first += int64(keep)
			r.buf = r.buf[:copy(r.buf, r.buf[keep:])]
			return out
		}
		filter := r.phases[rest*int64(len(r.phases))/int64(r.out)]
		var sum float32
		for k, v := range r.buf[from : from+len(filter)] {
			sum += v * filter[k]
		}
		out = append(out, sum)
		r.next++
	}
}

// flush appends the end, which has silence after it.
func (r *resampler) flush(out []float32) []float32 {
	return r.push(out, make([]float32, r.half))
}

func sinc(x float64) float64 {
	if math.Abs(x) < 1e-9 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// kaiserWindow over -1..1 (Kaiser and Schafer, IEEE Trans. ASSP 28, 1980).
func kaiserWindow(t float64) float64 {
	if t <= -1 || t >= 1 {
		return 0
	}
	return bessel0(kaiser*math.Sqrt(1-t*t)) / bessel0(kaiser)
}

// bessel0 is the modified Bessel function of order 0, by its series.
func bessel0(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > 1e-12*sum; k++ {
		term *= x * x / (4 * k * k)
		sum += term
	}
	return sum
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
