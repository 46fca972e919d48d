package sage

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"

	"kilim/learner/simd"
)

func small(t testing.TB, cfg Config) *Model {
	t.Helper()
	m, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

var shape = Config{Features: 20, Width: 37, Embedding: 11, Bases: 3, Layers: 2, Relations: 9, Types: 4, Seed: 3}

func vector(rng *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(rng.NormFloat64())
	}
	return v
}

func randomInput(rng *rand.Rand, cfg Config) Input {
	in := Input{Self: vector(rng, cfg.Width)}
	for r := range cfg.Relations {
		if rng.IntN(3) == 0 {
			in.Messages = append(in.Messages, Message{r, vector(rng, cfg.Width)})
		}
	}
	return in
}

// layerOracle is the formula of the package, in float64, with W_r formed.
func layerOracle(m *Model, l int, in Input) []float64 {
	w := m.cfg.Width
	ly := m.layers[l]
	sum := make([]float64, w)
	times := func(v []float32, weight func(i, j int) float64) {
		for i, x := range v {
			for j := range sum {
				sum[j] += float64(x) * weight(i, j)
			}
		}
	}
	times(in.Self, func(i, j int) float64 { return float64(row(ly.weights, i)[j]) })
	for _, msg := range in.Messages {
		times(msg.Mean, func(i, j int) float64 {
			wr := 0.0
			for b := range m.cfg.Bases {
				wr += float64(row(ly.coefficients, msg.Relation)[b]) * float64(row(ly.weights, (1+b)*w+i)[j])
			}
			return wr
		})
	}
	for j := range sum {
		sum[j] = max(sum[j], 0)
	}
	norm64(sum)
	for j := range sum {
		sum[j] = gain*sum[j] + float64(in.Self[j])
	}
	return sum
}

func norm64(v []float64) {
	mean, square := 0.0, 0.0
	for _, x := range v {
		mean += x / float64(len(v))
	}
	for _, x := range v {
		square += (x - mean) * (x - mean) / float64(len(v))
	}
	for i := range v {
		v[i] = (v[i] - mean) / math.Sqrt(square+1e-5)
	}
}

func near(t *testing.T, what string, got []float32, want []float64) {
	t.Helper()
	for i := range want {
		if d := math.Abs(float64(got[i]) - want[i]); !(d < 1e-5) {
			t.Fatalf("%s[%d] is %v, want %v", what, i, got[i], want[i])
		}
	}
}

func TestAgainstFormula(t *testing.T) {
	t.Parallel()
	m := small(t, shape)
	rng := rand.New(rand.NewPCG(1, 1))
	for range 20 {
		in := randomInput(rng, shape)
		for l := range shape.Layers {
			out := [][]float32{make([]float32, shape.Width)}
			m.Layer(l, []Input{in}, out)
			near(t, "layer", out[0], layerOracle(m, l, in))
		}
		x := vector(rng, shape.Features)
		h0 := make([]float32, shape.Width)
		m.Input(x, 2, h0)
		want := make([]float64, shape.Width)
		for j := range want {
			want[j] = float64(row(m.types, 2)[j])
			for i := range x {
				want[j] += float64(x[i]) * float64(row(m.in, i)[j])
			}
		}
		norm64(want)
		near(t, "h0", h0, want)

		h2 := vector(rng, shape.Width)
		e := make([]float32, shape.Embedding)
		m.Output(h2, h0, e)
		want = make([]float64, shape.Embedding)
		n := 0.0
		for j := range want {
			for i := range h2 {
				want[j] += float64(h2[i])*float64(row(m.out, i)[j]) + float64(h0[i])*float64(row(m.out, shape.Width+i)[j])
			}
			n += want[j] * want[j]
		}
		for j := range want {
			want[j] /= math.Sqrt(n)
		}
		near(t, "embedding", e, want)
	}
}

