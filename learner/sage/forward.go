package sage

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas/blas32"
)

// Input is a node on its way through a layer.
type Input struct {
	Self     []float32 // h, of length Width
	Messages []Message
}

// Message is the mean of the neighbours of one relation.
type Message struct {
	Relation int
	Mean     []float32 // of length Width
}

// Lengths are the caller's to get right: they follow from the configuration, not from data.
func must(what string, have, want int) {
	if have != want {
		panic(fmt.Sprintf("sage: %s has length %d, want %d", what, have, want))
	}
}

// Input writes h0 of a node of the given type to out. Nil features, or
// features that are all zero, are absent ones.
func (m *Model) Input(features []float32, typ int, out []float32) {
	must("out", len(out), m.cfg.Width)
	if typ < 0 || typ >= m.cfg.Types {
		panic(fmt.Sprintf("sage: type %d, the model has %d", typ, m.cfg.Types))
	}
	if absent(features) {
		copy(out, m.absent)
	} else {
		must("features", len(features), m.cfg.Features)
		copy(out, product(features, m.in).Data)
	}
	for i, t := range row(m.types, typ) {
		out[i] += t
	}
	normalize(out)
}

func absent(features []float32) bool {
	for _, x := range features {
		if x != 0 {
			return false
		}
	}
	return true
}

// Layer computes a layer (from 0) for a batch of nodes; out[i] has length Width.
func (m *Model) Layer(l int, in []Input, out [][]float32) {
	must("out", len(out), len(in))
	if len(in) == 0 {
		return
	}
	w, bases := m.cfg.Width, m.cfg.Bases
	ly := m.layers[l]
	rows := make([]float32, len(in)*(1+bases)*w)
	for i, n := range in {
		must("self", len(n.Self), w)
		r := rows[i*(1+bases)*w : (i+1)*(1+bases)*w]
		copy(r, n.Self)
		for _, msg := range n.Messages {
			must("mean", len(msg.Mean), w)
			for b, c := range row(ly.coefficients, msg.Relation) {
				axpy(c, msg.Mean, r[(1+b)*w:(2+b)*w])
			}
		}
		// Many relations must not shout louder than few.
		if k := len(n.Messages); k > 1 {
			scale := float32(1 / math.Sqrt(float64(k)))
			for j := range r[w:] {
				r[w+j] *= scale
			}
		}
	}
	p := product(rows, ly.weights)
	for i, n := range in {
		must("out", len(out[i]), w)
		h := row(p, i)
		for j, x := range h {
			h[j] = max(x, 0)
		}
		normalize(h)
		for j, x := range h {
			out[i][j] = gain*x + n.Self[j]
		}
	}
}

// Output writes the embedding of a node to out: a unit vector.
func (m *Model) Output(h2, h0, out []float32) {
	must("h2", len(h2), m.cfg.Width)
	must("h0", len(h0), m.cfg.Width)
	must("out", len(out), m.cfg.Embedding)
	both := make([]float32, 0, 2*m.cfg.Width)
	both = append(append(both, h2...), h0...)
	copy(out, product(both, m.out).Data)
	var n float64
	for _, x := range out {
		n += float64(x) * float64(x)
	}
	scale := float32(1 / math.Sqrt(max(n, 1e-20)))
	for i := range out {
		out[i] *= scale
	}
}

// normalize is layer normalization without gain and bias (Ba, Kiros, Hinton 2016): mean 0, variance 1.
func normalize(v []float32) {
	var sum float64
	for _, x := range v {
		sum += float64(x)
	}
	mean := sum / float64(len(v))
	var square float64
	for _, x := range v {
		d := float64(x) - mean
		square += d * d
	}
	scale := 1 / math.Sqrt(square/float64(len(v))+1e-5)
	for i, x := range v {
		v[i] = float32((float64(x) - mean) * scale)
	}
}

func axpy(a float32, x, y []float32) {
	blas32.Axpy(a, blas32.Vector{N: len(x), Inc: 1, Data: x}, blas32.Vector{N: len(y), Inc: 1, Data: y})
}
