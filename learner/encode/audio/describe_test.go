package audio

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

func TestVectorIsWhole(t *testing.T) {
	t.Parallel()
	e := encoder(t, Limits{})
	v := vector(t, e, sample(t)["WAV"])
	if id := e.Identity(); id.Dim != Dim || len(v) != Dim || id.Name == "" || id.Version == 0 {
		t.Errorf("%d numbers, identity %v", len(v), id)
	}
	sum, dim := 0.0, 0
	for i, b := range e.Blocks() {
		var squared, mean float64
		for _, x := range part(t, e, v, b.Name) {
			squared += float64(x) * float64(x)
			mean += float64(x) / float64(b.Dim)
		}
		if math.Abs(squared-e.blocks[i].weight) > 1e-4 || math.Abs(mean) > 1e-5 {
			t.Errorf("%s: squared length %.4f and mean %.6f, want %.4f and 0", b.Name, squared, mean, e.blocks[i].weight)
		}
		sum, dim = sum+squared, dim+b.Dim
	}
	if math.Abs(sum-1) > 1e-4 || dim != Dim {
		t.Errorf("squared length %v, blocks of %d numbers", sum, dim)
	}
}

func TestSameBytesSameVector(t *testing.T) {
	t.Parallel()
	e := encoder(t, Limits{})
	data := sample(t)["MP3"]
	want := vector(t, e, data)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			v, err := e.Encode(data)
			if err != nil || !slices.Equal(v, want) {
				t.Errorf("another vector, %v", err)
			}
		})
	}
	wg.Wait()
}

// The pitch of a voice is found to a tenth of a comma, also under noise.
func TestPitchIsFound(t *testing.T) {
	t.Parallel()
	tables := newTables()
	for _, hz := range []float64{82, 147, 220, 311, 523, 880} {
		for _, noise := range []float64{0, 0.05} {
			v := voice{rate: workRate, tonic: hz, note: 0.6, harmonics: []float64{0.7, 1, 0.6, 0.3, 0.2}, noise: noise}
			s := listen(v.sing(0), tables)
			want := commas * math.Log2(hz/440)
			var found []float64
			for _, p := range s.track {
				if !math.IsNaN(p) {
					found = append(found, math.Abs(p-want))
				}
			}
			slices.Sort(found)
			if len(found) < len(s.track)/2 {
				t.Errorf("%.0f Hz, noise %.2f: a pitch in %d of %d frames", hz, noise, len(found), len(s.track))
				continue
			}
			if off := found[len(found)*9/10]; off > 0.35 {
				t.Errorf("%.0f Hz, noise %.2f: 9 of 10 frames are within %.2f commas", hz, noise, off)
			}
		}
	}
}

// The difference function by Fourier transform is the plain sum of equation 6.
func TestYINAgainstThePlainSum(t *testing.T) {
	t.Parallel()
	x := voice{rate: pitchRate, tonic: 260, note: 0.2, harmonics: []float64{1, 0.5}, noise: 0.1}.sing(0)[200:][:pitchWindow+longestLag+1]
	y := newYIN()
	y.pitch(x)
	running := 0.0
	for lag := 1; lag <= longestLag; lag++ {
		var d float64
		for i := range pitchWindow {
			diff := float64(x[i]) - float64(x[i+lag])
			d += diff * diff
		}
		running += d
		if want := d * float64(lag) / running; math.Abs(y.difference[lag]-want) > 1e-6*(1+want) {
			t.Fatalf("lag %d: %v, by the plain sum %v", lag, y.difference[lag], want)
		}
	}
}

func TestNoiseHasNoPitch(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	noise := make([]float32, 2*workRate)
	for i := range noise {
		noise[i] = float32(0.2 * rng.NormFloat64())
	}
	s := listen(noise, newTables())
	voiced := 0
	for _, p := range s.track {
		if !math.IsNaN(p) {
			voiced++
		}
	}
	if voiced*20 > len(s.track) {
		t.Errorf("noise has a pitch in %d of %d frames", voiced, len(s.track))
	}
	// And still it is described: the blocks of pitch are empty.
	e := encoder(t, Limits{})
	vec := vector(t, e, asWAV(noise, workRate))
	if p := part(t, e, vec, "interval"); slices.Max(p) != 0 || slices.Min(p) != 0 {
		t.Errorf("intervals of noise: %v", p)
	}
}

// Melodies in two makam-like scales that differ by commas only: rast has its third at 17 commas,
// nihavent at 13 (Ezgi and Arel).
var (
	rast     = []float64{0, 9, 17, 22, 31, 40, 48, 53}
	nihavent = []float64{0, 9, 13, 22, 31, 35, 44, 53}
)

// walk is a melody in a scale that ends on the tonic, and stays there.
func walk(scale []float64, degrees ...int) []float64 {
	var out []float64
	for _, d := range degrees {
		out = append(out, scale[d])
	}
	return append(out, scale[1], scale[0], scale[0])
}