// The guarantee: alone, at any place of a batch, in batches of any size over the
// borders of blocks, and on any number of processors, a row is the same.
func TestRowsAreBitExact(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, impl := range []blas.Float32{simd.New(), gonum.Implementation{}} {
		for _, cfg := range []Config{shape, {Features: 64, Width: 128, Embedding: 64, Bases: 4, Layers: 1, Relations: 6, Types: 2, Seed: 1}} {
			m, err := NewWith(cfg, impl)
			if err != nil {
				t.Fatal(err)
			}
			rng := rand.New(rand.NewPCG(2, 1))
			in := make([]Input, 5*blockRows+3)
			runtime.GOMAXPROCS(1)
			alone := outputs(len(in), cfg.Width)
			for i := range in {
				in[i] = randomInput(rng, cfg)
				m.Layer(0, in[i:i+1], alone[i:i+1])
			}
			for trial := range 24 {
				runtime.GOMAXPROCS(1 + trial%4)
				from := rng.IntN(len(in))
				to := from + 1 + rng.IntN(len(in)-from)
				out := outputs(to-from, cfg.Width)
				m.Layer(0, in[from:to], out)
				for i := range out {
					if !slices.Equal(out[i], alone[from+i]) {
						t.Fatalf("%T, width %d: row %d of the batch [%d, %d) differs from the row alone", impl, cfg.Width, i, from, to)
					}
				}
			}
		}
	}
}

func outputs(n, width int) [][]float32 {
	out := make([][]float32, n)
	for i := range out {
		out[i] = make([]float32, width)
	}
	return out
}

// Scratch is pooled: what one caller computed must not reach another.
func TestConcurrentCallers(t *testing.T) {
	t.Parallel()
	m := small(t, shape)
	rng := rand.New(rand.NewPCG(5, 1))
	in := make([]Input, 70)
	for i := range in {
		in[i] = randomInput(rng, shape)
	}
	want, wantE := outputs(len(in), shape.Width), make([]float32, shape.Embedding)
	m.Layer(1, in, want)
	m.Output(want[0], want[1], wantE)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 10 {
				out, e := outputs(len(in), shape.Width), make([]float32, shape.Embedding)
				m.Layer(1, in, out)
				m.Output(out[0], out[1], e)
				for i := range out {
					if !slices.Equal(out[i], want[i]) {
						t.Errorf("row %d differs beside other callers", i)
						return
					}
				}
				if !slices.Equal(e, wantE) {
					t.Error("the embedding differs beside other callers")
				}
			}
		})
	}
	wg.Wait()
}

func TestProgrammingErrorsSayWhat(t *testing.T) {
	t.Parallel()
	m := small(t, shape)
	h, x := make([]float32, shape.Width), make([]float32, shape.Features)
	with := func(v []float32, bad float64) []float32 {
		out := slices.Clone(v)
		out[2] = float32(bad)
		return out
	}
	layer := func(in Input) func() {
		return func() { m.Layer(0, []Input{in}, outputs(1, shape.Width)) }
	}
	for want, call := range map[string]func(){
		"type 4":           func() { m.Input(x, 4, h) },
		"type -1":          func() { m.Input(x, -1, h) },
		"features has":     func() { m.Input(with(h, 1)[:7], 0, h) },
		"features[2]":      func() { m.Input(with(x, math.NaN()), 0, h) },
		"layer 2":          func() { m.Layer(2, nil, nil) },
		"out has length 0": func() { m.Layer(0, []Input{{Self: h}}, nil) },
		"self has":         layer(Input{Self: h[1:]}),
		"self[2]":          layer(Input{Self: with(h, math.Inf(-1))}),
		"relation 9":       layer(Input{Self: h, Messages: []Message{{9, h}}}),
		"mean has":         layer(Input{Self: h, Messages: []Message{{1, nil}}}),
		"mean[2]":          layer(Input{Self: h, Messages: []Message{{1, with(h, 1e30)}}}),
		"h0[2] is +Inf":    func() { m.Output(h, with(h, math.Inf(1)), make([]float32, shape.Embedding)) },
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, want) {
					t.Errorf("panic %q does not name %q", got, want)
				}
			}()
			call()
		}()
	}
}

func TestNoRowsAndNoMessages(t *testing.T) {
	t.Parallel()
	m := small(t, shape)
	m.Layer(0, nil, nil)
	zero, out := make([]float32, shape.Width), outputs(1, shape.Width)
	m.Layer(0, []Input{{Self: zero}}, out)
	if !slices.Equal(out[0], zero) {
		t.Errorf("nothing in, %v out", out[0])
	}
}

func TestOrthogonal(t *testing.T) {
	t.Parallel()
	w := weightSource{rand.New(rand.NewPCG(8, 8))}
	for _, s := range [][2]int{{20, 7}, {7, 20}, {1, 1}, {30, 30}} {
		m := w.orthogonal(s[0], s[1])
		for i := range min(s[0], s[1]) {
			for j := range i + 1 {
				d, want := 0.0, 0.0
				for k := range max(s[0], s[1]) {
					if s[0] <= s[1] {
						d += float64(row(m, i)[k]) * float64(row(m, j)[k])
					} else {
						d += float64(row(m, k)[i]) * float64(row(m, k)[j])
					}
				}
				if i == j {
					want = 1
				}
				if math.Abs(d-want) > 1e-6 {
					t.Fatalf("%v: vectors %d and %d have product %v", s, i, j, d)
				}
			}
		}
	}
}

