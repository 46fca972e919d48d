package audio

import (
	"math"

	"gonum.org/v1/gonum/dsp/fourier"
)

const (
	commas = 53 // to the octave: Holdrian commas, by which makam's intervals are told

	// The pitch is looked for at half the working rate: what it needs lies below 5 kHz,
	// and hiss above.
	pitchRate   = workRate / 2
	pitchWindow = window / 2
	longestLag  = 170 // pitchRate/65 Hz: a deep man's voice
	shortestLag = 9   // pitchRate/1200 Hz: a flute's middle

	// aperiodic is the normalized difference below which a frame has a pitch. The
	// authors' 0.1 is for clean speech; field recordings hiss.
	aperiodic = 0.2
)

// yin tracks a melody of one voice (de Cheveigné and Kawahara, "YIN, a fundamental
// frequency estimator for speech and music", JASA 111, 2002; steps 1 to 5).
type yin struct {
	fft        *fourier.FFT
	a, b       []float64
	ca, cb     []complex128
	difference []float64
}

const yinFFT = 1024 // at least pitchWindow + longestLag

func newYIN() *yin {
	return &yin{
		fft: fourier.NewFFT(yinFFT), a: make([]float64, yinFFT), b: make([]float64, yinFFT),
		ca: make([]complex128, yinFFT/2+1), cb: make([]complex128, yinFFT/2+1),
		difference: make([]float64, longestLag+2),
	}
}

// pitch is the fundamental frequency, in Hz, of pitchWindow+longestLag+1 samples; 0 when
// there is none.
func (y *yin) pitch(x []float32) float64 {
	// Equation 6 with the sum of products by a Fourier transform: the difference
	// at lag t is the power of the first window, plus that of the one at t, less
	// twice their product.
	clear(y.a)
	clear(y.b)
	for i, v := range x {
		y.b[i] = float64(v)
	}
	copy(y.a[:pitchWindow], y.b)
	y.fft.Coefficients(y.ca, y.a)
	y.fft.Coefficients(y.cb, y.b)
	for i, c := range y.ca {
		y.ca[i] = complex(real(c), -imag(c)) * y.cb[i]
	}
	products := y.fft.Sequence(y.a, y.ca)
	var first float64
	for _, v := range y.b[:pitchWindow] {
		first += v * v
	}
	d := y.difference
	d[0] = 1
	power, running := first, 0.0
	for t := 1; t < len(d); t++ {
		out, in := y.b[t-1], y.b[t-1+pitchWindow]
		power += in*in - out*out
		diff := max(first+power-2*products[t]/yinFFT, 0)
		// Equation 8: by the mean of the differences at shorter lags.
		running += diff
		if running <= 0 {
			d[t] = 1
			continue
		}
		d[t] = diff * float64(t) / running
	}
	for t := shortestLag; t <= longestLag; t++ {
		if d[t] >= aperiodic {
			continue
		}
		for t < longestLag && d[t+1] < d[t] {
			t++
		}
		return pitchRate / (float64(t) + vertex(d[t-1], d[t], d[t+1]))
	}
	return 0
}

// vertex is where, within half a step of the middle one, a parabola through three
// values has its extreme.
func vertex(a, b, c float64) float64 {
	curve := a - 2*b + c
	if curve == 0 {
		return 0
	}
	return min(max((a-c)/(2*curve), -0.5), 0.5)
}

// pitchTrack is the pitch by frame, in commas above 440 Hz; NaN in pauses, where
// there is none, and where it does not last.
func pitchTrack(samples []float32, active []bool) []float64 {
	y := newYIN()
	halved := newResampler(workRate, pitchRate)
	samples = halved.flush(halved.push(nil, samples))
	track := make([]float64, len(active))
	const need = pitchWindow + longestLag + 1
	for i := range track {
		track[i] = math.NaN()
		if at := i * hop / 2; active[i] && at+need <= len(samples) {
			if hz := y.pitch(samples[at : at+need]); hz > 0 {
				track[i] = commas * math.Log2(hz/440)
			}
		}
	}
	return steady(track)
}

// steady drops the frames that agree with neither neighbour within a whole tone: slips
// by an octave, and what is between two sounds.
func steady(track []float64) []float64 {
	const tone = 9
	out := make([]float64, len(track))
	for i, v := range track {
		out[i] = math.NaN()
		before := i > 0 && math.Abs(track[i-1]-v) < tone
		after := i+1 < len(track) && math.Abs(track[i+1]-v) < tone
		if before || after {
			out[i] = v
		}
	}
	return out
}
