package sage

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"

	"kilim/learner/simd"
)

// Config is the shape of a model. Every size is at least 1.
type Config struct {
	Features  int // length of a feature vector
	Width     int // length of h in every layer
	Embedding int // length of E
	Bases     int // matrices that a layer's relations share
	Layers    int
	Relations int // relation indices are below it
	Types     int // type indices are below it
	Seed      uint64
}

func (c Config) validate() error {
	var errs []error
	for _, f := range []struct {
		name  string
		value int
	}{
		{"features", c.Features}, {"width", c.Width}, {"embedding", c.Embedding}, {"bases", c.Bases},
		{"layers", c.Layers}, {"relations", c.Relations}, {"types", c.Types},
	} {
		if f.value < 1 || f.value > maxSize {
			errs = append(errs, fmt.Errorf("sage: %s %d: must be in 1..%d", f.name, f.value, maxSize))
		}
	}
	return errors.Join(errs...)
}

const maxSize = 1 << 14

// Model is immutable and safe for concurrent use.
type Model struct {
	cfg    Config
	blas   blas.Float32
	in     blas32.General // Features x Width
	absent []float32      // Width, for a node without features
	types  blas32.General // Types x Width
	layers []layer
	out    blas32.General // 2*Width x Embedding: W_out above W_skip
	print  string
	blocks sync.Pool // of *block
}

type layer struct {
	// weights is (1+Bases)*Width x Width: W_self above V_1 .. V_B, so that a layer
	// is one product with the rows [h | mix_1 | ... | mix_B].
	weights blas32.General
	// coefficients is Relations x Bases.
	coefficients blas32.General
}

// New makes the model of a seed, computing with the fastest kernels there are.
func New(cfg Config) (*Model, error) { return NewWith(cfg, simd.New()) }

// NewWith is New with an implementation of BLAS. For the guarantee of the
// package its Sgemm must accumulate each element alone, in one order, and its
// Saxpy must not depend on addresses; gonum's and simd's do so.
func NewWith(cfg Config, impl blas.Float32) (*Model, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if impl == nil {
		return nil, errors.New("sage: no BLAS implementation")
	}
	w := weightSource{rand.New(rand.NewPCG(cfg.Seed, 0x5a6e))}
	m := &Model{cfg: cfg, blas: impl}
	// A feature vector has length 1: its image has about 1 in each coordinate.
	m.in = scaled(w.orthogonal(cfg.Features, cfg.Width), math.Sqrt(float64(max(cfg.Features, cfg.Width))))
	m.absent = w.normal(1, cfg.Width, absentDeviation).Data
	m.types = w.normal(cfg.Types, cfg.Width, typeDeviation)
	for range cfg.Layers {
		m.layers = append(m.layers, w.layer(cfg))
	}
	project := w.orthogonal(cfg.Width, cfg.Embedding)
	m.out = stack(project, scaled(project, skip))
	m.print = m.fingerprint()
	m.blocks.New = func() any { return newBlock(cfg) }
	return m, nil
}

// Width is the length of h.
func (m *Model) Width() int { return m.cfg.Width }

// EmbeddingDim is the length of E.
func (m *Model) EmbeddingDim() int { return m.cfg.Embedding }

// Fingerprint identifies shape and weights, 16 hexadecimal digits.
func (m *Model) Fingerprint() string { return m.print }

func (m *Model) fingerprint() string {
	h := sha256.New()
	fmt.Fprintf(h, "sage 2 %+v gain %v\n", m.cfg, gain)
	parts := [][]float32{m.in.Data, m.absent, m.types.Data, m.out.Data}
	for _, l := range m.layers {
		parts = append(parts, l.weights.Data, l.coefficients.Data)
	}
	for _, p := range parts {
		b := make([]byte, 0, 4*len(p))
		for _, x := range p {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
		}
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

func row(m blas32.General, i int) []float32 { return m.Data[i*m.Stride : i*m.Stride+m.Cols] }
