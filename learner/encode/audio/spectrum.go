package audio

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/dsp/fourier"
)

const (
	workRate = 22050 // Hz
	window   = 1024  // samples of a spectrum
	hop      = 256   // samples from one to the next
	shortest = 4 * window

	// frameRate is how many spectra a second has.
	frameRate = float64(workRate) / hop

	bands               = 40
	lowest, highestBand = 60.0, 8000.0 // Hz
	cepstra             = 19           // without the 0th, which is loudness
	// depth, in dB, is how far below the loudest band a recording is heard. Old
	// cylinders and discs have no more above their noise.
	depth = 60
	// quiet, in dB, is how far below the loud frames (the 95th of 100) one counts as
	// a pause. Pauses say nothing of timbre.
	quiet = 35
)

// tables are what all recordings share.
type tables struct {
	window  [window]float64
	filters [bands]filter
	cosines [cepstra][bands]float64 // the liftered DCT-II
}

// filter is a triangle over bins of the power spectrum, of area 1.
type filter struct {
	from    int
	weights []float64
}

func newTables() *tables {
	t := &tables{}
	for i := range t.window {
		t.window[i] = 0.5 - 0.5*math.Cos(2*math.Pi*(float64(i)+0.5)/window)
	}
	// Equal steps of mel (O'Shaughnessy's formula).
	mel := func(hz float64) float64 { return 2595 * math.Log10(1+hz/700) }
	edge := func(i int) float64 {
		m := mel(lowest) + float64(i)*(mel(highestBand)-mel(lowest))/(bands+1)
		return 700 * (math.Pow(10, m/2595) - 1) * window / workRate // in bins
	}
	for b := range t.filters {
		lo, mid, hi := edge(b), edge(b+1), edge(b+2)
		// A low band is narrower than a bin; it takes its share of the nearest.
		lo, hi = min(lo, mid-1), max(hi, mid+1)
		f := &t.filters[b]
		f.from = int(math.Ceil(lo))
		var sum float64
		for k := f.from; float64(k) < hi; k++ {
			w := min((float64(k)-lo)/(mid-lo), (hi-float64(k))/(hi-mid))
			f.weights = append(f.weights, w)
			sum += w
		}
		for k := range f.weights {
			f.weights[k] /= sum
		}
	}
	// The higher coefficients are smaller by nature; the lifter of HTK (Young et
	// al., "The HTK Book", equation 5.14) evens them out.
	const lifter = 22
	for c := range t.cosines {
		lift := 1 + lifter/2*math.Sin(math.Pi*float64(c+1)/lifter)
		for b := range bands {
			t.cosines[c][b] = lift * math.Sqrt(2.0/bands) * math.Cos(math.Pi*float64(c+1)*(float64(b)+0.5)/bands)
		}
	}
	return t
}

// sound is a recording as it is heard.
type sound struct {
	mel    [][bands]float32   // dB by frame
	cep    [][cepstra]float32 // MFCC by frame
	active []bool             // frames that are no pause
	track  []float64          // pitch by frame, in commas above A4; NaN where there is none
	tonic  float64            // in commas above A4; NaN when nothing has a pitch
	onsets []float64          // strength by frame
}

// listen analyzes samples; nil when all is silence.
func listen(samples []float32, t *tables) *sound {
	s := &sound{}
	if !s.spectra(samples, t) {
		return nil
	}
	s.track = pitchTrack(samples, s.active)
	s.tonic = findTonic(s.track)
	s.onsets = s.onsetStrength()
	return s
}

