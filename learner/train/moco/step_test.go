package moco

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"kilim/learner/model"
	"kilim/learner/tensor/par"
	"kilim/learner/tensor/tape"
)

// fixture is what testdata/make_fixtures.py wrote with PyTorch.
type fixture struct {
	Features map[string][]float32
	Present  [][]bool
	Layers   [][][][3]float64 // of each layer, each row: source, relation, weight
	Weights  map[string][]float32
	Queue    []float32
	Cases    []struct {
		Inside                bool
		Fusion, Residual      string
		Aggregator            string
		Embedding, Projection []float32
		Loss, Temperature     float64
		Gradients, Query, Key map[string][]float32
	}
}

func readFixture(t *testing.T) fixture {
	t.Helper()
	data, err := os.ReadFile("testdata/step.json")
	if err != nil {
		t.Fatal(err)
	}
	var f fixture
	if err := json.Unmarshal(data, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

var shape = model.Config{
	Modalities: []model.Modality{{Name: "text", Features: 6}, {Name: "image", Features: 5}},
	Width:      8, Layers: 2, Relations: 3, Bases: 2, Heads: 2, Seed: 1,
}

func (f fixture) view(t *testing.T) View {
	t.Helper()
	const rows = 12
	v := View{Block: &model.Block{Mask: tape.Mask{Items: len(f.Present), Modalities: 2, Present: slices.Concat(f.Present...)}}}
	each := tape.CSR{Start: []int32{0}}
	for i := range rows {
		each.Start, each.Source, each.Weight = append(each.Start, int32(i+1)), append(each.Source, int32(i)), append(each.Weight, 1)
	}
	for _, m := range shape.Modalities {
		v.Features = append(v.Features, tape.NewFeatures(m.Features, f.Features[m.Name]))
		v.Block.Rows = append(v.Block.Rows, each)
	}
	sources := rows
	var layers []*tape.Edges
	for _, layer := range f.Layers {
		c, relation := tape.CSR{Start: []int32{0}}, []int32(nil)
		for _, row := range layer {
			for _, e := range row {
				c.Source, c.Weight, relation = append(c.Source, int32(e[0])), append(c.Weight, float32(e[2])), append(relation, int32(e[1]))
			}
			c.Start = append(c.Start, int32(len(c.Source)))
		}
		edges, err := tape.NewEdges(c, relation, sources, shape.Relations)
		if err != nil {
			t.Fatal(err)
		}
		layers = append(layers, edges)
		sources = len(layer)
	}
	v.Block.Layers = [][]*tape.Edges{layers, layers}
	return v
}

func newTrainer(t *testing.T, cfg model.Config, weights map[string][]float32, threads int) *Trainer {
	t.Helper()
	return newBranchTrainer(t, cfg, weights, threads, nil)
}

// newBranchTrainer is newTrainer with weights of losses behind the branches.
func newBranchTrainer(t *testing.T, cfg model.Config, weights map[string][]float32, threads int, branches []float64) *Trainer {
	t.Helper()
	pool, err := par.New(threads)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	m, err := model.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if branches != nil {
		m = m.WithBranchHeads()
	}
	w := m.Init()
	for _, p := range m.Params() {
		if weights != nil && copy(w.Data[p.Offset:p.Offset+p.Rows*p.Cols], weights[p.Name]) != p.Rows*p.Cols {
			t.Fatalf("the fixture has no %s of %dx%d", p.Name, p.Rows, p.Cols)
		}
	}
	tr, err := New(Config{Queue: 8, Momentum: 0.99, Temperature: 0.07, LearnTemperature: true, Rate: 1e-3, Decay: 1e-2, Branches: branches, Seed: 1}, m, w, cfg.Width, pool)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// near compares relative to the largest element.
func near(t *testing.T, what string, got, want []float32, tolerance float64) {
	t.Helper()
	size := 0.0
	for _, x := range want {
		size = max(size, math.Abs(float64(x)))
	}
	for i := range want {
		if d := math.Abs(float64(got[i] - want[i])); !(d <= tolerance*max(size, 1e-3)) {
			t.Errorf("%s: element %d is %v, PyTorch has %v", what, i, got[i], want[i])
			return
		}
	}
}

// TestStepAgreesWithPyTorch: the forward pass agrees within 1e-5, and gradients within 1e-4; AdamW, momentum and queue
// are compared too.
func TestStepAgreesWithPyTorch(t *testing.T) {
	t.Parallel()
	f := readFixture(t)
	v := f.view(t)
	for _, c := range f.Cases {
		cfg := shape
		cfg.Inside, cfg.Fusion, cfg.Residual, cfg.Aggregator = c.Inside, c.Fusion, c.Residual, c.Aggregator
		tr := newTrainer(t, cfg, f.Weights, 2)
		copy(tr.fusion.queue.Data, f.Queue)
		z, p, err := tr.model.Forward(tr.tape, tr.query, v.Features, v.Block, 1, true)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "embedding", z.Data, c.Embedding, 1e-5)
		near(t, "projection", p.Data, c.Projection, 1e-5)
		loss, err := tr.Step(v, v, nil)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(loss-c.Loss) > 1e-6 {
			t.Errorf("loss %v, PyTorch has %v", loss, c.Loss)
		}
		if d := math.Abs(tr.Temperature() - c.Temperature); d > 1e-6 {
			t.Errorf("temperature %v, PyTorch has %v", tr.Temperature(), c.Temperature)
		}
		for _, p := range tr.model.Params() {
			to := p.Offset + p.Rows*p.Cols
			g, ok := c.Gradients[p.Name]
			if !ok && c.Fusion == model.FusionAttention {
				t.Fatalf("the fixture has no gradient of %s", p.Name)
			}
			near(t, c.Fusion+": gradient of "+p.Name, tr.query.Grad[p.Offset:to], g, 1e-4)
			for i := range g {
				if math.Abs(float64(g[i])) < 1e-4 {
					continue // AdamW makes a whole step of rounding errors
				}
				q, k := tr.query.Data[p.Offset+i], tr.key.Data[p.Offset+i]
				if math.Abs(float64(q-c.Query[p.Name][i])) > 2e-6 || math.Abs(float64(k-c.Key[p.Name][i])) > 1e-6 {
					t.Errorf("%s[%d] after the step: query %v, key %v, PyTorch has %v, %v", p.Name, i, q, k, c.Query[p.Name][i], c.Key[p.Name][i])
					break
				}
			}
		}
		near(t, "queue", tr.fusion.queue.Data[:len(c.Projection)], c.Projection, 1e-5)
	}
}

// TestGradientsAgainstDifferences: with dropout, the gradient of each parameter in each fusion and residual is the slope of the loss
// along a random direction.
func TestGradientsAgainstDifferences(t *testing.T) {
	t.Parallel()
	for _, fusion := range []string{model.FusionAttention, model.FusionMLP, model.FusionTransformer} {
		for i, residual := range []string{model.ResidualSum, model.ResidualConcat} {
			cfg := shape
			cfg.Fusion, cfg.Residual, cfg.Dropout = fusion, residual, 0.25
			cfg.Aggregator = []string{model.AggregatorAttention, model.AggregatorMean}[i]
			compareSlopes(t, fusion+", "+residual, newTrainer(t, cfg, nil, 1), func(model.Param) bool { return true })
		}
	}
}

// compareSlopes compares the gradient of each of some parameters with the slope of the loss along a random direction.
func compareSlopes(t *testing.T, what string, tr *Trainer, some func(model.Param) bool) {
	t.Helper()
	v := readFixture(t).view(t)
	rng := rand.New(rand.NewPCG(4, 4))
	tr.cfg.Rate = 1e-12 // at 0 a gradient is cleared
	key := slices.Clone(tr.key.Data)
	var queues [][]float32
	for _, c := range tr.contrasts() {
		queues = append(queues, slices.Clone(c.queue.Data))
	}
	at := slices.Clone(tr.query.Data)
	for i := range at {
		at[i] += float32(0.2 * rng.NormFloat64()) // so that nothing is zero
	}
	// loss is that of the weights, moved along a direction, in the first step against keys of the seeded ones.
	loss := func(direction []float32, by float32) float64 {
		copy(tr.query.Data, at)
		copy(tr.key.Data, key)
		for i, c := range tr.contrasts() {
			copy(c.queue.Data, queues[i])
			c.temperature.Data[0] = 0
		}
		tr.step, tr.slot = 0, 0
		for i, d := range direction {
			tr.query.Data[i] += by * d
		}
		l, err := tr.Step(v, v, nil)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	loss(nil, 0)
	gradient := slices.Clone(tr.query.Grad)
	for _, p := range tr.model.Params() {
		if !some(p) {
			continue
		}
		direction := make([]float32, len(at))
		slope, size := 0.0, 0.0
		for i := p.Offset; i < p.Offset+p.Rows*p.Cols; i++ {
			direction[i] = float32(rng.NormFloat64())
			slope += float64(gradient[i]) * float64(direction[i])
			size += math.Abs(float64(gradient[i]) * float64(direction[i]))
		}
		const step = 4e-4
		if d := (loss(direction, step) - loss(direction, -step)) / (2 * step); math.Abs(d-slope) > 0.02*size+1e-3 {
			t.Errorf("%s: along %s the loss rises by %v, the gradient says %v", what, p.Name, d, slope)
		}
	}
}

// TestTrainingRepeats: training makes the same bytes twice, for any number of threads, with dropout; and the loss
// falls.
func TestTrainingRepeats(t *testing.T) {
	t.Parallel()
	v := readFixture(t).view(t)
	cfg := shape
	cfg.Dropout = 0.2
	run := func(threads int) (*Trainer, []float64) {
		tr := newTrainer(t, cfg, nil, threads)
		var losses []float64
		for range 40 {
			l, err := tr.Step(v, v, nil)
			if err != nil {
				t.Fatal(err)
			}
			losses = append(losses, l)
		}
		return tr, losses
	}
	a, la := run(1)
	b, lb := run(3)
	if !slices.Equal(la, lb) || !slices.Equal(a.query.Data, b.query.Data) || !slices.Equal(a.key.Data, b.key.Data) || !slices.Equal(a.fusion.queue.Data, b.fusion.queue.Data) {
		t.Error("training depends on the number of threads")
	}
	if a.GradientNorm() == 0 || slices.Equal(a.query.Data, a.key.Data) {
		t.Error("nothing was learnt")
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	v := readFixture(t).view(t)
	tr := newTrainer(t, shape, nil, 1)
	before := slices.Clone(tr.query.Data)
	bad := v
	bad.Features = bad.Features[:1]
	if _, err := tr.Step(bad, v, nil); err == nil {
		t.Error("a view without a modality was accepted")
	}
	tr.fusion.temperature.Data[0] = float32(math.NaN())
	if _, err := tr.Step(v, v, nil); err == nil {
		t.Error("a loss that is not a number was accepted")
	}
	if !slices.Equal(before, tr.query.Data) {
		t.Error("a refused step has changed the weights")
	}
	for name, c := range map[string]Config{"queue": {}, "momentum": {Queue: 8, Momentum: 1}, "rate": {Queue: 8, Momentum: 0.99, Temperature: 0.1, Rate: -1},
		"prototypes": {Queue: 8, Momentum: 0.99, Temperature: 0.1, Prototypes: Prototypes{Classes: 2, Width: 9, Temperature: 0.1}}} {
		if err := c.validate(8); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := model.New(model.Config{}); err == nil {
		t.Error("an empty model was accepted")
	}
}
