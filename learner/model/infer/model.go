package infer

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"gonum.org/v1/gonum/blas/gonum"

	"kilim/learner/model"
	"kilim/learner/tensor/gemm"
)

// matrix is dense, rows x cols.
type matrix struct {
	rows, cols int
	data       []float32
}

func (m matrix) row(i int) []float32 { return m.data[i*m.cols : (i+1)*m.cols] }

// factor is a matrix by which rows are multiplied, packed for that.
type factor struct {
	rows, cols int
	*gemm.Packed
}

func (m matrix) factor() factor { return factor{m.rows, m.cols, gemm.Pack(m.rows, m.cols, m.data)} }

// linear is a matrix, in x out, and a bias.
type linear struct {
	w factor
	b []float32
}

// input is the linear map of a branch's features. whole and rows map the features that come first: a record's text, or
// all features of another modality; rows has the same numbers as whole, for a sparse text. rest maps a record's facts
// and type, row by row.
type input struct {
	whole factor
	rows  matrix
	rest  matrix
	b     []float32
}

// norm is the gain and bias of a layer normalization, and the gain's greatest magnitude.
type norm struct {
	gain, bias []float32
	most       float64
}

type layer struct {
	// weights is (1+Bases)*Width x Width: W_self above V_1 .. V_B, so that a layer is one product with the rows [h |
	// mix_1 | ... | mix_B].
	weights factor
	bias    []float32
	// coefficients is Relations x Bases.
	coefficients matrix
	norm         norm
	attention    *attention // nil with mean aggregation
	// absent stands for the node's own block below this layer where the modality is absent there.
	absent []float32
}

type branch struct {
	input, skip input
	layers      []layer
	join        factor // 2*Width x Width, where the residual is concatenated
}

// Model is immutable and safe for concurrent use.
type Model struct {
	cfg      Config
	blas     gonum.Implementation
	branches [modalities]*branch // nil: the model has none
	fusion   fusion
	attends  bool
	// outward makes embeddings of what the fusion gives, where they are not Width long.
	outward     factor
	weights     []float32
	named       map[string]matrix // of weights, by the names of their parameters
	fingerprint string
	normsOnce   sync.Once
	norms       norms
	scratch     sync.Pool // of *scratch
}

// Seeded returns the untrained model of Config.Seed. The same Config gives the same weights.
func Seeded(cfg Config) (*Model, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	shape, err := model.New(cfg.Shape())
	if err != nil {
		return nil, err
	}
	return New(cfg, SeededWeights(cfg, shape))
}

// SeededWeights returns the weights of the untrained model, from which training begins. shape is that of the Config, or
// one with another fusion or depth.
func SeededWeights(cfg Config, shape *model.Model) []float32 {
	w := shape.Init().Data
	damp(cfg, shape, w)
	return w
}

// damp scales down the input weights of a record's facts and type, so that its text dominates until training changes
// that: the vector of a type is the same for all artifacts and must not make them all similar.
func damp(cfg Config, shape *model.Model, w []float32) {
	for _, p := range shape.Params() {
		if p.Name != "record.input.weight" && p.Name != "record.skip.weight" {
			continue
		}
		for i := p.Offset + cfg.Text*p.Cols; i < p.Offset+p.Rows*p.Cols; i++ {
			w[i] *= dampFactor
		}
	}
}

const dampFactor = 0.1

