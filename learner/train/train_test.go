package train

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"kilim/learner/encode/feature"
	"kilim/learner/model"
	"kilim/learner/model/checkpoint"
	"kilim/learner/tensor/par"
	"kilim/learner/tensor/tape"
)

var shape = model.Config{
	Modalities: []model.Modality{{Name: "record", Features: 24}, {Name: "image", Features: 16}},
	Width:      16, Layers: 2, Relations: 8, Bases: 2, Heads: 2, Dropout: 0.1, Seed: 1,
}

// words encodes parts as the sum of a random vector each.
type words struct{}

func (words) Encode(_ int32, parts []Part, out []float32) {
	clear(out)
	for _, p := range parts {
		r := rand.New(rand.NewPCG(9, uint64(p.Content)))
		for i := range out {
			out[i] += float32(r.NormFloat64())
		}
	}
	feature.Scale(out, 1)
}

const fields = 4

// village is an archive of artifacts in groups; those of a group share an entity of each field, by relation 2*field,
// and half of its words. Entities read them back unless oneWay is set; then most read two by relation 7, and else one. Every second artifact has a picture.
func village(t *testing.T, cfg model.Config, artifacts, groups int, oneWay bool) *Set {
	t.Helper()
	b, r := NewBuilder(cfg), rand.New(rand.NewPCG(3, 3))
	var entities []int32
	for g := range groups * fields {
		label := make([]float32, 24)
		words{}.Encode(0, []Part{{Content: int32(g)}}, label)
		entities = append(entities, b.AddNode(label))
	}
	nodes := make([]int32, artifacts)
	parts := make([][]Part, artifacts)
	for i := range artifacts {
		g := i % groups
		for f := range fields {
			content := int32(g*fields + f)
			if r.IntN(2) == 0 {
				content = int32(1000 + r.IntN(5000))
			}
			parts[i] = append(parts[i], Part{Content: content, Edges: []Edge{{entities[g*fields+f], int32(2 * f)}}, Origin: f == 1})
		}
		whole := make([]float32, 24)
		words{}.Encode(0, parts[i], whole)
		var image []float32
		if i%2 == 0 {
			image = make([]float32, 16)
			image[g%16] = 1
		}
		nodes[i] = b.AddNode(whole, image)
	}
	for i, n := range nodes {
		a := Artifact{Node: n, Culture: int32(i % groups / 2), Parts: parts[i]}
		if i >= groups {
			a.Links, a.Related = []int32{nodes[i-groups]}, []int32{nodes[i-groups]}
			b.AddEdge(n, Edge{nodes[i-groups], 7})
		}
		if oneWay && i >= 2*groups {
			b.AddEdge(n, Edge{nodes[i-2*groups], 7})
		}
		b.AddArtifact(a)
		for _, p := range parts[i] {
			if !oneWay {
				b.AddEdge(p.Edges[0].To, Edge{n, p.Edges[0].Relation + 1})
			}
		}
	}
	s, err := b.Build(words{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newPool(t *testing.T, threads int) *par.Pool {
	t.Helper()
	pool, err := par.New(threads)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func newModel(t *testing.T, cfg model.Config) *model.Model {
	t.Helper()
	m, err := model.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func settings() Config {
	c := Defaults(2)
	c.Batch, c.MoCo.Queue = 16, 64
	c.Stages = []Stage{{Heads, 10, 3e-3}, {Unfreeze, 20, 3e-3}, {Full, 30, 3e-3}}
	c.Views = Views{Half: 0.7, FieldDrop: 0.2, ModalityDrop: 0.2, FeatureMask: 0.1, Link: 0.1, Fan: c.Views.Fan}
	c.MoCo.Temperature, c.MoCo.Prototypes.Weight = 0.1, 0.5 // every culture has two groups
	c.Every, c.HeldOut, c.Patience, c.Seed = 12, 0.2, 4, 5
	return c
}

func TestStages(t *testing.T) {
	t.Parallel()
	p := func(stage string) model.Param { return model.Param{Group: stage} }
	for _, c := range []struct {
		stage  string
		step   int
		param  string
		expect float64
	}{
		{Heads, 0, "fusion", 1}, {Heads, 0, "head", 1}, {Heads, 99, "layer2", 0}, {Heads, 0, "branch", 0},
		{Unfreeze, 0, "head", 1}, {Unfreeze, 0, "layer2", 0.5}, {Unfreeze, 49, "layer1", 0}, {Unfreeze, 50, "layer1", 0.25}, {Unfreeze, 50, "branch", 0.125},
		{Full, 0, "branch", 1}, {Full, 0, "layer1", 1},
	} {
		if got := (Stage{c.stage, 100, 1}).rateFactor(p(c.param), 2, c.step); got != c.expect {
			t.Errorf("%s, step %d: %s has %v of the rate, want %v", c.stage, c.step, c.param, got, c.expect)
		}
	}
	s := Stage{Full, 100, 2}
	if s.rate(0, 0.1) != 0.2 || s.rate(10, 0.1) != 2 || math.Abs(s.rate(99, 0.1)-0.2) > 0.01 || s.rate(50, 0.1) >= s.rate(40, 0.1) {
		t.Errorf("rates %v, %v, %v", s.rate(0, 0.1), s.rate(10, 0.1), s.rate(99, 0.1))
	}
}

func TestParseStage(t *testing.T) {
	t.Parallel()
	for _, want := range append(Defaults(2).Stages, Stage{Heads, 1, 1}, Stage{Unfreeze, 170, 1e-5}) {
		if got, err := ParseStage(want.String()); err != nil || got != want {
			t.Errorf("%v became %v, %v", want, got, err)
		}
	}
	for text, want := range map[string]string{
		"full": "NAME:STEPS:RATE", "all:10:0.1": "heads, unfreeze or full", "full:x:0.1": `steps "x"`, "full:0:0.1": "0 steps",
		"full:10:fast": `rate "fast"`, "full:10:NaN": "rate NaN", "full:10:1.5": "rate 1.5", "full:10:0": "rate 0",
	} {
		if _, err := ParseStage(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestMeasureCollapse(t *testing.T) {
	t.Parallel()
	const d = 8
	even, same := tape.Constant(2*d, d, make([]float32, 2*d*d)), tape.Constant(2*d, d, make([]float32, 2*d*d))
	for i := range 2 * d {
		even.Row(i)[i%d], same.Row(i)[0] = 1, 1
	}
	if c := MeasureCollapse(even); math.Abs(c.Rank-d) > 1e-6 || c.Uniformity > -1 {
		t.Errorf("even rows: %+v", c)
	}
	if c := MeasureCollapse(same); math.Abs(c.Rank-1) > 1e-6 || math.Abs(c.Uniformity) > 1e-6 {
		t.Errorf("equal rows: %+v", c)
	}
	if r := reciprocalRank(even.Slice(0, d), even.Slice(0, d)); r != 1 {
		t.Errorf("reciprocal rank of equals is %v", r)
	}
	if r := reciprocalRank(same, same); math.Abs(r-1/float64(2*d)) > 1e-9 {
		t.Errorf("reciprocal rank where all are equal is %v", r)
	}
}

func trainer(t *testing.T, cfg Config, set *Set, threads int) *Trainer {
	t.Helper()
	m := newModel(t, shape)
	tr, err := New(cfg, set, m, m.Init(), newPool(t, threads))
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

var errStop = errors.New("stop")

// TestRunRepeatsResumesAndLearns: a run makes the same bytes for any number of threads, and when it is stopped anywhere
// and goes on in another Trainer; and the held-out halves are found better after it. With losses behind the branches too.
func TestRunRepeatsResumesAndLearns(t *testing.T) {
	t.Parallel()
	for weight, stops := range map[float64][]int{0: {1, 12, 37}, 0.5: {13}} {
		t.Run(fmt.Sprint("branches ", weight), func(t *testing.T) {
			t.Parallel()
			cfg := settings()
			cfg.BranchWeight = weight
			testRun(t, cfg, stops)
		})
	}
}

func testRun(t *testing.T, cfg Config, stops []int) {
	run := func(tr *Trainer, stopAt int) []byte {
		t.Helper()
		err := tr.Run(context.Background(), func(p Progress) error {
			if p.Step == 0 {
				if !p.Validated || p.Steps != 60 || p.Validation.MRR <= 0 {
					t.Errorf("before the first step: %+v", p)
				}
				return nil
			}
			if p.Step == stopAt {
				return errStop
			}
			if !(p.Loss > 0 && p.GradientNorm > 0 && p.Rate > 0 && p.Temperature > 0) || p.Validation.Collapse.Rank < 1 {
				t.Errorf("progress %+v", p)
			}
			return nil
		})
		if (err != nil) != (stopAt > 0) || err != nil && !errors.Is(err, errStop) {
			t.Fatal(err)
		}
		c, err := tr.Checkpoint(checkpoint.Meta{Epoch: 2})
		if err != nil {
			t.Fatal(err)
		}
		raw, err := c.Encode()
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	one := trainer(t, cfg, village(t, shape, 200, 10, false), 1)
	want := run(one, 0)
	if !one.Done() || one.Steps() != 60 {
		t.Errorf("ended after %d steps", one.Steps())
	}
	_, best := one.Best()
	if first := one.Validations()[0]; best.MRR < first.MRR+0.02 {
		t.Errorf("the halves' mean reciprocal rank went from %.3f to %.3f", first.MRR, best.MRR)
	}
	if two := run(trainer(t, cfg, village(t, shape, 200, 10, false), 2), 0); !bytes.Equal(want, two) {
		t.Error("another number of threads gives another result")
	}
	for _, at := range stops {
		c, err := checkpoint.Decode(run(trainer(t, cfg, village(t, shape, 200, 10, false), 1), at))
		if err != nil {
			t.Fatal(err)
		}
		tr := trainer(t, cfg, village(t, shape, 200, 10, false), 1)
		if err := tr.Resume(c); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want, run(tr, 0)) {
			t.Errorf("stopped after step %d and gone on, the run ends elsewhere", at)
		}
	}
}

// TestFrozenParametersStay: parameters that a Stage freezes keep their bits; the others move.
func TestFrozenParametersStay(t *testing.T) {
	t.Parallel()
	cfg := settings()
	cfg.Stages = []Stage{{Heads, 4, 1e-2}}
	tr := trainer(t, cfg, village(t, shape, 100, 5, false), 1)
	before := slices.Clone(tr.weights.Data)
	if err := tr.Run(context.Background(), func(Progress) error { return nil }); err != nil {
		t.Fatal(err)
	}
	for _, p := range tr.model.Params() {
		from, to := p.Offset, p.Offset+p.Rows*p.Cols
		same := slices.Equal(before[from:to], tr.weights.Data[from:to])
		if frozen := p.Group != "fusion" && p.Group != "head"; same != frozen {
			t.Errorf("%s: changed %v, frozen %v", p.Name, !same, frozen)
		}
	}
}

func TestStopsEarly(t *testing.T) {
	t.Parallel()
	cfg := settings()
	cfg.Stages, cfg.Every, cfg.Patience = []Stage{{Full, 500, 1}}, 2, 3 // a rate that spoils
	tr := trainer(t, cfg, village(t, shape, 200, 10, false), 2)
	if err := tr.Run(context.Background(), func(Progress) error { return nil }); err != nil {
		t.Fatal(err)
	}
	best, j := tr.Best()
	if tr.Steps() == 500 || tr.Steps() != j.Step+6 || slices.Equal(best, tr.weights.Data) {
		t.Errorf("stopped at %d, best at %d", tr.Steps(), j.Step)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := trainer(t, settings(), village(t, shape, 100, 5, false), 1).Run(ctx, func(Progress) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	set := village(t, shape, 100, 5, false)
	m := newModel(t, shape)
	for what, change := range map[string]func(*Config){
		"half":      func(c *Config) { c.Views.Half = 2 },
		"fan":       func(c *Config) { c.Views.Fan = []int{3} },
		"hard":      func(c *Config) { c.Negatives.Hard = 0 },
		"no stages": func(c *Config) { c.Stages = nil },
		"stage":     func(c *Config) { c.Stages = []Stage{{"all", 1, 1}} },
		"held out":  func(c *Config) { c.HeldOut = 0 },
		"every":     func(c *Config) { c.Every = 0 },
		"batch":     func(c *Config) { c.Batch = 17 },
		"branch":    func(c *Config) { c.BranchWeight = -1 },
		"branches":  func(c *Config) { c.BranchWeight = math.NaN() },
		"momentum":  func(c *Config) { c.MoCo.Momentum = 2 },
	} {
		cfg := settings()
		change(&cfg)
		if _, err := New(cfg, set, m, m.Init(), newPool(t, 1)); err == nil {
			t.Errorf("%s: accepted", what)
		}
	}
	other := shape
	other.Relations++
	if _, err := New(settings(), set, newModel(t, other), newModel(t, other).Init(), newPool(t, 1)); err == nil {
		t.Error("a set for another model was accepted")
	}
	for what, change := range map[string]func(*Builder){
		"features":  func(b *Builder) { b.AddNode(make([]float32, 3)) },
		"modality":  func(b *Builder) { b.AddNode(nil, nil, nil) },
		"neighbour": func(b *Builder) { b.AddEdge(b.AddNode(), Edge{7, 0}) },
		"relation":  func(b *Builder) { b.AddEdge(b.AddNode(), Edge{0, 99}) },
		"artifact":  func(b *Builder) { b.AddArtifact(Artifact{Node: 3}) },
		"related":   func(b *Builder) { b.AddArtifact(Artifact{Node: b.AddNode(), Related: []int32{-1}}) },
	} {
		b := NewBuilder(shape)
		change(b)
		if _, err := b.Build(words{}); err == nil {
			t.Errorf("set with a wrong %s: built", what)
		}
	}
	tr := trainer(t, settings(), set, 1)
	c, err := tr.Checkpoint(checkpoint.Meta{})
	if err != nil {
		t.Fatal(err)
	}
	changed := settings()
	changed.Patience++
	if err := trainer(t, changed, village(t, shape, 100, 5, false), 1).Resume(c); err == nil || !strings.Contains(err.Error(), "was made with") {
		t.Errorf("a checkpoint of another configuration: %v", err)
	}
	c.Progress = bytes.Replace(c.Progress, []byte(`"Validations"`), []byte(`"Judged"`), 1)
	if err := trainer(t, settings(), village(t, shape, 100, 5, false), 1).Resume(c); err == nil || !strings.Contains(err.Error(), `unknown field "Judged"`) {
		t.Errorf("a checkpoint whose progress has the fields of an earlier version: %v", err)
	}
}

// TestHeldBranch: a branch that is held keeps its weights to the bit while the others learn, and a bounded temperature stays in its
// bounds.
func TestHeldBranch(t *testing.T) {
	t.Parallel()
	cfg := settings()
	cfg.Held = []string{shape.Modalities[1].Name}
	cfg.MoCo.Temperature, cfg.MoCo.Coldest, cfg.MoCo.Hottest, cfg.MoCo.LearnTemperature = 0.5, 0.499, 0.501, true
	tr := trainer(t, cfg, village(t, shape, 100, 5, false), 1)
	before := slices.Clone(tr.weights.Data)
	if err := tr.Run(context.Background(), func(p Progress) error {
		if p.Step > 0 && (p.Temperature < 0.4989 || p.Temperature > 0.5011) {
			t.Errorf("step %d: temperature %v", p.Step, p.Temperature)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, p := range tr.model.Params() {
		same := slices.Equal(before[p.Offset:p.Offset+p.Rows*p.Cols], tr.weights.Data[p.Offset:p.Offset+p.Rows*p.Cols])
		branch := p.Group != "fusion" && p.Group != "head"
		if held := branch && strings.HasPrefix(p.Name, cfg.Held[0]+"."); held != same {
			t.Errorf("%s: unchanged %v, held %v", p.Name, same, held)
		}
	}
}
