package audio

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func encoder(t testing.TB, lim Limits) *Encoder {
	t.Helper()
	e, err := New(lim)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func vector(t testing.TB, e *Encoder, data []byte) []float32 {
	t.Helper()
	v, err := e.Encode(data)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func cosine(a, b []float32) float64 {
	var dot, aa, bb float64
	for i := range a {
		dot += float64(a[i]) * float64(b[i])
		aa += float64(a[i]) * float64(a[i])
		bb += float64(b[i]) * float64(b[i])
	}
	return dot / math.Sqrt(aa*bb)
}

// part is a block of a vector.
func part(t testing.TB, e *Encoder, v []float32, name string) []float32 {
	t.Helper()
	for _, b := range e.Blocks() {
		if b.Name == name {
			return v[:b.Dim]
		}
		v = v[b.Dim:]
	}
	t.Fatalf("no block %q", name)
	return nil
}

// voice is how a melody sounds.
type voice struct {
	rate      int       // samples a second
	tonic     float64   // Hz
	note      float64   // seconds
	harmonics []float64 // amplitudes
	noise     float64
}

func plainVoice() voice {
	return voice{rate: 16000, tonic: 196, note: 0.2, harmonics: []float64{1, 0.6, 0.4, 0.2, 0.1}}
}

// sing is a melody of notes in commas above the tonic.
func (v voice) sing(notes ...float64) []float32 {
	rng := rand.New(rand.NewPCG(3, 5))
	var out []float32
	phase, loudest := 0.0, 0.0
	for _, h := range v.harmonics {
		loudest += h
	}
	for _, n := range notes {
		samples := int(v.note * float64(v.rate))
		for i := range samples {
			phase += 2 * math.Pi * v.tonic * math.Exp2(n/commas) / float64(v.rate)
			swell := min(1, float64(i)/(0.02*float64(v.rate)), float64(samples-i)/(0.04*float64(v.rate)))
			sum := v.noise * rng.NormFloat64()
			for k, h := range v.harmonics {
				sum += swell * h * math.Sin(float64(k+1)*phase) / loudest
			}
			out = append(out, float32(0.7*sum))
		}
	}
	return out
}

// asWAV is a mono file of 16 bits.
func asWAV(samples []float32, rate int) []byte {
	body := make([]byte, 0, 2*len(samples))
	for _, s := range samples {
		body = binary.LittleEndian.AppendUint16(body, uint16(int16(min(max(s, -1), 1)*32767)))
	}
	return wavFile(wavPCM, rate, 1, 16, body)
}

func wavFile(encoding, rate, channels, bits int, body []byte) []byte {
	le := binary.LittleEndian
	frame := channels * ((bits + 7) / 8)
	b := le.AppendUint32([]byte("RIFF"), uint32(36+len(body)))
	b = le.AppendUint32(append(b, "WAVEfmt "...), 16)
	b = le.AppendUint16(le.AppendUint16(b, uint16(encoding)), uint16(channels))
	b = le.AppendUint32(le.AppendUint32(b, uint32(rate)), uint32(rate*frame))
	b = le.AppendUint16(le.AppendUint16(b, uint16(frame)), uint16(bits))
	b = le.AppendUint32(append(b, "data"...), uint32(len(body)))
	return append(b, body...)
}

// tune is the melody of the files in testdata.
func tune() []float32 { return plainVoice().sing(0, 9, 17, 22, 31, 22, 9, 0) }

// sample is one melody in each format. Those other than WAV were written, from the WAV, by lame 3.100 (-m m -b
// 64), flac 1.4.2 (-8), oggenc 1.4.2 (-q 1) and opusenc 0.2 (--bitrate 32).
func sample(t testing.TB) map[string][]byte {
	t.Helper()
	out := map[string][]byte{"WAV": asWAV(tune(), 16000)}
	for name, file := range map[string]string{"MP3": "tune.mp3", "FLAC": "tune.flac", "Ogg Vorbis": "tune.ogg", "Ogg Opus": "tune.opus"} {
		data, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		out[name] = data
	}
	return out
}

// same wants a changed file to be heard as the good one, to the last bit.
func same(t *testing.T, e *Encoder, name string, good, changed []byte) {
	t.Helper()
	want, err := decode(good, e.lim)
	if err != nil {
		t.Fatal(err)
	}
	got, err := decode(changed, e.lim)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: another sound, of %d samples, want %d", name, len(got), len(want))
	}
}