// New returns the Model of weights, which are in the order of model.Model.Params of the Config's Shape.
func New(cfg Config, weights []float32) (*Model, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	shape, err := model.New(cfg.Shape())
	if err != nil {
		return nil, err
	}
	if len(weights) != shape.Size() {
		return nil, fmt.Errorf("infer: %d weights, the model has %d", len(weights), shape.Size())
	}
	for i, x := range weights {
		if x != x || math.IsInf(float64(x), 0) {
			return nil, fmt.Errorf("infer: weight %d is %v", i, x)
		}
	}
	weights = slices.Clone(weights)
	m := &Model{cfg: cfg, attends: cfg.Shape().Attends(), weights: weights, named: map[string]matrix{}}
	for _, p := range shape.Params() {
		m.named[p.Name] = matrix{p.Rows, p.Cols, weights[p.Offset : p.Offset+p.Rows*p.Cols]}
	}
	r := reader{named: m.named}
	m.eachBranch(func(mode int, name string) { m.branches[mode] = m.branch(&r, mode, name) })
	m.fusion = m.newFusion(&r)
	if m.EmbeddingDim() != cfg.Width {
		m.outward = r.factor("fusion.output")
	}
	if r.missing != "" {
		return nil, fmt.Errorf("infer: the model has no parameter %q", r.missing)
	}
	m.fingerprint = fingerprint(cfg, weights)
	m.scratch.New = func() any { return newScratch(cfg) }
	for _, b := range m.branches {
		if b != nil {
			m.computeAbsent(b)
		}
	}
	return m, nil
}

// eachBranch calls fn for the modalities that the model has.
func (m *Model) eachBranch(fn func(mode int, name string)) {
	for mode, name := range names {
		if m.cfg.dims()[mode] > 0 {
			fn(mode, name)
		}
	}
}

// reader looks parameters up by name and remembers the first that is missing.
type reader struct {
	named   map[string]matrix
	missing string
}

func (r *reader) matrix(name string) matrix {
	m, ok := r.named[name]
	if !ok && r.missing == "" {
		r.missing = name
	}
	return m
}

func (r *reader) factor(name string) factor {
	m := r.matrix(name)
	if r.missing != "" {
		return factor{}
	}
	return m.factor()
}

func (r *reader) linear(name string) linear {
	return linear{r.factor(name + ".weight"), r.matrix(name + ".bias").data}
}

// input reads a linear map, whose first rows are those of whole.
func (r *reader) input(name string, first int) input {
	m, b := r.matrix(name+".weight"), r.matrix(name+".bias").data
	if r.missing != "" {
		return input{}
	}
	split := first * m.cols
	rows := matrix{first, m.cols, m.data[:split]}
	return input{rows.factor(), rows, matrix{m.rows - first, m.cols, m.data[split:]}, b}
}

func (r *reader) norm(name string) norm {
	n := norm{gain: r.matrix(name + ".gain").data, bias: r.matrix(name + ".bias").data}
	for _, g := range n.gain {
		n.most = max(n.most, math.Abs(float64(g)))
	}
	return n
}

func (m *Model) branch(r *reader, mode int, name string) *branch {
	first := m.cfg.dims()[mode]
	if mode == record {
		first = m.cfg.Text
	}
	b := &branch{input: r.input(name+".input", first), skip: r.input(name+".skip", first)}
	if m.cfg.Residual == model.ResidualConcat {
		b.join = r.factor(name + ".join")
	}
	for l := range m.cfg.depth() {
		at := fmt.Sprintf("%s.layer%d", name, l+1)
		self, bases := r.matrix(at+".self.weight"), r.matrix(at+".bases")
		if r.missing != "" {
			return b
		}
		weights := matrix{self.rows + bases.rows, self.cols, slices.Concat(self.data, bases.data)}
		ly := layer{weights: weights.factor(), bias: r.matrix(at + ".self.bias").data, coefficients: r.matrix(at + ".coefficients"), norm: r.norm(at + ".norm")}
		if m.attends {
			ly.attention = r.attention(at)
		}
		b.layers = append(b.layers, ly)
	}
	return b
}

// computeAbsent computes, for each layer, what a branch has at a node without features and messages.
func (m *Model) computeAbsent(b *branch) {
	h := b.input.b
	for l := range b.layers {
		b.layers[l].absent = h
		next := make([]float32, m.cfg.Width)
		s := m.scratch.Get().(*scratch)
		m.rows(s, &b.layers[l], []job{{self: h, out: next}})
		m.scratch.Put(s)
		h = next
	}
}

