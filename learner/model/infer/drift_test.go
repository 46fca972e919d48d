package infer

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"kilim/learner/model"
)

// read is what an artifact's last layer reads.
type read struct {
	in       Input
	features []float32
}

func randomRead(rng *rand.Rand, m *Model) read {
	cfg := m.cfg
	f := Features{Text: textFeatures(rng, cfg.Text)}
	if rng.IntN(2) == 0 {
		f.Image = vector(rng, cfg.Image)
	}
	if rng.IntN(2) == 0 {
		f.Audio = vector(rng, cfg.Audio)
	}
	r := read{features: m.artifact(f)}
	last := m.Layers() - 1
	h0, _ := Halves(r.features)
	r.in.Self = bounded(rng, m, last, h0)
	for rel := range cfg.Relations {
		if rng.IntN(3) > 0 {
			mean := vector(rng, (1+rng.IntN(modalities))*cfg.Width)
			r.in.Messages = append(r.in.Messages, Message{rel, bounded(rng, m, last, mean)})
		}
	}
	return r
}

// bounded is a vector as a layer reads it: with how far each block may be off, where it says that.
func bounded(rng *rand.Rand, m *Model, layer int, v []float32) []float32 {
	w := m.cfg.Width
	if m.Width(layer) == w {
		return v
	}
	var out []float32
	for block := range slices.Chunk(v, w) {
		out = append(out, block...)
		bound := float32(0)
		if present(block) {
			bound = float32(0.3 * rng.Float64())
		}
		out = append(out, bound)
	}
	return out
}

// off returns the read with each block of its means, and of its own vector, moved by as much as it may be off: in random directions, or in
// those in which the one before moved the embedding, a little changed.
func (r read) off(rng *rand.Rand, m *Model, off float32, before [][]float32, change float64) (read, [][]float32) {
	moved, last := r, m.Layers()-1
	var ways [][]float32
	move := func(v []float32, most func(told float64) float64) []float32 {
		w, width := m.cfg.Width, m.Width(last)
		v = slices.Clone(v)
		way := vector(rng, len(v))
		for from := 0; from < len(v); from += width {
			block, told := m.blockOf(v, from/width, width)
			for j := range block {
				if before != nil {
					way[from+j] = before[len(ways)][from+j] + float32(change)*way[from+j]
				}
			}
			scale := float32(most(told) / length(way[from:from+w]))
			for j := range block {
				v[from+j] += scale * way[from+j]
			}
			unit(way[from : from+w])
		}
		ways = append(ways, way)
		return v
	}
	moved.in.Self = move(r.in.Self, func(told float64) float64 { return told })
	moved.in.Messages = slices.Clone(r.in.Messages)
	for i, msg := range r.in.Messages {
		moved.in.Messages[i].Mean = move(msg.Mean, func(told float64) float64 { return m.meanOff(last, off, told) })
	}
	return moved, ways
}

// TestDriftBound moves all means by as much as they may be off, in the directions that a search finds to move the embedding most: it
// never moves by more than the bound, and in a seeded model by much of it. Every fusion and residual, seeded weights and others, whatever
// is missing.
func TestDriftBound(t *testing.T) {
	t.Parallel()
	for _, fusion := range []string{model.FusionAttention, model.FusionMLP, model.FusionTransformer} {
		for i, residual := range []string{model.ResidualSum, model.ResidualConcat, model.ResidualSum, model.ResidualConcat} {
			cfg := shape
			cfg.Fusion, cfg.Residual = fusion, residual
			if i >= 2 {
				cfg.Layers, cfg.Embedding = 3, 16
			}
			seeded, err := Seeded(cfg)
			if err != nil {
				t.Fatal(err)
			}
			other, _, _ := random(t, cfg)
			for name, m := range map[string]*Model{"seeded": seeded, "random": other} {
				t.Run(fmt.Sprintf("%d %s %s %s", m.Layers(), fusion, residual, name), func(t *testing.T) {
					t.Parallel()
					if reached := driftBound(t, m); name == "seeded" && reached < 0.2 {
						t.Errorf("no embedding has moved by more than %.3f of its bound: the bound says little", reached)
					}
				})
			}
		}
	}
}

// driftBound returns the greatest part of its bound by which an embedding has moved.
func driftBound(t *testing.T, m *Model) (reached float64) {
	rng := rand.New(rand.NewPCG(17, 3))
	for range 6 {
		r := randomRead(rng, m)
		off := float32(math.Pow(10, -3*rng.Float64()))
		e, bounds := m.Embed([]Input{r.in}, [][]float32{r.features}, off)
		if exact := m.Output(m.Layer(m.Layers()-1, []Input{r.in}, 0), [][]float32{r.features})[0]; !slices.Equal(e[0], exact) {
			t.Fatal("an embedding differs when its bound is asked for")
		}
		worst, ways := 0.0, [][]float32(nil)
		for try := range 16 {
			moved, tried := r.off(rng, m, off, ways, math.Pow(0.5, float64(try/4)))
			at := distance(e[0], m.Output(m.Layer(m.Layers()-1, []Input{moved.in}, 0), [][]float32{moved.features})[0])
			if at > worst {
				worst, ways = at, tried
			}
		}
		const rounded = 1e-5
		if worst > bounds[0]+rounded || bounds[0] > 2 || len(r.in.Messages) > 0 && bounds[0] == 0 {
			t.Errorf("means off by %v: the embedding moves by %v, the bound is %v", off, worst, bounds[0])
		}
		if bounds[0] > 0 {
			reached = max(reached, worst/bounds[0])
		}
	}
	if _, none := m.Embed([]Input{randomRead(rng, m).in}, [][]float32{randomRead(rng, m).features}, 0); none != nil {
		t.Errorf("a bound of what is exact: %v", none)
	}
	return reached
}

// TestSpectral: a bound of the norm, close above it, of matrices of a known one and of any shape.
func TestSpectral(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(4, 4))
	for _, size := range [][2]int{{1, 1}, {3, 40}, {40, 3}, {64, 64}, {256, 64}} {
		m := matrix{size[0], size[1], vector(rng, size[0]*size[1])}
		if size[0] == 64 { // one singular value far above the others
			for i := range 64 {
				m.data[i] += 50 * float32(i)
			}
		}
		got, x := spectral(m), vector(rng, m.rows)
		norm := 0.0
		for range 100 { // of the power iteration, which comes from below
			y := make([]float32, m.cols)
			for i := range m.rows {
				for j, v := range m.row(i) {
					y[j] += x[i] * v
				}
			}
			norm = length(y) / length(x)
			for i := range m.rows {
				x[i] = float32(dot(m.row(i), y) / length(y))
			}
		}
		if n := float64(min(m.rows, m.cols)); got < norm || got > norm*1.002*math.Pow(n, 1.0/64) {
			t.Errorf("%d x %d: %v, the norm is %v", m.rows, m.cols, got, norm)
		}
	}
	if got := spectral(matrix{4, 5, make([]float32, 20)}); got != 0 {
		t.Errorf("of zeros: %v", got)
	}
}