// spectra fills mel, cep and active (Davis and Mermelstein, IEEE Trans. ASSP 28,
// 1980).
func (s *sound) spectra(samples []float32, t *tables) bool {
	n := (len(samples)-window)/hop + 1
	s.mel, s.cep, s.active = make([][bands]float32, n), make([][cepstra]float32, n), make([]bool, n)
	fft := fourier.NewFFT(window)
	frame, coeffs := make([]float64, window), make([]complex128, window/2+1)
	power := make([]float64, window/2+1)
	total := make([]float64, n)
	loudest := 0.0
	raw := make([][bands]float64, n)
	for i := range n {
		var mean float64
		for _, v := range samples[i*hop : i*hop+window] {
			mean += float64(v) / window
		}
		for k, v := range samples[i*hop : i*hop+window] {
			frame[k] = (float64(v) - mean) * t.window[k]
		}
		fft.Coefficients(coeffs, frame)
		for k, c := range coeffs {
			power[k] = real(c)*real(c) + imag(c)*imag(c)
		}
		for b := range bands {
			f := &t.filters[b]
			var sum float64
			for k, w := range f.weights {
				sum += w * power[f.from+k]
			}
			raw[i][b] = sum
			total[i] += sum
			loudest = max(loudest, sum)
		}
	}
	// Full scale is 1; the last bit of 16 alone would give more.
	if loudest < 1e-9 {
		return false
	}
	floor := loudest * math.Pow(10, -depth/10.0)
	sorted := slices.Clone(total)
	slices.Sort(sorted)
	enough := sorted[n*95/100] * math.Pow(10, -quiet/10.0)
	for i := range n {
		s.active[i] = total[i] > enough
		for b, v := range raw[i] {
			s.mel[i][b] = float32(10 * math.Log10(max(v, floor)/loudest))
		}
		for c := range cepstra {
			var sum float64
			for b, v := range s.mel[i] {
				sum += t.cosines[c][b] * float64(v)
			}
			s.cep[i][c] = float32(sum)
		}
	}
	return true
}

func (s *sound) melMeans(out []float32) {
	statistics(len(s.mel), func(i int) []float32 { return s.kept(i, s.mel[i][:]) }, out, nil)
}

func (s *sound) melSpreads(out []float32) {
	statistics(len(s.mel), func(i int) []float32 { return s.kept(i, s.mel[i][:]) }, nil, out)
}

func (s *sound) cepstrumMeans(out []float32) {
	statistics(len(s.cep), func(i int) []float32 { return s.kept(i, s.cep[i][:]) }, out, nil)
}

func (s *sound) cepstrumSpreads(out []float32) {
	statistics(len(s.cep), func(i int) []float32 { return s.kept(i, s.cep[i][:]) }, nil, out)
}

// deltaSpreads are the spreads of the MFCCs' slopes, by regression over nine frames
// (The HTK Book, equation 5.16).
func (s *sound) deltaSpreads(out []float32) {
	const reach = 4
	var delta [cepstra]float32
	statistics(len(s.cep), func(i int) []float32 {
		if !s.active[i] || i < reach || i >= len(s.cep)-reach {
			return nil
		}
		for c := range delta {
			var sum float32
			for k := 1; k <= reach; k++ {
				sum += float32(k) * (s.cep[i+k][c] - s.cep[i-k][c])
			}
			delta[c] = sum
		}
		return delta[:]
	}, nil, out)
}

func (s *sound) kept(i int, v []float32) []float32 {
	if !s.active[i] {
		return nil
	}
	return v
}

// statistics writes means and standard deviations of the rows that are not nil, if
// wanted.
func statistics(n int, row func(int) []float32, means, spreads []float32) {
	dim := max(len(means), len(spreads))
	sum, squares := make([]float64, dim), make([]float64, dim)
	count := 0.0
	for i := range n {
		v := row(i)
		if v == nil {
			continue
		}
		count++
		for k, x := range v {
			sum[k] += float64(x)
			squares[k] += float64(x) * float64(x)
		}
	}
	if count == 0 {
		return
	}
	for k := range dim {
		mean := sum[k] / count
		if means != nil {
			means[k] = float32(mean)
		}
		if spreads != nil {
			spreads[k] = float32(math.Sqrt(max(squares[k]/count-mean*mean, 0)))
		}
	}
}