func TestTonicAndScale(t *testing.T) {
	t.Parallel()
	tables := newTables()
	for _, tonic := range []float64{110, 147.3, 196, 233} {
		v := plainVoice()
		v.rate, v.tonic = workRate, tonic
		s := listen(v.sing(walk(rast, 0, 1, 2, 1, 2, 3, 4, 3, 2, 5, 4, 2, 0, 1)...), tables)
		want := commas * math.Log2(tonic/440)
		if off := math.Remainder(s.tonic-want, commas); math.Abs(off) > 0.5 {
			t.Errorf("tonic of %.1f Hz: off by %.2f commas", tonic, off)
			continue
		}
		var h [commas]float32
		s.pitchClasses(h[:])
		var on, all float64
		for i, x := range h {
			all += float64(x)
			for _, degree := range rast {
				if math.Abs(math.Remainder(float64(i)-degree, commas)) <= 1 {
					on += float64(x)
					break
				}
			}
		}
		if on < 0.9*all {
			t.Errorf("tonic of %.1f Hz: %.2f of the sound lies on the scale", tonic, on/all)
		}
	}
}

// Another melody in the same scale, higher and by another voice, is nearer than the same
// melody in a scale that differs by four commas in three degrees.
func TestScaleOutlivesKeyAndMelody(t *testing.T) {
	t.Parallel()
	e := encoder(t, Limits{})
	low, high := plainVoice(), plainVoice()
	high.tonic, high.harmonics = 247, []float64{1, 0.2, 0.3}
	first, second := []int{0, 1, 2, 3, 4, 3, 2, 5, 4, 2, 1}, []int{4, 3, 2, 1, 2, 3, 5, 4, 2, 0, 1, 2}
	of := func(v voice, scale []float64, degrees []int) []float32 {
		return part(t, e, vector(t, e, asWAV(v.sing(walk(scale, degrees...)...), v.rate)), "pitch")
	}
	for name, scales := range map[string][2][]float64{"rast": {rast, nihavent}, "nihavent": {nihavent, rast}} {
		a := of(low, scales[0], first)
		same, other := cosine(a, of(high, scales[0], second)), cosine(a, of(high, scales[1], first))
		if same <= other {
			t.Errorf("%s: the same scale %.3f, the other %.3f", name, same, other)
		}
	}
}

func TestMovesAreCounted(t *testing.T) {
	t.Parallel()
	v := plainVoice()
	v.rate = workRate
	s := listen(v.sing(0, 9, 0, 9, 22, 0), newTables())
	var out [moveDim]float32
	s.moves(out[:])
	near := func(move int) (sum float32) {
		for k := -1; k <= 1; k++ {
			sum += out[move+moveReach+k]
		}
		return sum
	}
	for move, want := range map[int]float32{9: 2, -9: 1, 13: 1, -22: 1} {
		if got := near(move); math.Abs(float64(got-want)) > 0.1 {
			t.Errorf("%d times by %d commas, want %v", int(got), move, want)
		}
	}
}

// clicks are beats of a drum.
func clicks(perSecond, seconds float64) []float32 {
	out := make([]float32, int(seconds*workRate))
	for n := 0.1; n < seconds; n += 1 / perSecond {
		for i := range 2000 {
			if at := int(n*workRate) + i; at < len(out) {
				out[at] += float32(math.Exp(-float64(i)/300) * math.Sin(float64(i)*0.05*(1+float64(i%7))))
			}
		}
	}
	return out
}

func TestRhythmIsFound(t *testing.T) {
	t.Parallel()
	tables := newTables()
	for _, rate := range []float64{1, 2.5, 4} {
		s := listen(clicks(rate, 20), tables)
		var onsets [onsetDim]float32
		s.onsetRate(onsets[:])
		var at float64
		for i, v := range onsets {
			at += float64(i) * float64(v)
		}
		heard := slowOnset * math.Pow(fastOnset/slowOnset, at/(onsetDim-1))
		if math.Abs(heard/rate-1) > 0.1 {
			t.Errorf("%v beats a second: heard %.2f", rate, heard)
		}
		var tempo [tempoDim]float32
		s.tempogram(tempo[:])
		best := 0
		for i, v := range tempo {
			if v > tempo[best] {
				best = i
			}
		}
		// The strongest lag is the beat's, or a multiple of it.
		lag := shortBeat * math.Pow(longBeat/shortBeat, (float64(best)+0.5)/tempoDim)
		if off := math.Abs(math.Remainder(lag*rate, 1)); off > 0.08*max(lag*rate, 1) {
			t.Errorf("%v beats a second: the strongest lag is %.3f s", rate, lag)
		}
	}
}

// Loudness and what the recordist left before and after do not matter.
func TestLoudnessAndPausesAreLeftOut(t *testing.T) {
	t.Parallel()
	e := encoder(t, Limits{})
	v := plainVoice()
	song := v.sing(walk(rast, 0, 1, 2, 3, 4, 3, 2, 5, 4, 2, 1)...)
	want := vector(t, e, asWAV(song, v.rate))
	soft := make([]float32, len(song))
	for i, x := range song {
		soft[i] = x / 8
	}
	if c := cosine(want, vector(t, e, asWAV(soft, v.rate))); c < 0.99 {
		t.Errorf("18 dB softer: cosine %.3f", c)
	}
	pauses := slices.Concat(make([]float32, v.rate/2), song, make([]float32, v.rate/2))
	if c := cosine(want, vector(t, e, asWAV(pauses, v.rate))); c < 0.9 {
		t.Errorf("with half a second of silence at both ends: cosine %.3f", c)
	}
}

func BenchmarkEncode(b *testing.B) {
	e := encoder(b, Limits{})
	data := asWAV(plainVoice().sing(walk(rast, 0, 1, 2, 3, 4, 3, 2, 5, 4, 2, 1, 2, 3, 4, 5, 6, 5, 4, 3, 2, 1, 0)...), 16000)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := e.Encode(data); err != nil {
			b.Fatal(err)
		}
	}
}
