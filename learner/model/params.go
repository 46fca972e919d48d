package model

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"kilim/learner/tensor/tape"
)

// Param is a parameter: a matrix of weights and its place among them.
type Param struct {
	Name       string
	Rows, Cols int
	Group      string // the part of the model that it belongs to: "branch", "layer1".., "fusion", "head"
	Decay      bool   // whether weight decay applies: not to biases and norms
	Offset     int    // of its first weight among all weights
}

func (p Param) size() int { return p.Rows * p.Cols }

// of is the parameter's part of a slice that has all weights.
func (p Param) of(all []float32) []float32 { return all[p.Offset : p.Offset+p.size()] }

// layout places the parameters of a Config one after the other in one slice. A parameter's number is the order of the
// calls of add.
type layout struct {
	params       []Param
	initializers []initializer
	total        int
}

func (g *layout) add(stage string, decay bool, rows, cols int, f initializer, name string, args ...any) int {
	g.params = append(g.params, Param{fmt.Sprintf(name, args...), rows, cols, stage, decay, g.total})
	g.initializers = append(g.initializers, f)
	g.total += rows * cols
	return len(g.params) - 1
}

// linear has the numbers of a linear layer's weights and bias, or of a LayerNorm's gain and bias.
type linear struct{ w, b int }

func (g *layout) linear(stage string, in, out int, f initializer, name string, args ...any) linear {
	name = fmt.Sprintf(name, args...)
	return linear{
		g.add(stage, true, in, out, f, "%s.weight", name),
		g.add(stage, false, 1, out, constant(0), "%s.bias", name),
	}
}

func (g *layout) norm(stage string, width int, gain float32, name string, args ...any) linear {
	name = fmt.Sprintf(name, args...)
	return linear{
		g.add(stage, false, 1, width, constant(gain), "%s.gain", name),
		g.add(stage, false, 1, width, constant(0), "%s.bias", name),
	}
}

// layer has the numbers of the parameters of a branch's layer.
type layer struct {
	self        linear
	bases, coef int
	norm        linear
	attention   attention
}

type branch struct {
	input, skip linear
	layers      []layer
	join        int // where Config.Residual is ResidualConcat
}

// Model is the shape of an encoder: its parameters' numbers, names and seeds. A Weights has their values.
type Model struct {
	cfg      Config
	layout   layout
	byName   map[string]int
	branches []branch
	fusion   fusion
	output   int // the output projection, where embeddings are not Width long; else -1
	head     [2]linear
	heads    [][2]linear // behind each branch, of WithBranchHeads
}

// New returns the Model of a Config.
func New(cfg Config) (*Model, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	m := &Model{cfg: cfg, byName: map[string]int{}, output: -1}
	g, d := &m.layout, cfg.Width
	for _, mode := range cfg.Modalities {
		m.branches = append(m.branches, newBranch(g, cfg, mode))
	}
	m.fusion = newFusion(g, cfg)
	e := cfg.EmbeddingDim()
	if e != d {
		m.output = g.add("fusion", true, d, e, rotation, "fusion.output")
	}
	m.head = newHead(g, e, "")
	m.nameAll()
	return m, nil
}

// newHead is a projection head for the contrastive loss.
func newHead(g *layout, width int, of string) [2]linear {
	return [2]linear{g.linear("head", width, width, rotation, "%shead.0", of), g.linear("head", width, width, rotation, "%shead.1", of)}
}

// HasBranchHeads tells that the Model is one WithBranchHeads.
func (m *Model) HasBranchHeads() bool { return m.heads != nil }

func (m *Model) nameAll() {
	for i, p := range m.layout.params {
		m.byName[p.Name] = i
	}
}

