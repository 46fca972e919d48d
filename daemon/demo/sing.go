package demo

import (
	"encoding/binary"
)

// mode is a musical mode: a scale within an octave, in quarter tones above the
// tonic, and the degrees of its cadence.
type mode struct {
	name    name
	scale   []int
	cadence [3]int
}

func modes() []mode {
	return []mode{
		{name{"Irath", "ایراث"}, []int{0, 3, 7, 10, 14, 17, 20}, [3]int{2, 1, 0}},
		{name{"Selvun", "سلوون"}, []int{0, 4, 8, 14, 18}, [3]int{4, 2, 0}},
		{name{"Oduma", "اودوما"}, []int{0, 6, 10, 14, 20}, [3]int{3, 1, 0}},
		{name{"Mahirre", "مهیره"}, []int{0, 2, 8, 10, 14, 16, 20}, [3]int{2, 1, 0}},
		{name{"Tokeva", "توکوا"}, []int{0, 4, 6, 10, 14, 18, 20}, [3]int{4, 3, 0}},
		{name{"Lissan", "لیسان"}, []int{0, 4, 8, 12, 14, 18, 22}, [3]int{3, 4, 0}},
		{name{"Berune", "برونه"}, []int{0, 5, 10, 14, 19}, [3]int{4, 3, 0}},
		{name{"Zhalai", "ژالای"}, []int{0, 2, 6, 10, 13, 16, 20}, [3]int{3, 1, 0}},
	}
}

// note is one tone of a melody.
type note struct {
	quarters int // above the tonic
	samples  int
}

const (
	sampleRate  = 8000
	walkNotes   = 7
	longestNote = 1040
	lastNote    = 1700

	wavHeaderBytes = 44
)

// melody walks through the mode and ends with its cadence.
func melody(r *rng, m *mode) []note {
	at := []int{0, 2, 4}[r.n(3)]
	notes := make([]note, 0, walkNotes+len(m.cadence))
	add := func(degree, samples int) {
		octave := degree / len(m.scale)
		notes = append(notes, note{24*octave + m.scale[degree%len(m.scale)], samples})
	}
	for range walkNotes {
		add(at, r.in(760, longestNote))
		at += []int{-2, -1, 0, 1, 2}[r.weighted(2, 5, 1, 5, 2)]
		at = min(max(at, 0), len(m.scale))
	}
	for i, degree := range m.cadence {
		samples := r.in(760, longestNote)
		if i == len(m.cadence)-1 {
			samples = lastNote
		}
		add(degree, samples)
	}
	return notes
}

// tune is the melody of a recording, and its tonic in tenths of a hertz.
func (w *writer) tune(ordinal int, t *truth) (notes []note, tonic int) {
	r := stream(w.opt.Seed, ordinal, forMelody)
	tonic = r.in(1500, 2600)
	return melody(r, &w.modes[t.mode]), tonic
}

// sing is the recording: a WAV of 8 kHz, mono, 8 bits, 12 KB at most.
func (w *writer) sing(ordinal int, t *truth) []byte {
	notes, tonic := w.tune(ordinal, t)
	length := 0
	for _, n := range notes {
		length += n.samples
	}
	length &^= 1 // RIFF chunks have even lengths
	out := wavHeader(length)
	voice := w.cultures[t.culture].voice
	var phase uint32
	for _, n := range notes {
		step := uint32(uint64(tonic) * quarterTone(n.quarters) << 16 / (10 * sampleRate))
		for i := range n.samples {
			// A voice trembles, five times a second, by a hundredth.
			tremble := int64(triangle(uint32(i)*(1<<32/(sampleRate/5)))) * int64(step) / (100 << 15)
			phase += uint32(int64(step) + tremble)
			sum, loud := 0, 0
			for k, v := range voice {
				sum += v * sine(phase*uint32(k+1))
				loud += v
			}
			out = append(out, byte(128+sum*100/loud*envelope(i, n.samples)>>(15+8)))
		}
	}
	return out[:wavHeaderBytes+length]
}

// quarterTone is 2^(n/24) in 16 bits of fraction.
func quarterTone(n int) uint64 {
	return [24]uint64{
		65536, 67456, 69433, 71468, 73562, 75717, 77936, 80220, 82570, 84990, 87480, 90043,
		92682, 95398, 98193, 101070, 104032, 107080, 110218, 113448, 116772, 120194, 123715, 127341,
	}[n%24] << (n / 24)
}

// sine is a sine's near relation, two parabolas; phase is a full turn in 32
// bits, the result is within ±2^15.
func sine(phase uint32) int {
	half := int(phase >> 16 & 0x7fff)
	y := half * (0x8000 - half) >> 13
	if phase>>31 == 1 {
		return -y
	}
	return y
}

// triangle goes from -2^15 to 2^15 and back in a full turn.
func triangle(phase uint32) int {
	v := int(phase >> 15) // 0..2^17-1
	if v >= 1<<16 {
		v = 1<<17 - 1 - v
	}
	return v - 1<<15
}

// envelope swells and fades within a note; 256 is full.
func envelope(i, samples int) int {
	const swell = 120
	fade := samples / 3
	switch left := samples - i; {
	case i < swell:
		return 256 * i / swell
	case left < fade:
		return 256 * left / fade
	}
	return 256
}

// wavHeader is the RIFF header of 8-bit mono PCM (Multimedia Programming
// Interface and Data Specifications 1.0, 1991, "WAVE").
func wavHeader(samples int) []byte {
	b := make([]byte, 0, wavHeaderBytes+samples+1)
	b = append(b, "RIFF"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(wavHeaderBytes-8+samples))
	b = append(b, "WAVEfmt "...)
	for _, v := range [...]uint32{16, 1 | 1<<16, sampleRate, sampleRate, 1 | 8<<16} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	b = append(b, "data"...)
	return binary.LittleEndian.AppendUint32(b, uint32(samples))
}
