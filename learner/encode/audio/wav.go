package audio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"kilim/learner/encode/feature"
)

// Encodings of samples (Microsoft, "Multiple channel audio data and WAVE files",
// and RFC 2361, appendix A).
const (
	wavPCM        = 1
	wavFloat      = 3
	wavALaw       = 6
	wavMuLaw      = 7
	wavExtensible = 0xfffe
)

// wav reads RIFF WAVE, and its 64-bit forms RF64 and BW64 (EBU Tech 3306). The
// libraries at hand know neither floating point nor those.
type wav struct {
	s        shape
	data     []byte
	sample   func([]byte) float32
	width    int // bytes of a sample
	out, raw []float32
}

const wavChunk = 8192 // frames a call

func openWAV(b []byte) (stream, error) {
	w := &wav{}
	var long int64 = -1 // the data chunk's size by the ds64 chunk
	for at := 12; at+8 <= len(b); {
		id, size := string(b[at:at+4]), int64(binary.LittleEndian.Uint32(b[at+4:]))
		body := b[at+8:]
		switch id {
		case "ds64":
			if len(body) < 16 {
				return nil, truncated("a ds64 chunk of %d bytes", len(body))
			}
			long = int64(binary.LittleEndian.Uint64(body[8:]))
		case "fmt ":
			if size < 16 || size > int64(len(body)) {
				return nil, fmt.Errorf("a format chunk of %d bytes", size)
			}
			if err := w.format(body[:size]); err != nil {
				return nil, err
			}
		case "data":
			if w.sample == nil {
				return nil, errors.New("no format chunk before the data")
			}
			return w, w.take(body, size, long)
		}
		// Chunks are padded to even lengths.
		next := int64(at) + 8 + size + size&1
		if next > int64(len(b)) {
			return nil, truncated("a chunk %q of %d bytes, %d are there", id, size, len(body))
		}
		at = int(next)
	}
	return nil, truncated("no data chunk")
}

// take keeps the data chunk. Programs that write to a pipe cannot know its size and
// say 0 or the largest number: then it goes to the end.
func (w *wav) take(body []byte, size, long int64) error {
	const unknown = math.MaxUint32
	switch {
	case size == unknown && long >= 0:
		size = long
	case size == unknown, size == 0 && len(body) > 0:
		size = int64(len(body))
	}
	if size < 0 || size > int64(len(body)) {
		return truncated("%d bytes of sound, %d are there", size, len(body))
	}
	w.data = body[:size]
	return nil
}

func (w *wav) format(b []byte) error {
	le := binary.LittleEndian
	tag, bits := le.Uint16(b), int(le.Uint16(b[14:]))
	w.s = shape{rate: int(le.Uint32(b[4:])), channels: int(le.Uint16(b[2:]))}
	if tag == wavExtensible && len(b) >= 40 {
		tag = le.Uint16(b[24:])
	}
	w.width = (bits + 7) / 8
	switch {
	case tag == wavPCM && bits == 8:
		w.sample = func(b []byte) float32 { return (float32(b[0]) - 128) / 128 }
	case tag == wavPCM && w.width == 2:
		w.sample = func(b []byte) float32 { return float32(int16(le.Uint16(b))) / (1 << 15) }
	case tag == wavPCM && w.width == 3:
		w.sample = func(b []byte) float32 {
			return float32(int32(uint32(b[0])<<8|uint32(b[1])<<16|uint32(b[2])<<24)) / (1 << 31)
		}
	case tag == wavPCM && w.width == 4:
		w.sample = func(b []byte) float32 { return float32(int32(le.Uint32(b))) / (1 << 31) }
	case tag == wavFloat && bits == 32:
		w.sample = func(b []byte) float32 { return math.Float32frombits(le.Uint32(b)) }
	case tag == wavFloat && bits == 64:
		w.sample = func(b []byte) float32 { return float32(math.Float64frombits(le.Uint64(b))) }
	case tag == wavALaw && bits == 8:
		w.sample = aLaw
	case tag == wavMuLaw && bits == 8:
		w.sample = muLaw
	default:
		return feature.Refuse(feature.ReasonUnsupported, "WAV: encoding %d with %d bits", tag, bits)
	}
	if align := int(le.Uint16(b[12:])); align != w.width*w.s.channels {
		return fmt.Errorf("%d bytes a frame, want %d for %d channels of %d bits", align, w.width*w.s.channels, w.s.channels, bits)
	}
	return nil
}

func (w *wav) shape() shape { return w.s }

func (w *wav) next() ([]float32, error) {
	frame := w.width * w.s.channels
	n := min(len(w.data)/frame, wavChunk)
	if n == 0 {
		return nil, io.EOF
	}
	w.raw = w.raw[:0]
	for at := 0; at < n*frame; at += w.width {
		v := w.sample(w.data[at:])
		if !(v > -loudest && v < loudest) { // also NaN
			return nil, fmt.Errorf("a sample of %v", v)
		}
		w.raw = append(w.raw, v)
	}
	w.data = w.data[n*frame:]
	w.out = mix(w.out, w.raw, w.s.channels)
	return w.out, nil
}

// loudest bounds floating-point samples: 40 dB over full scale is no sound.
const loudest = 100

// aLaw and muLaw expand ITU-T G.711, tables 1 and 2: a sign, three bits of
// exponent and four of mantissa.
func aLaw(b []byte) float32 {
	v := b[0] ^ 0x55
	exponent, mantissa := v>>4&7, int(v&15)
	m := mantissa*2 + 1
	if exponent > 0 {
		m = (m + 32) << (exponent - 1)
	}
	if v&0x80 == 0 {
		m = -m
	}
	return float32(m) / (1 << 12)
}

func muLaw(b []byte) float32 {
	const bias = 33
	v := ^b[0]
	m := (int(v&15)*2+bias)<<(v>>4&7) - bias
	if v&0x80 != 0 {
		m = -m
	}
	return float32(m) / (1 << 13)
}
