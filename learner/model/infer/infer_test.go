package infer

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"kilim/learner/model"
	"kilim/learner/tensor/sparse"
)

var shape = Config{Text: 20, Facts: 3, Image: 14, Audio: 9, Width: 24, Bases: 3, Heads: 4, Relations: 9, Types: 4, Seed: 3}

// random returns weights of which none is zero and no matrix the identity, so that every part shows in the result.
func random(t testing.TB, cfg Config) (*Model, *model.Model, *model.Weights) {
	t.Helper()
	tm, err := model.New(cfg.Shape())
	if err != nil {
		t.Fatal(err)
	}
	w := tm.Init()
	rng := rand.New(rand.NewPCG(cfg.Seed, 9))
	for i := range w.Data {
		w.Data[i] += float32(0.2 * rng.NormFloat64())
	}
	m, err := New(cfg, w.Data)
	if err != nil {
		t.Fatal(err)
	}
	return m, tm, w
}

func vector(rng *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(rng.NormFloat64())
	}
	return v
}

// textFeatures are those of a text, which is a short one half of the times.
func textFeatures(rng *rand.Rand, n int) sparse.Vector {
	v := vector(rng, n)
	if rng.IntN(2) == 0 {
		for i := range v {
			if rng.IntN(8) > 0 {
				v[i] = 0
			}
		}
	}
	return sparse.Of(v)
}

// artifact is Artifacts of one, of type 0.
func (m *Model) artifact(f Features) []float32 { return m.Artifacts([]Features{f}, 0)[0] }

// world is a small graph: artifacts, then entities; an edge a relation.
type world struct {
	features  []Features
	typ       []int
	artifacts int
	edges     [][]edge // of each node, by relation
}

type edge struct{ to, relation int }

func randomWorld(rng *rand.Rand, cfg Config) *world {
	w := &world{artifacts: 12}
	nodes := w.artifacts + 6
	w.edges = make([][]edge, nodes)
	for i := range nodes {
		f := Features{}
		if rng.IntN(4) > 0 {
			f.Text = textFeatures(rng, cfg.Text)
		}
		typ := 1 + rng.IntN(cfg.Types-1)
		if i < w.artifacts {
			typ = 0
			if rng.IntN(2) == 0 {
				f.Facts = vector(rng, cfg.Facts)
			}
			if rng.IntN(2) == 0 {
				f.Image = vector(rng, cfg.Image)
			}
			if rng.IntN(3) == 0 {
				f.Audio = vector(rng, cfg.Audio)
			}
			for range 1 + rng.IntN(4) {
				to, r := w.artifacts+rng.IntN(6), 2*rng.IntN(cfg.Relations/2)
				if !slices.Contains(w.edges[i], edge{to, r}) {
					w.edges[i] = append(w.edges[i], edge{to, r})
					w.edges[to] = append(w.edges[to], edge{i, r + 1})
				}
			}
		}
		w.features, w.typ = append(w.features, f), append(w.typ, typ)
	}
	for _, es := range w.edges {
		slices.SortFunc(es, func(a, b edge) int { return (a.relation-b.relation)*1000 + a.to - b.to })
	}
	return w
}

// messages averages for a layer, per relation and block, over the neighbours at which the block is active.
func (w *world) messages(m *Model, l, i int, h [][]float32) []Message {
	width := m.MessageWidth(l)
	var out []Message
	for k := 0; k < len(w.edges[i]); {
		r := w.edges[i][k].relation
		mean := make([]float32, modalities*width)
		var n [modalities]float32
		for ; k < len(w.edges[i]) && w.edges[i][k].relation == r; k++ {
			for mode := range modalities {
				v := m.Give(l, r, h[w.edges[i][k].to])
				if b, _ := m.blockOf(v, mode, width); b != nil {
					n[mode]++
					add(mean[mode*width:(mode+1)*width], v[mode*width:])
				}
			}
		}
		for mode, n := range n {
			for j := range width {
				if n > 0 {
					mean[mode*width+j] /= n
				}
			}
		}
		out = append(out, Message{r, mean})
	}
	return out
}

func (w *world) embed(m *Model) [][]float32 {
	h, direct := make([][]float32, len(w.edges)), make([][]float32, w.artifacts)
	for i := range w.edges {
		if i < w.artifacts {
			direct[i] = m.artifact(w.features[i])
			h[i], _ = Halves(direct[i])
		} else {
			h[i] = m.Node(w.features[i].Text, w.typ[i])
		}
	}
	for l := range m.Layers() {
		in := make([]Input, len(h))
		for i := range h {
			in[i] = Input{h[i], w.messages(m, l, i, h)}
		}
		h = m.Layer(l, in, 0)
	}
	return m.Output(h[:w.artifacts], direct)
}

