package hostile

import (
	"encoding/binary"
	"fmt"
	"math"
)

// sounds are recordings that say what can't be, and such of noise, silence and extremes.
func sounds(g *Generator, r *Record) {
	channels := pick[uint16](g, 1, 2, 1, 2, 0, 8, 65535)
	rate := pick[uint32](g, 8000, 22050, 44100, 192_000, 0, 1, math.MaxUint32)
	bits := pick[uint16](g, 16, 8, 24, 32, 0, 1, 12, 64, 65535)
	b := wav(channels, rate, bits, pick(g, 0, 1, 100, 30_000))
	if g.one(2) {
		copy(b[44:], g.bytes(len(b)-44))
	}
	if g.one(2) { // lengths that are not so
		binary.LittleEndian.PutUint32(b[pick(g, 4, 16, 40):], pick(g, 0, math.MaxUint32, math.MaxInt32, g.rng.Uint32()))
	}
	if g.one(4) { // samples as floating point numbers
		b[20] = 3
	}
	r.Note = fmt.Sprintf("a WAV of %d channels, %d Hz, %d bits, %d bytes", channels, rate, bits, len(b))
	if g.one(4) {
		head := pick(g, "OggS\x00\x02", "fLaC\x00\x00\x00\x22", "ID3\x04\x00\x00\x7f\x7f\x7f\x7f", "\xff\xfb\x90\x00", "FORM\xff\xff\xff\xffAIFF", "RF64\xff\xff\xff\xffWAVE", "OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00OpusHead")
		b = append([]byte(head), g.bytes(g.size(8000))...)
		r.Note = fmt.Sprintf("a recording that begins with %q, and %d random bytes", head, len(b)-len(head))
	}
	g.send(r, `"media":[`+g.inline("audio", b)+`]`)
}

// wav is a recording of PCM samples.
func wav(channels uint16, rate uint32, bits uint16, n int) []byte {
	b := append([]byte("RIFF"), 0, 0, 0, 0)
	b = append(b, "WAVEfmt \x10\x00\x00\x00\x01\x00"...)
	b = binary.LittleEndian.AppendUint16(b, channels)
	b = binary.LittleEndian.AppendUint32(b, rate)
	b = binary.LittleEndian.AppendUint32(b, rate*uint32(channels)*uint32(bits/8))
	b = binary.LittleEndian.AppendUint16(b, channels*(bits/8))
	b = binary.LittleEndian.AppendUint16(b, bits)
	b = append(b, "data"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(n))
	for i := range n {
		b = append(b, byte(100*math.Sin(float64(i)/9)))
	}
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-8))
	return b
}
