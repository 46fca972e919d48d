package model

import (
	"fmt"
	"math"
	"math/rand/v2"

	"kilim/learner/tape"
)

// Param is a matrix of weights.
type Param struct {
	Name       string
	Rows, Cols int
	Stage      string // the part of the model: "branch", "layer1".., "fusion", "head"
	Decay      bool   // whether weight decay applies: not to biases and norms
	From       int    // where it begins among all weights
}

func (p Param) size() int { return p.Rows * p.Cols }

// registry lays the parameters of a Config out in one run of memory. Each has a
// number, in the order of the calls.
type registry struct {
	params []Param
	fill   []func(*rand.Rand, []float32)
	total  int
}

func (g *registry) add(stage string, decay bool, rows, cols int, fill func(*rand.Rand, []float32), name string, args ...any) int {
	g.params = append(g.params, Param{fmt.Sprintf(name, args...), rows, cols, stage, decay, g.total})
	g.fill = append(g.fill, fill)
	g.total += rows * cols
	return len(g.params) - 1
}

func constant(v float32) func(*rand.Rand, []float32) {
	return func(_ *rand.Rand, w []float32) {
		for i := range w {
			w[i] = v
		}
	}
}

func normal(deviation float64) func(*rand.Rand, []float32) {
	return func(r *rand.Rand, w []float32) {
		for i := range w {
			w[i] = float32(r.NormFloat64() * deviation)
		}
	}
}

// linear is the numbers of a layer's weights and bias.
type linear struct{ w, b int }

func (g *registry) linear(stage string, in, out int, name string, args ...any) linear {
	name = fmt.Sprintf(name, args...)
	return linear{
		g.add(stage, true, in, out, normal(1/math.Sqrt(float64(in))), "%s.weight", name),
		g.add(stage, false, 1, out, constant(0), "%s.bias", name),
	}
}

func (g *registry) norm(stage string, width int, name string, args ...any) linear {
	name = fmt.Sprintf(name, args...)
	return linear{
		g.add(stage, false, 1, width, constant(1), "%s.gain", name),
		g.add(stage, false, 1, width, constant(0), "%s.bias", name),
	}
}

// layer is a layer of a branch.
type layer struct {
	self        linear
	bases, coef int
	norm        linear
}

type branch struct {
	input, skip linear
	layers      []layer
}

// Model is the shape of an encoder; its weights are in a Weights.
type Model struct {
	cfg        Config
	registry   registry
	branches   []branch
	n1, n2, n3 linear
	qkv, proj  linear
	up, down   linear
	gates      []linear
	head       [2]linear
}

// New lays out a model.
func New(cfg Config) (*Model, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	m := &Model{cfg: cfg}
	g, d := &m.registry, cfg.Width
	for _, mode := range cfg.Modalities {
		b := branch{input: g.linear("branch", mode.Features, d, "%s.input", mode.Name), skip: g.linear("branch", mode.Features, d, "%s.skip", mode.Name)}
		for l := range cfg.Layers {
			stage := fmt.Sprintf("layer%d", l+1)
			name := mode.Name + "." + stage
			b.layers = append(b.layers, layer{
				self:  g.linear(stage, d, d, "%s.self", name),
				bases: g.add(stage, true, cfg.Bases*d, d, normal(1/math.Sqrt(float64(cfg.Bases*d))), "%s.bases", name),
				coef:  g.add(stage, true, cfg.Relations, cfg.Bases, normal(1/math.Sqrt(float64(cfg.Bases))), "%s.coefficients", name),
				norm:  g.norm(stage, d, "%s.norm", name),
			})
		}
		m.branches = append(m.branches, b)
	}
	m.n1, m.n2, m.n3 = g.norm("fusion", d, "fusion.norm1"), g.norm("fusion", d, "fusion.norm2"), g.norm("fusion", d, "fusion.norm3")
	m.qkv, m.proj = g.linear("fusion", d, 3*d, "fusion.qkv"), g.linear("fusion", d, d, "fusion.proj")
	m.up, m.down = g.linear("fusion", d, 4*d, "fusion.up"), g.linear("fusion", 4*d, d, "fusion.down")
	for _, mode := range cfg.Modalities {
		m.gates = append(m.gates, g.linear("fusion", d, d, "fusion.gate.%s", mode.Name))
	}
	m.head = [2]linear{g.linear("head", d, d, "head.0"), g.linear("head", d, d, "head.1")}
	return m, nil
}

// Params lists the parameters in the order of their memory.
func (m *Model) Params() []Param { return m.registry.params }

// Size is the number of weights.
func (m *Model) Size() int { return m.registry.total }

// Weights are the values of a model's parameters, and their gradients if any.
type Weights struct {
	Data, Grad []float32
	matrices   []tape.Matrix
}

// Init returns the weights of the model's seed, with gradients.
func (m *Model) Init() *Weights {
	data := make([]float32, m.Size())
	r := rand.New(rand.NewPCG(m.cfg.Seed, 0x6d0de1))
	for i, p := range m.registry.params {
		m.registry.fill[i](r, data[p.From:p.From+p.size()])
	}
	w, _ := m.Weights(data, make([]float32, m.Size()))
	return w
}

// Weights wraps data, of length Size; grad may be nil: then there are none.
func (m *Model) Weights(data, grad []float32) (*Weights, error) {
	if len(data) != m.Size() || grad != nil && len(grad) != m.Size() {
		return nil, fmt.Errorf("model: %d weights and %d gradients, the model has %d", len(data), len(grad), m.Size())
	}
	w := &Weights{Data: data, Grad: grad}
	for _, p := range m.registry.params {
		to := p.From + p.size()
		if grad == nil {
			w.matrices = append(w.matrices, tape.Constant(p.Rows, p.Cols, data[p.From:to]))
		} else {
			w.matrices = append(w.matrices, tape.Variable(p.Rows, p.Cols, data[p.From:to], grad[p.From:to]))
		}
	}
	return w, nil
}