// TestAgainstTape holds the function to be the one that is trained, for each combination of the options and of the
// modalities: both see every neighbour.
func TestAgainstTape(t *testing.T) {
	t.Parallel()
	seed := uint64(0)
	for _, fusion := range []string{model.FusionAttention, model.FusionMLP, model.FusionTransformer} {
		for _, residual := range []string{model.ResidualSum, model.ResidualConcat} {
			for i, size := range [][2]int{{24, 4}, {32, 8}, {40, 5}} {
				for k, media := range [][2]int{{0, 0}, {shape.Image, 0}, {0, shape.Audio}, {shape.Image, shape.Audio}} {
					for _, layers := range []int{2, 3} {
						seed++
						cfg := shape.With(model.Options{Width: size[0], Embedding: embedding(seed), Layers: layers, Heads: size[1], Fusion: fusion, Residual: residual})
						cfg.Image, cfg.Audio, cfg.Seed = media[0], media[1], seed
						againstTape(t, cfg)
						if i == (k+layers+len(fusion))%3 { // one of the sizes
							cfg.Aggregator = model.AggregatorAttention
							againstTape(t, cfg)
						}
					}
				}
			}
		}
	}
}

// embedding is, for most combinations, not the width: shorter, longer or no multiple of what the products are packed in.
func embedding(seed uint64) int { return []int{0, 8, 48, 21, 16}[seed%5] }

func againstTape(t *testing.T, cfg Config) {
	t.Helper()
	m, tm, weights := random(t, cfg)
	w := randomWorld(rand.New(rand.NewPCG(cfg.Seed, 1)), cfg)
	got := w.embed(m)
	want := w.onTape(t, cfg, tm, weights)
	for i := range got {
		var length float64
		for _, x := range want[i] {
			length += x * x
		}
		length = math.Sqrt(length)
		for j := range got[i] {
			if d := math.Abs(float64(got[i][j]) - want[i][j]/length); !(d < 2e-5) {
				t.Fatalf("%+v, artifact %d (%+v): E[%d] is %v, on the tape %v", cfg, i, presence(w.features[i]), j, got[i][j], want[i][j]/length)
			}
		}
	}
}

func presence(f Features) [4]bool {
	return [4]bool{f.Text.Length > 0, f.Facts != nil, f.Image != nil, f.Audio != nil}
}

// TestWhatIsMaskedHasNoEffect: a modality that the model lacks, zeros in place of nothing, and what lies beyond the
// last block.
func TestWhatIsMaskedHasNoEffect(t *testing.T) {
	t.Parallel()
	cfg := shape
	cfg.Audio = 0
	m, _, _ := random(t, cfg)
	rng := rand.New(rand.NewPCG(5, 5))
	text, picture := sparse.Of(vector(rng, cfg.Text)), vector(rng, cfg.Image)
	want := m.artifact(Features{Text: text})
	for name, f := range map[string]Features{
		"sound for a model without":  {Text: text, Audio: vector(rng, 9)},
		"zeros for a picture":        {Text: text, Image: make([]float32, cfg.Image)},
		"zeros for facts":            {Text: text, Facts: make([]float32, cfg.Facts)},
		"an empty picture, no facts": {Text: text, Image: []float32{}},
	} {
		if got := m.artifact(f); !slices.Equal(got, want) {
			t.Errorf("%s: features differ", name)
		}
	}
	both := m.artifact(Features{Text: text, Image: picture})
	h0, direct := Halves(both)
	if len(h0) != 2*cfg.Width || len(direct) != 2*cfg.Width {
		t.Fatalf("%d and %d numbers, want two blocks each", len(h0), len(direct))
	}
	// The picture's branch has a vector, but the artifact has no picture: its token is masked.
	alone, _ := Halves(want)
	a := m.Output([][]float32{alone}, [][]float32{want})[0]
	b := m.Output([][]float32{h0}, [][]float32{want})[0]
	if !slices.Equal(a, b) {
		t.Error("what others' pictures say of an artifact without one changes its embedding")
	}
}

// TestRowsAreBitExact is the guarantee: a row has the same bits alone, at any place of a batch, in batches that span
// several chunks, and on any number of processors.
func TestRowsAreBitExact(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	m, _, _ := random(t, shape)
	rng := rand.New(rand.NewPCG(2, 2))
	const n = 3*rowsPerChunk + 5
	in, features := make([]Input, n), make([][]float32, n)
	for i := range in {
		f := Features{Text: textFeatures(rng, shape.Text)}
		if i%3 == 0 {
			f.Image = vector(rng, shape.Image)
		}
		if i%4 == 0 {
			f.Audio = vector(rng, shape.Audio)
		}
		features[i] = m.artifact(f)
		in[i].Self, _ = Halves(features[i])
		for r := range shape.Relations {
			if rng.IntN(3) == 0 {
				in[i].Messages = append(in[i].Messages, Message{r, vector(rng, (1+rng.IntN(modalities))*shape.Width)})
			}
		}
	}
	wantLayer := make([][]float32, n)
	wantOut := make([][]float32, n)
	for i := range in {
		wantLayer[i] = m.Layer(1, in[i:i+1], 0)[0]
		wantOut[i] = m.Output(wantLayer[i:i+1], features[i:i+1])[0]
	}
	for procs := 1; procs <= 3; procs++ {
		runtime.GOMAXPROCS(procs)
		for range 10 {
			from := rng.IntN(n)
			to := from + 1 + rng.IntN(n-from)
			h := m.Layer(1, in[from:to], 0)
			e := m.Output(h, features[from:to])
			for i := range h {
				if !slices.Equal(h[i], wantLayer[from+i]) || !slices.Equal(e[i], wantOut[from+i]) {
					t.Fatalf("row %d of %d..%d on %d processors differs", from+i, from, to, procs)
				}
			}
		}
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i, h := range m.Layer(1, in, 0) {
				if !slices.Equal(h, wantLayer[i]) {
					t.Errorf("row %d differs when several compute", i)
				}
			}
		})
	}
	wg.Wait()
}

