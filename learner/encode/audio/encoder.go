package audio

import (
	"fmt"
	"math"

	"kilim/learner/encode/feature"
)

// Limits bound one recording. A zero field takes its default.
type Limits struct {
	Bytes   int // of the file; default 64 MiB
	Seconds int // that are heard, from the beginning; default 120. What follows is not decoded.
}

func (l Limits) withDefaults() (Limits, error) {
	if l.Bytes < 0 {
		return l, fmt.Errorf("audio: limit bytes = %d: must not be negative", l.Bytes)
	}
	if l.Seconds < 0 || l.Seconds > maxSeconds {
		return l, fmt.Errorf("audio: limit seconds = %d: want 0..%d", l.Seconds, maxSeconds)
	}
	if l.Bytes == 0 {
		l.Bytes = 64 << 20
	}
	if l.Seconds == 0 {
		l.Seconds = 120
	}
	return l, nil
}

// maxSeconds, an hour, is beyond any piece: more would only take memory.
const maxSeconds = 3600

// block is a part of the vector.
type block struct {
	name   string
	dim    int
	weight float64 // its share of the squared length
	fill   func(*sound, []float32)
	rooted bool // a histogram
}

// blocks give half of the length to what is sung (scale and melody), a third to how it sounds and
// the rest to rhythm: the voice and the room of a recording say less of a tradition than its music.
func blocks() []block {
	return []block{
		{"logmel", bands, 0.06, (*sound).melMeans, false},
		{"logmel_spread", bands, 0.06, (*sound).melSpreads, false},
		{"mfcc", cepstra, 0.08, (*sound).cepstrumMeans, false},
		{"mfcc_spread", cepstra, 0.06, (*sound).cepstrumSpreads, false},
		{"mfcc_delta", cepstra, 0.06, (*sound).deltaSpreads, false},
		{"pitch", commas, 0.25, (*sound).pitchClasses, true},
		{"interval", intervalDim, 0.10, (*sound).intervals, false},
		{"melody", moveDim, 0.15, (*sound).moves, true},
		{"onset", onsetDim, 0.08, (*sound).onsetRate, true},
		{"tempogram", tempoDim, 0.10, (*sound).tempogram, false},
	}
}

// Dim is the number of coordinates of a recording's vector.
const Dim = 2*bands + 3*cepstra + commas + intervalDim + moveDim + onsetDim + tempoDim

// Encoder describes recordings. It is immutable and safe for concurrent use.
type Encoder struct {
	lim    Limits
	blocks []block
	tables *tables
}

// New returns an encoder with the given limits.
func New(lim Limits) (*Encoder, error) {
	lim, err := lim.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Encoder{lim: lim, blocks: blocks(), tables: newTables()}, nil
}

// Identity names the encoder.
func (e *Encoder) Identity() feature.Identity {
	return feature.Identity{Name: "kilim-audio", Version: 2, Dim: Dim}
}

// Encode describes the recording in data: Dim numbers, of length 1. The error is a
// *feature.Refusal, and permanent: the same bytes will be refused again. It takes
// some 200 KB of memory for each second that is heard.
func (e *Encoder) Encode(data []byte) ([]float32, error) {
	samples, err := decode(data, e.lim)
	if err != nil {
		return nil, err
	}
	if len(samples) < shortest {
		return nil, feature.Refuse(feature.ReasonTooShort, "%d ms of sound, at least %d are needed", 1000*len(samples)/workRate, 1000*shortest/workRate)
	}
	s := listen(samples, e.tables)
	if s == nil {
		return nil, feature.Refuse(feature.ReasonEmpty, "nothing but silence")
	}
	out := make([]float32, Dim)
	rest := out
	for _, b := range e.blocks {
		part := rest[:b.dim]
		rest = rest[b.dim:]
		b.fill(s, part)
		if b.rooted {
			feature.Root(part)
		}
		feature.Centre(part)
		feature.Scale(part, math.Sqrt(b.weight))
	}
	feature.Scale(out, 1)
	return out, nil
}

// Blocks are the names and sizes of the parts of a vector, in their order.
func (e *Encoder) Blocks() []Block {
	out := make([]Block, len(e.blocks))
	for i, b := range e.blocks {
		out[i] = Block{Name: b.name, Dim: b.dim}
	}
	return out
}

// Block is a part of a vector: one descriptor.
type Block struct {
	Name string
	Dim  int
}
