package train

import (
	"bytes"
	"context"
	"errors"
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
	"kilim/learner/tensor/vec"
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
// and half of its words. Entities read them back unless oneWay is set. Every second artifact has a picture.
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

// TestSampledViewAgreesWithTheWhole: a view that shows all of an artifact and reads all its neighbours has the
// embedding that the whole Set gives it, for 1, 2 and 3 layers: sampling only leaves out. Entities don't read the
// artifacts back here, as those of a batch are never read.
func TestSampledViewAgreesWithTheWhole(t *testing.T) {
	t.Parallel()
	for layers := 1; layers <= 3; layers++ {
		cfg := shape
		cfg.Layers = layers
		set := village(t, cfg, 60, 6, true)
		m := newModel(t, cfg)
		w, r := m.Init(), rand.New(rand.NewPCG(1, 1))
		for i := range w.Data {
			w.Data[i] += float32(r.NormFloat64()) * 0.02
		}
		pool := newPool(t, 2)
		want, err := Embed(set, m, w, pool)
		if err != nil {
			t.Fatal(err)
		}
		s, err := NewSampler(set, []int32{0, 33}, 1, Views{Fan: []int{100, 100, 100}[:layers]}, 1)
		if err != nil {
			t.Fatal(err)
		}
		for step := range s.PerPass() {
			b, err := s.Draw(step)
			if err != nil {
				t.Fatal(err)
			}
			tp := tape.New(pool)
			z, _, err := m.Forward(tp, w, b.Key.Features, b.Key.Block, 0, false)
			if err != nil {
				t.Fatal(err)
			}
			z = tp.Unit(z)
			for j, x := range want.Row(int(set.artifacts[b.Pairs[0].Key].Node)) {
				if math.Abs(float64(x-z.Data[j])) > 1e-5 {
					t.Fatalf("%d layers: number %d of artifact %d is %v in a view, %v in the whole", layers, j, b.Pairs[0].Key, z.Data[j], x)
				}
			}
		}
	}
}

// TestBatches: the two halves of a record share no part; no artifact of the batch is read; a batch is a function of its
// step; a pass draws each artifact once.
func TestBatches(t *testing.T) {
	t.Parallel()
	set := village(t, shape, 96, 6, false)
	all := make([]int32, 96)
	for i := range all {
		all[i] = int32(i)
	}
	sampler := func() *Sampler {
		s, err := NewSampler(set, all, 16, Defaults(2).Views, 1)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := sampler()
	r := rand.New(rand.NewPCG(1, 1))
	for a := range set.artifacts {
		q, k := viewSpec{artifact: int32(a)}, viewSpec{artifact: int32(a)}
		s.splitParts(r, &q, &k)
		if len(q.parts)+len(k.parts) != fields || len(q.parts) < 1 || len(k.parts) < 1 {
			t.Fatalf("halves of %d and %d parts", len(q.parts), len(k.parts))
		}
		for _, p := range q.parts {
			for _, o := range k.parts {
				if p.Edges[0] == o.Edges[0] {
					t.Fatal("both halves have a part")
				}
			}
			if len(s.edgesOf(&q)) > len(q.parts)+1 { // and the link
				t.Fatalf("%d parts come with %d edges", len(q.parts), len(s.edgesOf(&q)))
			}
		}
	}
	drawn := map[int32]int{}
	linked := 0
	for step := range s.PerPass() {
		b, err := s.Draw(step)
		if err != nil {
			t.Fatal(err)
		}
		in := map[int32]bool{}
		for _, p := range b.Pairs {
			drawn[p.Query]++
			in[set.artifacts[p.Query].Node], in[set.artifacts[p.Key].Node] = true, true
			if p.Key != p.Query {
				linked++
				if set.artifacts[p.Query].Links[0] != set.artifacts[p.Key].Node {
					t.Error("a positive is neither the artifact nor linked to it")
				}
			}
		}
		for _, v := range []*model.Block{b.Query.Block, b.Key.Block} {
			for m := range v.Rows {
				for node, row := range set.rowOf[m] {
					if in[int32(node)] && row >= 0 && slices.Contains(v.Rows[m].Source, row) {
						t.Fatalf("artifact node %d of the batch is read in it", node)
					}
				}
			}
		}
	}
	if len(drawn) != 96 || linked == 0 {
		t.Errorf("%d artifacts drawn of 96, %d linked pairs", len(drawn), linked)
	}
	if _, err := s.Draw(7); err != nil {
		t.Fatal(err)
	}
	a, err := s.Draw(3)
	if err != nil {
		t.Fatal(err)
	}
	b, err := sampler().Draw(3)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(a.Pairs, b.Pairs) || !slices.Equal(a.Key.Block.Rows[0].Source, b.Key.Block.Rows[0].Source) ||
		!slices.Equal(a.Query.Features[0].Data, b.Query.Features[0].Data) {
		t.Error("a batch depends on what was drawn before")
	}
}

// TestEmbedWithoutOrigin: it changes the embedding of an artifact whose record names an origin, and no other.
func TestEmbedWithoutOrigin(t *testing.T) {
	t.Parallel()
	set := village(t, shape, 60, 6, true)
	for i := range set.artifacts[33].Parts {
		set.artifacts[33].Parts[i].Origin = false
	}
	m, pool := newModel(t, shape), newPool(t, 2)
	w := m.Init()
	whole, err := Embed(set, m, w, pool)
	if err != nil {
		t.Fatal(err)
	}
	artifacts := []int32{0, 2, 33}
	z, err := EmbedWithoutOrigin(set, artifacts, 1, Views{Fan: []int{100, 100}}, 1, m, w, pool)
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range artifacts {
		if same := vec.Dot(z.Row(i), whole.Row(int(set.artifacts[a].Node))) > 1-1e-5; same != (a == 33) {
			t.Errorf("artifact %d: the bare embedding is the whole one's: %v", a, same)
		}
	}
}

// TestViewsWithoutOrigin: a view without origin has all parts that name no origin or, if there are none, all parts.
func TestViewsWithoutOrigin(t *testing.T) {
	t.Parallel()
	set := village(t, shape, 24, 6, false)
	set.artifacts[1].Parts = set.artifacts[1].Parts[1:2]
	s, err := NewSampler(set, []int32{0, 1}, 2, Views{NoOrigin: 1, Fan: []int{9, 9}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	for artifact, want := range []int{fields - 1, 1} {
		q, k := s.drawViews(rand.New(rand.NewPCG(1, 1)), Pair{int32(artifact), int32(artifact)})
		if len(q.parts) != want || want > 1 && slices.ContainsFunc(q.parts, func(p Part) bool { return p.Origin }) {
			t.Errorf("artifact %d: the bare view has %+v", artifact, q.parts)
		}
		if len(k.parts) != len(set.artifacts[artifact].Parts) {
			t.Errorf("artifact %d: the other view has %d parts", artifact, len(k.parts))
		}
	}
}

// TestClasses: the classes of a batch are its artifacts' cultures, numbered from 0.
func TestClasses(t *testing.T) {
	t.Parallel()
	set := village(t, shape, 24, 6, false)
	if set.classes != 3 {
		t.Fatalf("%d classes of 3 cultures", set.classes)
	}
	all := make([]int32, 24)
	for i := range all {
		all[i] = int32(i)
	}
	s, err := NewSampler(set, all, 12, Views{Link: 0.5, Fan: []int{9, 9}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Draw(0)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range b.Pairs {
		if q, k := set.artifacts[p.Query].Culture, set.artifacts[p.Key].Culture; b.Query.Classes[i] != q || b.Key.Classes[i] != k {
			t.Errorf("pair %d of the cultures %d and %d has the classes %d and %d", i, q, k, b.Query.Classes[i], b.Key.Classes[i])
		}
	}
}

func TestNegatives(t *testing.T) {
	t.Parallel()
	set := village(t, shape, 24, 6, false)
	o := newOwners(set, Negatives{Hard: 3}, 40)
	o.pairs = []Pair{{12, 12}} // culture 0, linked to 6
	for place, artifact := range map[int]int32{0: 12, 1: 6, 2: 0, 3: 2, 4: 4, 5: 3} {
		o.put(place, artifact)
	}
	o.put(5, 4) // 3 is gone
	cosines, weights := make([]float32, 40), make([]float32, 40)
	for j := range cosines {
		cosines[j] = float32(j%3) / 100
	}
	cosines[2], cosines[3] = 0.9, 0.9
	o.Weigh(0, cosines, weights)
	want := []float32{0, 0, 1, 3, 1, 1, 1}
	if !slices.Equal(weights[:7], want) {
		t.Errorf("weights are %v, want %v: itself, linked, same culture, other and near, other, other, of nobody", weights[:7], want)
	}
	if len(o.slots[3]) != 0 || !slices.Equal(o.slots[4], []int32{4, 5}) {
		t.Errorf("places of 3 and 4 are %v and %v", o.slots[3], o.slots[4])
	}
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
	if s.rate(0) != 0.2 || s.rate(10) != 2 || math.Abs(s.rate(99)-0.2) > 0.01 || s.rate(50) >= s.rate(40) {
		t.Errorf("rates %v, %v, %v", s.rate(0), s.rate(10), s.rate(99))
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
// and goes on in another Trainer; and the held-out halves are found better after it.
func TestRunRepeatsResumesAndLearns(t *testing.T) {
	t.Parallel()
	cfg := settings()
	run := func(tr *Trainer, stopAt int) []byte {
		t.Helper()
		err := tr.Run(context.Background(), func(p Progress) error {
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
	for _, at := range []int{1, 12, 37} {
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
	if err := trainer(t, settings(), village(t, shape, 100, 5, false), 1).Run(ctx, nil); !errors.Is(err, context.Canceled) {
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
		"kin":       func(b *Builder) { b.AddArtifact(Artifact{Node: b.AddNode(), Related: []int32{-1}}) },
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
}