func fingerprint(cfg Config, weights []float32) string {
	h := sha256.New()
	fmt.Fprintf(h, "serve 1 {Text:%d Facts:%d Image:%d Audio:%d Width:%d Bases:%d Heads:%d Fusion:%s Residual:%s Relations:%d Types:%d Seed:%d}\n",
		cfg.Text, cfg.Facts, cfg.Image, cfg.Audio, cfg.Width, cfg.Bases, cfg.Heads, cfg.Fusion, cfg.Residual, cfg.Relations, cfg.Types, cfg.Seed)
	if cfg.depth() != 2 { // which earlier states are of
		fmt.Fprintf(h, "layers %d\n", cfg.depth())
	}
	if dim := cmp.Or(cfg.Embedding, cfg.Width); dim != cfg.Width {
		fmt.Fprintf(h, "embedding %d\n", dim)
	}
	if cfg.Shape().Attends() {
		fmt.Fprintf(h, "aggregator %s\n", cfg.Aggregator)
	}
	if cfg.Media == model.MediaNodes {
		fmt.Fprintf(h, "media %s\n", cfg.Media)
	}
	b := make([]byte, 0, 4*len(weights))
	for _, x := range weights {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	h.Write(b)
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// Weights returns a copy of what New was given.
func (m *Model) Weights() []float32 { return slices.Clone(m.weights) }

// Layers is the depth of every branch.
func (m *Model) Layers() int { return m.cfg.depth() }

// Width is the length of a block of the vectors that a layer reads. Those that the third reads are by one number longer: behind
// each block stands how far it may be off (drift.go). So a mean of such vectors carries the mean of their bounds, which bounds it.
func (m *Model) Width(layer int) int {
	if layer == 2 {
		return m.cfg.Width + 1
	}
	return m.cfg.Width
}

// Gathers is true: the model has weights for both directions of every relation.
func (m *Model) Gathers(int) bool { return true }

// MediaNodes tells that the model was made to read media as nodes (model.MediaNodes).
func (m *Model) MediaNodes() bool { return m.cfg.Media == model.MediaNodes }

// EmbeddingDim is the length of E.
func (m *Model) EmbeddingDim() int { return cmp.Or(m.cfg.Embedding, m.cfg.Width) }

// Fingerprint identifies shape and weights by 16 hexadecimal digits.
func (m *Model) Fingerprint() string { return m.fingerprint }

// product writes a*b to c; a and c are dense, and rows of a are as long as b is high.
func product(a []float32, b factor, c []float32) { b.Multiply(len(a)/b.rows, a, c) }

// rowsPerChunk is how many rows a goroutine takes at a time.
const rowsPerChunk = 32

// scratch is the memory for rowsPerChunk rows. Fusion has up to modalities tokens for each.
type scratch struct {
	rows    []float32 // rowsPerChunk rows: of Layer, of (1+Bases)*Width; of Artifacts, as long as the features of a modality
	product []float32 // rowsPerChunk x Width
	scales  []float64 // of rowsPerChunk rows, see normalize
	tokens  tokens
}

func newScratch(cfg Config) *scratch {
	longest := max((1+cfg.Bases)*cfg.Width, cfg.Text, cfg.Image, cfg.Audio)
	s := &scratch{rows: make([]float32, rowsPerChunk*longest), product: make([]float32, rowsPerChunk*cfg.Width), scales: make([]float64, rowsPerChunk)}
	s.tokens.make(cfg.Width)
	return s
}

// parallel calls work for consecutive chunks of n rows, on all processors.
func (m *Model) parallel(n int, work func(s *scratch, from, to int)) {
	var next atomic.Int64
	run := func() {
		s := m.scratch.Get().(*scratch)
		defer m.scratch.Put(s)
		for {
			from := int(next.Add(1)-1) * rowsPerChunk
			if from >= n {
				return
			}
			work(s, from, min(from+rowsPerChunk, n))
		}
	}
	var wg sync.WaitGroup
	for range min((n+rowsPerChunk-1)/rowsPerChunk, runtime.GOMAXPROCS(0)) - 1 {
		wg.Go(run)
	}
	run()
	wg.Wait()
}