// WithBranchHeads returns the same Model with a projection head behind each branch, for a contrastive loss of each modality. Their
// parameters follow those of the Model, so that weights of the one begin with weights of the other: only a training has the heads, and
// no Config, checkpoint or embedding knows of them.
func (m *Model) WithBranchHeads() *Model {
	out := *m
	out.byName = map[string]int{}
	out.layout.params, out.layout.initializers = slices.Clone(m.layout.params), slices.Clone(m.layout.initializers)
	for _, mode := range m.cfg.Modalities {
		out.heads = append(out.heads, newHead(&out.layout, m.cfg.Width, mode.Name+"."))
	}
	out.nameAll()
	return &out
}

func newBranch(g *layout, cfg Config, mode Modality) branch {
	d := cfg.Width
	b := branch{input: g.linear("branch", mode.Features, d, projection, "%s.input", mode.Name)}
	b.skip = g.linear("branch", mode.Features, d, scaledCopy(g.params[b.input.w], skipWeight), "%s.skip", mode.Name)
	gain := float32(layerGain)
	if cfg.Inside {
		gain = 1 // the residual is normalized too
	}
	for l := range cfg.Layers {
		stage := fmt.Sprintf("layer%d", l+1)
		name := mode.Name + "." + stage
		b.layers = append(b.layers, layer{
			self:  g.linear(stage, d, d, identities(selfWeight), "%s.self", name),
			bases: g.add(stage, true, cfg.Bases*d, d, rotations, "%s.bases", name),
			coef:  g.add(stage, true, cfg.Relations, cfg.Bases, coefficients, "%s.coefficients", name),
			norm:  g.norm(stage, d, gain, "%s.norm", name),

			attention: newAttention(g, cfg, stage, name),
		})
	}
	if cfg.Residual == ResidualConcat {
		b.join = g.add("branch", true, 2*d, d, identities(1), "%s.join", mode.Name)
	}
	return b
}

// Config is what New was given.
func (m *Model) Config() Config { return m.cfg }

// Params lists the parameters in the order of their memory.
func (m *Model) Params() []Param { return m.layout.params }

// Size is the number of weights.
func (m *Model) Size() int { return m.layout.total }

// Weights are the values of a model's parameters, and their gradients if any.
type Weights struct {
	Data, Grad []float32
	matrices   []tape.Matrix
	model      *Model
}

// Init returns the weights of the Config's Seed, with gradients.
func (m *Model) Init() *Weights {
	data := make([]float32, m.Size())
	r := rand.New(rand.NewPCG(m.cfg.Seed, 0x6d0de1))
	for i, p := range m.layout.params {
		m.layout.initializers[i](r, data, p)
	}
	w, _ := m.Weights(data, make([]float32, m.Size()))
	return w
}

// Weights wraps data, of length Size, and its gradients; grad may be nil.
func (m *Model) Weights(data, grad []float32) (*Weights, error) {
	if len(data) != m.Size() || grad != nil && len(grad) != m.Size() {
		return nil, fmt.Errorf("model: %d weights and %d gradients, the model has %d", len(data), len(grad), m.Size())
	}
	w := &Weights{Data: data, Grad: grad, model: m}
	for _, p := range m.layout.params {
		if grad == nil {
			w.matrices = append(w.matrices, tape.Constant(p.Rows, p.Cols, p.of(data)))
		} else {
			w.matrices = append(w.matrices, tape.Variable(p.Rows, p.Cols, p.of(data), p.of(grad)))
		}
	}
	return w, nil
}

// Matrix returns the parameter of a name; ok is false when the model has none.
func (w *Weights) Matrix(name string) (m tape.Matrix, ok bool) {
	i, ok := w.model.byName[name]
	if !ok {
		return tape.Matrix{}, false
	}
	return w.matrices[i], true
}

// Check returns an error that names a weight that is not a finite number, if there is one.
func (w *Weights) Check() error {
	for _, p := range w.model.layout.params {
		for i, x := range p.of(w.Data) {
			if v := float64(x); math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("model: %s[%d] is %v", p.Name, i, x)
			}
		}
	}
	return nil
}
