package audio

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// pcm is a stream of samples that stand in a file one after another, as those of WAV and AIFF do.
type pcm struct {
	s      shape
	data   []byte
	width  int // bytes of a sample
	sample func([]byte) float32
	out    []float32
}

const pcmChunk = 8192 // frames a call

func (p *pcm) shape() shape { return p.s }

func (p *pcm) next() ([]float32, error) {
	frame := p.width * p.s.channels
	n := min(len(p.data)/frame, pcmChunk)
	if n == 0 {
		return nil, io.EOF
	}
	p.out = p.out[:0]
	for at := 0; at < n*frame; at += p.width {
		v := p.sample(p.data[at:])
		if !(v > -loudest && v < loudest) { // also NaN
			return nil, fmt.Errorf("a sample of %v", v)
		}
		p.out = append(p.out, v)
	}
	p.data = p.data[n*frame:]
	return p.out, nil
}

// loudest bounds floating-point samples: 40 dB over full scale is no sound.
const loudest = 100

// whole gives samples of whole numbers, of 2 to 4 bytes, and of 1 with a sign. Those of fewer bits are in the high ones.
func whole(width int, order binary.ByteOrder) func([]byte) float32 {
	switch width {
	case 1:
		return func(b []byte) float32 { return float32(int8(b[0])) / (1 << 7) }
	case 2:
		return func(b []byte) float32 { return float32(int16(order.Uint16(b))) / (1 << 15) }
	case 3:
		low, high := 0, 2
		if order == binary.ByteOrder(binary.BigEndian) {
			low, high = 2, 0
		}
		return func(b []byte) float32 {
			return float32(int32(uint32(b[low])<<8|uint32(b[1])<<16|uint32(b[high])<<24)) / (1 << 31)
		}
	case 4:
		return func(b []byte) float32 { return float32(int32(order.Uint32(b))) / (1 << 31) }
	}
	return nil
}

// unsigned gives samples of a byte whose silence is 128.
func unsigned(b []byte) float32 { return (float32(b[0]) - 128) / 128 }

// floating gives floating-point samples, of 4 or 8 bytes.
func floating(width int, order binary.ByteOrder) func([]byte) float32 {
	switch width {
	case 4:
		return func(b []byte) float32 { return math.Float32frombits(order.Uint32(b)) }
	case 8:
		return func(b []byte) float32 { return float32(math.Float64frombits(order.Uint64(b))) }
	}
	return nil
}

// unknownLength tells whether a program that writes to a pipe, and so can't know how much will follow, has left the
// largest number there, or one near it: sox 0x7ffff000, arecord 0x80000000, ffmpeg 0xffffffff.
func unknownLength(n int64) bool {
	const near = 1 << 16
	return n >= 1<<31-near && n <= 1<<31 || n >= 1<<32-near
}

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