// TestInputsAreBitExact: an artifact's input has the same bits alone and among others, with a text in either form, and on
// any number of processors; an entity's with a label in either form.
func TestInputsAreBitExact(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	cfg := shape
	cfg.Text = 700
	m, _, _ := random(t, cfg)
	rng := rand.New(rand.NewPCG(6, 6))
	features := make([]Features, 3*rowsPerChunk+5)
	want := make([][]float32, len(features))
	for i := range features {
		dense := make([]float32, cfg.Text)
		share := rng.Float64() * rng.Float64()
		for j := range dense {
			if rng.Float64() < share {
				dense[j] = float32(rng.NormFloat64())
			}
		}
		whole := sparse.Vector{Length: cfg.Text, Value: dense}
		f := Features{Text: whole}
		if i%3 == 0 {
			f.Facts, f.Image = vector(rng, cfg.Facts), vector(rng, cfg.Image)
		}
		if i%4 == 0 {
			f.Audio = vector(rng, cfg.Audio)
		}
		if i%7 == 0 {
			f.Text = sparse.Vector{}
		}
		want[i] = m.artifact(f)
		label := m.Node(whole, 1)
		for _, form := range []sparse.Vector{sparse.Of(dense), sparse.NonZeros(dense)} {
			if !slices.Equal(m.Node(form, 1), label) {
				t.Fatalf("the input of a label with %d of %d numbers is not that of all", len(form.Value), cfg.Text)
			}
		}
		if f.Text.Length > 0 {
			f.Text = sparse.Of(dense)
		}
		features[i] = f
	}
	for procs := 1; procs <= 3; procs++ {
		runtime.GOMAXPROCS(procs)
		for range 10 {
			from := rng.IntN(len(features))
			to := from + 1 + rng.IntN(len(features)-from)
			for i, got := range m.Artifacts(features[from:to], 0) {
				if !slices.Equal(got, want[from+i]) {
					t.Fatalf("artifact %d of %d..%d on %d processors differs", from+i, from, to, procs)
				}
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*Config){
		"infer: text 0":       func(c *Config) { c.Text = 0 },
		"infer: image -1":     func(c *Config) { c.Image = -1 },
		"infer: types 0":      func(c *Config) { c.Types = 0 },
		"model: heads 5":      func(c *Config) { c.Heads = 5 },
		"model: relations -3": func(c *Config) { c.Relations = -3 },
	} {
		cfg := shape
		edit(&cfg)
		if _, err := Seeded(cfg); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	m, tm, w := random(t, shape)
	if _, err := New(shape, w.Data[1:]); err == nil || !strings.Contains(err.Error(), fmt.Sprint(tm.Size())) {
		t.Errorf("a weight is missing: %v", err)
	}
	w.Data[7] = float32(math.NaN())
	if _, err := New(shape, w.Data); err == nil || !strings.Contains(err.Error(), "weight 7 is NaN") {
		t.Errorf("a weight is not a number: %v", err)
	}
	for name, f := range map[string]func(){
		"text has length 3": func() { m.Node(sparse.Of(make([]float32, 3)), 1) },
		"type 4":            func() { m.Node(sparse.Vector{}, 4) },
		"self[2] is NaN": func() {
			m.Layer(0, []Input{{Self: append([]float32{1, 2, float32(math.NaN())}, make([]float32, 21)...)}}, 0)
		},
		"mean has length 5": func() {
			m.Layer(0, []Input{{Self: make([]float32, 24), Messages: []Message{{1, make([]float32, 5)}}}}, 0)
		},
		"relation 9": func() {
			m.Layer(0, []Input{{Self: make([]float32, 24), Messages: []Message{{9, make([]float32, 24)}}}}, 0)
		},
	} {
		func() {
			defer func() {
				if r := recover(); r == nil || !strings.Contains(fmt.Sprint(r), name) {
					t.Errorf("%s: %v", name, r)
				}
			}()
			f()
		}()
	}
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	a, err := Seeded(shape)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Seeded(shape)
	if err != nil {
		t.Fatal(err)
	}
	other := shape
	other.Seed++
	c, err := Seeded(other)
	if err != nil {
		t.Fatal(err)
	}
	if a.Fingerprint() != b.Fingerprint() || a.Fingerprint() == c.Fingerprint() || len(a.Fingerprint()) != 16 {
		t.Errorf("fingerprints %q, %q and of another seed %q", a.Fingerprint(), b.Fingerprint(), c.Fingerprint())
	}
}
