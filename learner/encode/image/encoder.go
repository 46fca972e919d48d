package image

import (
	"fmt"
	"math"

	"kilim/learner/encode/feature"
)

const (
	// workSide is the longer side, in pixels, at which pictures are described.
	workSide = 128
	// minSide keeps the other side of a strip from vanishing.
	minSide = 16
)

// Limits bound one picture. A zero field takes its default.
type Limits struct {
	Bytes  int   // of the file; default 64 MiB
	Pixels int   // by its header; default 48 Mi
	Memory int64 // bytes that decoding may take beside the file, told by the header; default 512 MiB
}

func (l Limits) withDefaults() (Limits, error) {
	for _, f := range []struct {
		name  string
		value int64
	}{{"bytes", int64(l.Bytes)}, {"pixels", int64(l.Pixels)}, {"memory", l.Memory}} {
		if f.value < 0 {
			return l, fmt.Errorf("image: limit %s = %d: must not be negative", f.name, f.value)
		}
	}
	if l.Bytes == 0 {
		l.Bytes = 64 << 20
	}
	if l.Pixels == 0 {
		l.Pixels = 48 << 20
	}
	if l.Memory == 0 {
		l.Memory = 512 << 20
	}
	return l, nil
}

// block is a part of the vector.
type block struct {
	name   string
	dim    int
	weight float64 // its share of the squared length
	fill   func(*planes, []float32)
	rooted bool // a histogram
}

// blocks weigh form several times colour: form is what a motif keeps when another culture takes it
// up, colour is what it changes.
func blocks() []block {
	return []block{
		{"color", colorDim, 0.15, (*planes).colors, true},
		{"hog", hogDim, 0.25, (*planes).hog, false},
		{"texture", textureDim, 0.5, (*planes).texture, true},
		{"symmetry", symmetryDim, 0.1, (*planes).symmetry, false},
	}
}

// Dim is the number of coordinates of a picture's vector.
const Dim = colorDim + hogDim + textureDim + symmetryDim

// Encoder describes pictures. It is immutable and safe for concurrent use.
type Encoder struct {
	lim    Limits
	blocks []block
}

// New returns an encoder with the given limits.
func New(lim Limits) (*Encoder, error) {
	lim, err := lim.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Encoder{lim: lim, blocks: blocks()}, nil
}

// Identity names the encoder.
func (e *Encoder) Identity() feature.Identity {
	return feature.Identity{Name: "kilim-image", Version: 2, Dim: Dim}
}

// Encode describes the picture in data: Dim numbers, of length 1. The error is a
// *feature.Refusal, and permanent: the same bytes will be refused again. Beyond
// the picture itself, which Limits bound, it takes about 3 MiB.
func (e *Encoder) Encode(data []byte) ([]float32, error) {
	data = afterPadding(data)
	img, format, err := decode(data, e.lim)
	if err != nil {
		return nil, err
	}
	p := newPlanes(img, orientation(data, format))
	out := make([]float32, Dim)
	rest := out
	for _, b := range e.blocks {
		part := rest[:b.dim]
		rest = rest[b.dim:]
		b.fill(p, part)
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
