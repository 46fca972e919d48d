package model

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"kilim/learner/tensor/par"
	"kilim/learner/tensor/tape"
)

var shape = Config{
	Modalities: []Modality{{"text", 24}, {"image", 16}},
	Width:      32, Layers: 2, Relations: 3, Bases: 2, Heads: 4, Dropout: 0.2, Seed: 1,
}

// variants are all fusions with both residuals; with embeddings as long as a layer is wide and means, or longer ones and attention.
func variants() []Config {
	var out []Config
	for _, fusion := range []string{FusionAttention, FusionMLP, FusionTransformer} {
		for _, residual := range []string{ResidualSum, ResidualConcat} {
			for i, embedding := range []int{0, 40} {
				cfg := shape
				cfg.Fusion, cfg.Residual, cfg.Embedding = fusion, residual, embedding
				cfg.Aggregator = []string{AggregatorMean, AggregatorAttention}[i]
				out = append(out, cfg)
			}
		}
	}
	return out
}

func newTape(t *testing.T) *tape.Tape {
	t.Helper()
	pool, err := par.New(1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return tape.New(pool)
}

func newModel(t *testing.T, cfg Config) *Model {
	t.Helper()
	m, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// units returns random rows of length 1.
func units(r *rand.Rand, rows, cols int) tape.Matrix {
	m := tape.Constant(rows, cols, make([]float32, rows*cols))
	for i := range rows {
		var s float64
		for j := range m.Row(i) {
			x := r.NormFloat64()
			m.Row(i)[j] = float32(x)
			s += x * x
		}
		for j := range m.Row(i) {
			m.Row(i)[j] /= float32(math.Sqrt(s))
		}
	}
	return m
}

// edges returns a layer in which each row reads the mean of its sources, all by relation 1.
func edges(t *testing.T, sources int, rows ...[]int32) *tape.Edges {
	t.Helper()
	c := tape.CSR{Start: []int32{0}}
	for _, row := range rows {
		for _, s := range row {
			c.Source, c.Weight = append(c.Source, s), append(c.Weight, 1/float32(len(row)))
		}
		c.Start = append(c.Start, int32(len(c.Source)))
	}
	rel := make([]int32, len(c.Source))
	for i := range rel {
		rel[i] = 1
	}
	e, err := tape.NewEdges(c, rel, sources, shape.Relations)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func asFeatures(m tape.Matrix) tape.Features { return tape.NewFeatures(m.Cols, m.Data) }

// rows gives each row of a block the features of a row; -1 for none.
func rows(list ...int32) tape.CSR {
	c := tape.CSR{Start: []int32{0}}
	for _, r := range list {
		if r >= 0 {
			c.Source, c.Weight = append(c.Source, r), append(c.Weight, 1)
		}
		c.Start = append(c.Start, int32(len(c.Source)))
	}
	return c
}

// TestAbsentModalityIsNotRead: features of a modality that an item lacks change neither the item's result nor any
// gradient, whatever the fusion.
func TestAbsentModalityIsNotRead(t *testing.T) {
	t.Parallel()
	for _, cfg := range variants() {
		t.Run(cfg.Fusion+" "+cfg.Residual, func(t *testing.T) {
			t.Parallel()
			m, r := newModel(t, cfg), rand.New(rand.NewPCG(1, 1))
			w := m.Init()
			for i := range w.Data { // nothing may be hidden by a zero
				w.Data[i] += float32(r.NormFloat64()) * 0.05
			}
			features := []tape.Features{asFeatures(units(r, 3, 24)), asFeatures(units(r, 3, 16))}
			b := &Block{
				Mask: tape.Mask{Items: 2, Modalities: 2, Present: []bool{true, true, true, false}},
				Rows: []tape.CSR{rows(0, 1, 2), rows(0, -1, 2)},
			}
			text := []*tape.Edges{edges(t, 3, []int32{2}, []int32{2}), edges(t, 2, []int32{1}, nil)}
			image := func(masked []int32) []*tape.Edges {
				return []*tape.Edges{edges(t, 3, []int32{2}, masked), edges(t, 2, nil, nil)}
			}
			run := func() (z, grad []float32) {
				tp := newTape(t)
				clear(w.Grad)
				e, p, err := m.Forward(tp, w, features, b, 1, true)
				if err != nil {
					t.Fatal(err)
				}
				total := tp.New(1, 1)
				ones := make([]float32, len(p.Data))
				for i := range ones {
					ones[i] = float32(i%5) - 1.5
				}
				tp.Product(total, p.Reshape(1, len(p.Data)), tape.Constant(len(ones), 1, ones), false)
				tp.Backward(total)
				return slices.Concat(e.Data, p.Data), slices.Clone(w.Grad)
			}
			b.Layers = [][]*tape.Edges{text, image(nil)}
			z, g := run()
			b.Rows[1], b.Layers[1] = rows(0, 1, 2), image([]int32{0, 2})
			z2, g2 := run()
			if !slices.Equal(z, z2) {
				t.Error("the result depends on a modality that the item lacks")
			}
			if !slices.Equal(g, g2) {
				t.Error("a gradient depends on a modality that the item lacks")
			}
			b.Mask.Present[3] = true
			if z3, _ := run(); slices.Equal(z2, z3) {
				t.Error("a modality that the item has is not read")
			}
		})
	}
}

func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i, x := range a {
		ab += float64(x) * float64(b[i])
		aa += float64(x) * float64(x)
		bb += float64(b[i]) * float64(b[i])
	}
	return ab / math.Sqrt(aa*bb)
}

// TestSeededModelIsUseful: in an untrained model cosines of embeddings follow those of the features, and a common
// neighbour brings two items nearer.
func TestSeededModelIsUseful(t *testing.T) {
	t.Parallel()
	const items = 40
	for _, cfg := range variants() {
		cfg.Modalities = []Modality{{"text", 64}, {"image", 64}}
		m, r := newModel(t, cfg), rand.New(rand.NewPCG(2, 2))
		text, image := units(r, items+1, 64), units(r, items+1, 64)
		for i := 0; i < items; i += 2 { // neighbours in the order are alike, more or less
			a, b := text.Row(i), text.Row(i+1)
			for j := range b {
				b[j] = a[j] + b[j]*float32(i)/items*2
			}
		}
		features := []tape.Features{asFeatures(text), asFeatures(image)}
		b := &Block{Mask: tape.Mask{Items: items, Modalities: 2, Present: make([]bool, 2*items)}}
		var own []int32
		for i := range items {
			b.Mask.Present[2*i] = true
			own = append(own, int32(i))
		}
		b.Rows = []tape.CSR{rows(append(own, items)...), rows(append(own, items)...)}
		none := make([][]int32, items)
		embed := func(lists [][]int32) tape.Matrix {
			first := edges(t, items+1, append(lists, nil)...)
			second := edges(t, items+1, none...)
			b.Layers = [][]*tape.Edges{{first, second}, {first, second}}
			z, _, err := m.Forward(newTape(t), m.Init(), features, b, 1, false)
			if err != nil {
				t.Fatal(err)
			}
			return z
		}
		z := embed(none)
		var x, y []float64
		for i := 0; i < items; i += 2 {
			x = append(x, cosine(text.Row(i), text.Row(i+1)))
			y = append(y, cosine(z.Row(i), z.Row(i+1)))
		}
		if c := correlation(x, y); c < 0.9 {
			t.Errorf("%s %s: cosines of embeddings and of features correlate by %.3f", cfg.Fusion, cfg.Residual, c)
		}
		joined := slices.Clone(none)
		joined[0], joined[3] = []int32{items}, []int32{items}
		j := embed(joined)
		if before, after := cosine(z.Row(0), z.Row(3)), cosine(j.Row(0), j.Row(3)); after < before+0.01 {
			t.Errorf("%s %s: a common neighbour brings a cosine from %.3f to %.3f", cfg.Fusion, cfg.Residual, before, after)
		}
	}
}

func correlation(x, y []float64) float64 {
	var mx, my, xy, xx, yy float64
	for i := range x {
		mx, my = mx+x[i]/float64(len(x)), my+y[i]/float64(len(y))
	}
	for i := range x {
		xy, xx, yy = xy+(x[i]-mx)*(y[i]-my), xx+(x[i]-mx)*(x[i]-mx), yy+(y[i]-my)*(y[i]-my)
	}
	return xy / math.Sqrt(xx*yy)
}

// TestWeights: the same seed gives the same weights, another seed gives others; each parameter has its own memory, and
// is found by its name.
func TestWeights(t *testing.T) {
	t.Parallel()
	m := newModel(t, shape)
	a, b := m.Init(), m.Init()
	if !slices.Equal(a.Data, b.Data) {
		t.Error("the seeded weights differ from one call to the next")
	}
	other := shape
	other.Seed++
	if slices.Equal(a.Data, newModel(t, other).Init().Data) {
		t.Error("the seed doesn't matter")
	}
	at := 0
	for _, p := range m.Params() {
		if p.Offset != at {
			t.Errorf("%s begins at %d, want %d", p.Name, p.Offset, at)
		}
		at += p.Rows * p.Cols
		w, ok := a.Matrix(p.Name)
		if !ok || w.Rows != p.Rows || w.Cols != p.Cols || &w.Data[0] != &a.Data[p.Offset] {
			t.Errorf("%s is not found by its name", p.Name)
		}
	}
	if at != m.Size() {
		t.Errorf("the parameters have %d weights, the model %d", at, m.Size())
	}
	if _, ok := a.Matrix("nothing"); ok {
		t.Error("a parameter that there is not was found")
	}
	if err := a.Check(); err != nil {
		t.Error(err)
	}
	a.Data[5] = float32(math.NaN())
	if a.Check() == nil {
		t.Error("a NaN was not found")
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for field, change := range map[string]func(*Config){
		"modalities": func(c *Config) { c.Modalities = nil },
		"a modality": func(c *Config) { c.Modalities = []Modality{{"text", 1}, {"text", 1}} },
		"features":   func(c *Config) { c.Modalities = []Modality{{"text", 0}} },
		"heads":      func(c *Config) { c.Heads = 5 },
		"layers":     func(c *Config) { c.Layers = 4 },
		"embedding":  func(c *Config) { c.Embedding = -8 },
		"dropout":    func(c *Config) { c.Dropout = math.NaN() },
		"fusion":     func(c *Config) { c.Fusion = "sum" },
		"residual":   func(c *Config) { c.Residual = "none" },
		"aggregator": func(c *Config) { c.Aggregator = "max" },
	} {
		cfg := shape
		change(&cfg)
		if _, err := New(cfg); err == nil {
			t.Errorf("%s: accepted", field)
		}
	}
	m := newModel(t, shape)
	good := func() *Block {
		e := []*tape.Edges{edges(t, 2, nil, nil), edges(t, 2, nil)}
		return &Block{
			Mask: tape.Mask{Items: 1, Modalities: 2, Present: []bool{true, true}},
			Rows: []tape.CSR{rows(0, 1), rows(0, 1)}, Layers: [][]*tape.Edges{e, slices.Clone(e)},
		}
	}
	r := rand.New(rand.NewPCG(1, 1))
	features := []tape.Features{asFeatures(units(r, 2, 24)), asFeatures(units(r, 2, 16))}
	for what, change := range map[string]func(*Block){
		"":                      func(*Block) {},
		"modality without rows": func(b *Block) { b.Rows = b.Rows[:1] },
		"one layer":             func(b *Block) { b.Layers[1] = b.Layers[1][:1] },
		"other sources":         func(b *Block) { b.Layers[1][1] = edges(t, 3, nil) },
		"other items":           func(b *Block) { b.Layers[1][1] = edges(t, 2, nil, nil) },
	} {
		b := good()
		change(b)
		if _, _, err := m.Forward(newTape(t), m.Init(), features, b, 1, false); (err == nil) != (what == "") {
			t.Errorf("block with %s: %v", what, err)
		}
	}
	features[0] = asFeatures(units(r, 2, 23))
	if _, _, err := m.Forward(newTape(t), m.Init(), features, good(), 1, false); err == nil {
		t.Error("features of another length were accepted")
	}
	if _, err := m.Weights(make([]float32, 3), nil); err == nil {
		t.Error("weights of another model were accepted")
	}
}
