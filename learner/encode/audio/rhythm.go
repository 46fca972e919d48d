package audio

import (
	"math"

	"gonum.org/v1/gonum/dsp/fourier"
)

const (
	onsetDim             = 14
	slowOnset, fastOnset = 0.25, 16.0 // a second, the outer bins
	tempoDim             = 48
	shortBeat, longBeat  = 0.15, 2.5 // seconds, the outer lags: 400 to 24 beats a minute
	tempoWindow          = 1024      // frames, 12 s: a recording's tempo drifts
	fluxLag              = 2         // frames
	onsetSide            = 4         // frames, on each side, over which an onset is the greatest
	onsetRise            = 1.0       // dB over the mean around it
	onsetMean            = 34        // frames
)

// onsetStrength is, by frame, how much louder the bands become (Dixon, "Onset
// detection revisited", DAFx 2006, spectral flux, here of dB in mel bands), less its
// mean around.
func (s *sound) onsetStrength() []float64 {
	flux := make([]float64, len(s.mel))
	for i := fluxLag; i < len(flux); i++ {
		for b, v := range s.mel[i] {
			flux[i] += max(float64(v-s.mel[i-fluxLag][b]), 0) / bands
		}
	}
	sums := make([]float64, len(flux)+1)
	for i, v := range flux {
		sums[i+1] = sums[i] + v
	}
	for i := range flux {
		lo, hi := max(i-onsetMean, 0), min(i+onsetMean+1, len(flux))
		flux[i] -= (sums[hi] - sums[lo]) / float64(hi-lo)
	}
	return flux
}

// onsetRate writes how many onsets a second has, as a position on a logarithmic
// scale, shared between the two nearest bins.
func (s *sound) onsetRate(out []float32) {
	count := 0
	for i, v := range s.onsets {
		if v < onsetRise {
			continue
		}
		greatest := true
		for k := max(i-onsetSide, 0); k < min(i+onsetSide+1, len(s.onsets)); k++ {
			greatest = greatest && (s.onsets[k] < v || k >= i && s.onsets[k] == v)
		}
		if greatest {
			count++
		}
	}
	rate := max(float64(count)*frameRate/float64(len(s.onsets)), slowOnset)
	at := min(math.Log(rate/slowOnset)/math.Log(fastOnset/slowOnset)*(onsetDim-1), onsetDim-1)
	low := int(at)
	share := float32(at) - float32(low)
	out[low] += 1 - share
	if share > 0 {
		out[low+1] += share
	}
}

// tempogram writes the autocorrelation of the onsets, averaged over time, at lags on
// a logarithmic scale (Grosche, Müller and Kurth, "Cyclic tempogram", ICASSP 2010,
// section 2.2): the greatest within each step.
func (s *sound) tempogram(out []float32) {
	fft := fourier.NewFFT(2 * tempoWindow)
	x, c := make([]float64, 2*tempoWindow), make([]complex128, tempoWindow+1)
	mean := make([]float64, tempoWindow)
	for at := 0; at == 0 || at+tempoWindow/2 < len(s.onsets); at += tempoWindow / 2 {
		clear(x)
		n := copy(x[:tempoWindow], s.onsets[at:])
		fft.Coefficients(c, x)
		for i, v := range c {
			c[i] = complex(real(v)*real(v)+imag(v)*imag(v), 0)
		}
		fft.Sequence(x, c)
		if x[0] <= 0 {
			continue
		}
		for lag := range n {
			// Less and less of the window overlaps itself; what is a small rest says little.
			mean[lag] += x[lag] / x[0] * float64(n) / float64(max(n-lag, n/4))
		}
	}
	for i := range out {
		lag := func(i int) int {
			return int(frameRate * shortBeat * math.Pow(longBeat/shortBeat, float64(i)/tempoDim))
		}
		from := lag(i)
		best := mean[from]
		for k := from + 1; k < lag(i+1); k++ {
			best = max(best, mean[k])
		}
		out[i] = float32(best)
	}
}