func TestAbsentFeatures(t *testing.T) {
	t.Parallel()
	m := small(t, shape)
	a, b, c := make([]float32, shape.Width), make([]float32, shape.Width), make([]float32, shape.Width)
	m.Input(nil, 1, a)
	m.Input(make([]float32, shape.Features), 1, b)
	m.Input(nil, 2, c)
	if !slices.Equal(a, b) {
		t.Error("zero features are not absent ones")
	}
	if slices.Equal(a, c) {
		t.Error("two types without features are alike")
	}
}

func TestSeedAndFingerprint(t *testing.T) {
	t.Parallel()
	a, b := small(t, shape), small(t, shape)
	if a.Fingerprint() != b.Fingerprint() || !slices.Equal(a.out.Data, b.out.Data) {
		t.Error("one seed, two models")
	}
	other := shape
	other.Seed++
	if c := small(t, other); c.Fingerprint() == a.Fingerprint() {
		t.Error("two seeds, one fingerprint")
	}
}

func TestConfigNamesEveryFault(t *testing.T) {
	t.Parallel()
	_, err := New(Config{Features: 1, Width: -2, Embedding: 1, Bases: 1, Layers: 1, Types: 1})
	if err == nil || !strings.Contains(err.Error(), "width -2") || !strings.Contains(err.Error(), "relations 0") {
		t.Errorf("error %v does not name width and relations", err)
	}
}

// TestLikenessSurvives holds what the untrained network is for: what has like
// features is nearer than what has not, and a shared neighbourhood brings nearer.
func TestLikenessSurvives(t *testing.T) {
	t.Parallel()
	cfg := Config{Features: 128, Width: 128, Embedding: 128, Bases: 4, Layers: 2, Relations: 8, Types: 4, Seed: 1}
	m := small(t, cfg)
	rng := rand.New(rand.NewPCG(3, 1))
	embed := func(x, neighbour []float32) []float32 {
		h0, hn := make([]float32, cfg.Width), make([]float32, cfg.Width)
		m.Input(x, 0, h0)
		m.Input(neighbour, 1, hn)
		h := [][]float32{make([]float32, cfg.Width)}
		m.Layer(0, []Input{{h0, []Message{{2, hn}}}}, h)
		h2 := [][]float32{make([]float32, cfg.Width)}
		m.Layer(1, []Input{{h[0], []Message{{2, hn}}}}, h2)
		e := make([]float32, cfg.Embedding)
		m.Output(h2[0], h0, e)
		return e
	}
	cos := func(a, b []float32) (s float64) {
		for i := range a {
			s += float64(a[i]) * float64(b[i])
		}
		return s
	}
	var like, unlike, shared float64
	const n = 60
	for range n {
		x, nb, nb2 := vector(rng, 128), vector(rng, 128), vector(rng, 128)
		y := vector(rng, 128)
		half := slices.Clone(x)
		for i := range half {
			half[i] = 0.8*x[i] + 0.6*y[i]
		}
		e := embed(x, nb)
		like += cos(e, embed(half, nb2)) / n
		unlike += cos(e, embed(y, nb2)) / n
		shared += cos(e, embed(y, nb)) / n
	}
	t.Logf("cosines: like features %.2f, unlike %.2f, unlike with a shared neighbour %.2f", like, unlike, shared)
	if like < unlike+0.4 || shared < unlike+0.05 {
		t.Errorf("cosines: like features %.2f, unlike %.2f, unlike with a shared neighbour %.2f", like, unlike, shared)
	}
}

func BenchmarkLayer(b *testing.B) {
	cfg := Config{Features: 256, Width: 128, Embedding: 128, Bases: 4, Layers: 2, Relations: 64, Types: 32, Seed: 1}
	m := small(b, cfg)
	rng := rand.New(rand.NewPCG(1, 1))
	in := make([]Input, 256)
	for i := range in {
		in[i].Self = vector(rng, cfg.Width)
		for r := range 10 {
			in[i].Messages = append(in[i].Messages, Message{r, vector(rng, cfg.Width)})
		}
	}
	out := outputs(len(in), cfg.Width)
	for b.Loop() {
		m.Layer(0, in, out)
	}
	b.ReportMetric(float64(len(in))*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
