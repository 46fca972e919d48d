package sage

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
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
		if f.value < 1 {
			errs = append(errs, fmt.Errorf("sage: %s %d: must be 1 or more", f.name, f.value))
		}
	}
	return errors.Join(errs...)
}

// gain is g: what a layer adds to its residual.
const gain = 0.5

// Model is immutable and safe for concurrent use.
type Model struct {
	cfg    Config
	in     blas32.General // Features x Width
	absent []float32      // Width, for a node without features
	types  blas32.General // Types x Width
	layers []layer
	out    blas32.General // 2*Width x Embedding: W_out above W_skip
	print  string
}

type layer struct {
	// weights is (1+Bases)*Width x Width: W_self above V_1 .. V_B, so that a layer
	// is one product with the rows [h | mix_1 | ... | mix_B].
	weights blas32.General
	// coefficients is Relations x Bases.
	coefficients blas32.General
}

// New makes the model of a seed.
func New(cfg Config) (*Model, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	w := weightSource{rand.New(rand.NewPCG(cfg.Seed, 0x5a6e))}
	m := &Model{cfg: cfg}
	m.in = w.matrix(cfg.Features, cfg.Width, 1/math.Sqrt(float64(cfg.Features)))
	m.absent = w.matrix(1, cfg.Width, 0.1).Data
	// A type says little beside the features: it must not make all carpets alike.
	m.types = w.matrix(cfg.Types, cfg.Width, 0.02)
	for range cfg.Layers {
		l := layer{
			weights:      w.matrix((1+cfg.Bases)*cfg.Width, cfg.Width, 1/math.Sqrt(float64(cfg.Width))),
			coefficients: w.matrix(cfg.Relations, cfg.Bases, 1/math.Sqrt(float64(cfg.Bases))),
		}
		m.layers = append(m.layers, l)
	}
	m.out = w.matrix(2*cfg.Width, cfg.Embedding, 1/math.Sqrt(float64(2*cfg.Width)))
	m.print = m.fingerprint()
	return m, nil
}

type weightSource struct{ rng *rand.Rand }

func (w weightSource) matrix(rows, cols int, deviation float64) blas32.General {
	m := blas32.General{Rows: rows, Cols: cols, Stride: cols, Data: make([]float32, rows*cols)}
	for i := range m.Data {
		m.Data[i] = float32(w.rng.NormFloat64() * deviation)
	}
	return m
}

// Width is the length of h.
func (m *Model) Width() int { return m.cfg.Width }

// EmbeddingDim is the length of E.
func (m *Model) EmbeddingDim() int { return m.cfg.Embedding }

// Fingerprint identifies shape and weights.
func (m *Model) Fingerprint() string { return m.print }

func (m *Model) fingerprint() string {
	h := sha256.New()
	fmt.Fprintf(h, "%+v gain %v\n", m.cfg, gain)
	parts := []blas32.General{m.in, {Data: m.absent}, m.types, m.out}
	for _, l := range m.layers {
		parts = append(parts, l.weights, l.coefficients)
	}
	for _, p := range parts {
		b := make([]byte, 0, 4*len(p.Data))
		for _, x := range p.Data {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
		}
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

func row(m blas32.General, i int) []float32 { return m.Data[i*m.Stride : i*m.Stride+m.Cols] }

// product is a*b, a in rows of b's height.
func product(a []float32, b blas32.General) blas32.General {
	n := len(a) / b.Rows
	c := blas32.General{Rows: n, Cols: b.Cols, Stride: b.Cols, Data: make([]float32, n*b.Cols)}
	blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, blas32.General{Rows: n, Cols: b.Rows, Stride: b.Rows, Data: a}, b, 0, c)
	return c
}
