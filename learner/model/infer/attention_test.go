package infer

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"kilim/learner/model"
)

// TestUntrainedAttentionIsMean: a model with attention that is not trained computes what the one with mean aggregation does, whose weights it adopts.
func TestUntrainedAttentionIsMean(t *testing.T) {
	t.Parallel()
	for _, layers := range []int{2, 3} {
		cfg := shape
		cfg.Layers = layers
		mean, _, weights := random(t, cfg)
		attends := cfg
		attends.Aggregator = model.AggregatorAttention
		adopted, err := Adopt(attends, cfg.Shape(), weights.Data, func(string) bool { return false })
		if err != nil {
			t.Fatal(err)
		}
		m, err := New(attends, adopted)
		if err != nil {
			t.Fatal(err)
		}
		if m.Fingerprint() == mean.Fingerprint() {
			t.Error("a model of another aggregator has the same fingerprint")
		}
		w := randomWorld(rand.New(rand.NewPCG(3, 3)), cfg)
		got := w.embed(m)
		for i, e := range w.embed(mean) {
			for j, x := range got[i] {
				if math.Abs(float64(x-e[j])) > 1e-6 {
					t.Fatalf("%d layers: number %d of artifact %d is %v, with mean aggregation %v", layers, j, i, x, e[j])
				}
			}
		}
	}
}

// TestGiveIsBounded: of vectors of any magnitude, what a node gives is finite and no greater than they are, by a weight of 2^-8 to 1; a
// block is absent where it is in the vector.
func TestGiveIsBounded(t *testing.T) {
	t.Parallel()
	for _, layers := range []int{2, 3} {
		cfg := shape
		cfg.Layers, cfg.Aggregator = layers, model.AggregatorAttention
		_, tm, weights := random(t, cfg)
		rng := rand.New(rand.NewPCG(4, uint64(layers)))
		for range 40 {
			attentionVectors(tm, weights.Data, rng, float32(math.Pow(10, 40*rng.Float64()-35)))
			m, err := New(cfg, weights.Data)
			if err != nil {
				t.Fatal(err)
			}
			l, magnitude := rng.IntN(layers), float32(math.Pow(10, 42*rng.Float64()-37))
			v := bounded(rng, m, l, vector(rng, (1+rng.IntN(modalities))*cfg.Width))
			for i := range v {
				v[i] *= magnitude
			}
			absent := rng.IntN(modalities)
			if at := absent * m.Width(l); at < len(v) {
				clear(v[at : at+m.Width(l)])
			}
			width, gives := m.Width(l), m.MessageWidth(l)
			given := m.Give(l, rng.IntN(cfg.Relations), v)
			for mode := range len(v) / width {
				h, of := v[mode*width:(mode+1)*width], given[mode*gives:(mode+1)*gives]
				if present(h) != present(of) {
					t.Fatalf("block %d of a vector of magnitude %v: present %v, given %v", mode, magnitude, present(h), present(of))
				}
				for k, x := range h {
					if w := float64(of[width]); present(h) && !(w >= 1.0/256-1e-6 && w <= 1) || math.Abs(float64(of[k])) > math.Abs(float64(x)) {
						t.Fatalf("of %v, %v is given by the weight %v", x, of[k], w)
					}
				}
				if square := float64(of[width+1]); !(square >= 0 && !math.IsInf(square, 0)) {
					t.Fatalf("the square of a vector of magnitude %v is %v", magnitude, square)
				}
			}
		}
	}
}

// crowd is a read of a job whose messages are of several neighbours.
type crowd struct {
	read
	neighbours map[int][][]float32 // by relation
}

// gathered is the read with the messages of neighbours.
func (c crowd) gathered(m *Model, l int) read {
	r, width := c.read, m.MessageWidth(l)
	r.in.Messages = nil
	for rel := range m.cfg.Relations {
		var mean []float32
		counts := make([]float32, modalities)
		for _, v := range c.neighbours[rel] {
			v = m.Give(l, rel, v)
			mean = append(mean, make([]float32, max(0, len(v)-len(mean)))...)
			for mode := range len(v) / width {
				if b, _ := m.blockOf(v, mode, width); b != nil {
					counts[mode]++
				}
			}
			add(mean[:len(v)], v)
		}
		for i := range mean {
			mean[i] /= max(1, counts[i/width])
		}
		if len(mean) > 0 {
			r.in.Messages = append(r.in.Messages, Message{rel, mean})
		}
	}
	return r
}

// TestAttentionDriftBound moves all neighbours by as much as they may be off, in the directions that a search finds to move the
// embedding most: it never moves by more than the bound.
func TestAttentionDriftBound(t *testing.T) {
	t.Parallel()
	for _, layers := range []int{2, 3} {
		for _, scale := range []float32{0, 0.3, 3} {
			cfg := shape
			cfg.Layers, cfg.Aggregator, cfg.Audio = layers, model.AggregatorAttention, 0
			_, tm, weights := random(t, cfg)
			seeded := SeededWeights(cfg, tm)
			rng := rand.New(rand.NewPCG(uint64(layers), 5))
			attentionVectors(tm, weights.Data, rng, scale)
			attentionVectors(tm, seeded, rng, scale)
			reached := 0.0
			for _, w := range [][]float32{seeded, weights.Data} {
				m, err := New(cfg, w)
				if err != nil {
					t.Fatal(err)
				}
				for range 4 {
					reached = max(reached, crowdWithin(t, m, rng))
				}
			}
			if t.Logf("%d layers, vectors of %v: %.3f of the bound", layers, scale, reached); reached < 0.01 {
				t.Errorf("%d layers, vectors of %v: no embedding has moved by more than %.4f of its bound: the bound says little", layers, scale, reached)
			}
		}
	}
}

// attentionVectors writes other vectors of attention, of coordinates of about scale.
func attentionVectors(tm *model.Model, weights []float32, rng *rand.Rand, scale float32) {
	for _, p := range tm.Params() {
		if strings.Contains(p.Name, ".attention.") {
			for i := range p.Rows * p.Cols {
				weights[p.Offset+i] = scale * float32(rng.NormFloat64())
			}
		}
	}
}

// crowdWithin returns the part of its bound by which an embedding moves.
func crowdWithin(t *testing.T, m *Model, rng *rand.Rand) float64 {
	t.Helper()
	last := m.Layers() - 1
	f := Features{Text: textFeatures(rng, m.cfg.Text)}
	if rng.IntN(2) == 0 {
		f.Image = vector(rng, m.cfg.Image)
	}
	c := crowd{read{features: m.artifact(f)}, map[int][][]float32{}}
	h0, _ := Halves(c.features)
	c.in.Self = bounded(rng, m, last, h0)
	for rel := range 1 + rng.IntN(m.cfg.Relations) {
		for range 1 + rng.IntN(4) {
			c.neighbours[rel] = append(c.neighbours[rel], bounded(rng, m, last, vector(rng, (1+rng.IntN(2))*m.cfg.Width)))
		}
	}
	off := float32(math.Pow(10, -1-3*rng.Float64()))
	exact := c.gathered(m, last)
	e, bounds := m.Embed([]Input{exact.in}, [][]float32{exact.features}, off)
	if again := m.Output(m.Layer(last, []Input{exact.in}, 0), [][]float32{exact.features})[0]; !slices.Equal(e[0], again) {
		t.Fatal("an embedding differs when its bound is asked for")
	}
	worst := 0.0
	for range 24 {
		moved := crowd{c.read, map[int][][]float32{}}
		moved.in.Self = m.elsewhere(rng, last, c.in.Self, func(told float64) float64 { return told })
		for rel, all := range c.neighbours {
			for _, v := range all {
				moved.neighbours[rel] = append(moved.neighbours[rel], m.elsewhere(rng, last, v, func(told float64) float64 { return m.meanOff(last, off, told) }))
			}
		}
		at := moved.gathered(m, last)
		worst = max(worst, distance(e[0], m.Output(m.Layer(last, []Input{at.in}, 0), [][]float32{at.features})[0]))
	}
	const rounded = 1e-5
	if worst > bounds[0]+rounded || bounds[0] > 2 || bounds[0] == 0 {
		t.Errorf("%d layers, neighbours off by %v: the embedding moves by %v, the bound is %v", m.Layers(), off, worst, bounds[0])
	}
	return worst / bounds[0]
}

// elsewhere is a vector of a layer with each block moved by as much as it may be, in a random direction.
func (m *Model) elsewhere(rng *rand.Rand, l int, v []float32, most func(told float64) float64) []float32 {
	width := m.Width(l)
	v = slices.Clone(v)
	for mode := range len(v) / width {
		block, told := m.blockOf(v, mode, width)
		way := vector(rng, len(block))
		scale := float32(most(told) / length(way))
		for j := range block {
			v[mode*width+j] += scale * way[j]
		}
	}
	return v
}

// TestAttentionOff moves the neighbours of one relation and of several to where weights and means change most, along the vectors of
// attention: no message is off by more than its bound, and one by much of it.
func TestAttentionOff(t *testing.T) {
	t.Parallel()
	for _, relations := range []int{1, 3, -3} { // below 0: that many, whose neighbours weigh the same
		for _, scale := range []float32{0, 0.1, 0.3, 1} {
			cfg := shape
			cfg.Aggregator = model.AggregatorAttention
			_, tm, weights := random(t, cfg)
			rng := rand.New(rand.NewPCG(uint64(relations), uint64(100*scale)))
			attentionVectors(tm, weights.Data, rng, scale)
			if relations < 0 {
				w, _ := tm.Weights(weights.Data, nil)
				v, _ := w.Matrix("record.layer2.attention.neighbour")
				clear(v.Data)
			}
			m, err := New(cfg, weights.Data)
			if err != nil {
				t.Fatal(err)
			}
			reached := 0.0
			for range 6 {
				reached = max(reached, messagesWithin(t, m, rng, max(relations, -relations)))
			}
			if t.Logf("%d relations, vectors of %v: %.3f of the bound", relations, scale, reached); reached < 0.05 {
				t.Errorf("%d relations, vectors of %v: no message has moved by more than %.4f of its bound: the bound says little", relations, scale, reached)
			}
		}
	}
}

func messagesWithin(t *testing.T, m *Model, rng *rand.Rand, relations int) (reached float64) {
	t.Helper()
	const l = 1
	w, off := m.cfg.Width, float32(math.Pow(10, -2*rng.Float64()))
	d := float64(off) * math.Sqrt(float64(w))
	c := crowd{neighbours: map[int][][]float32{}}
	for rel := range relations {
		for range 2 + rng.IntN(20) {
			c.neighbours[rel] = append(c.neighbours[rel], vector(rng, w))
		}
	}
	self := vector(rng, w)
	read := func(c crowd) job {
		j := job{self: self, drift: new(float64)}
		j.read(m, l, record, c.gathered(m, l).in.Messages, off)
		return j
	}
	exact := read(c)
	for range 30 {
		way, turn, over := vector(rng, w), rng.Float64(), rng.IntN(2) == 0
		unit(way)
		moved := crowd{neighbours: map[int][][]float32{}}
		for i, msg := range exact.messages {
			a := m.branches[record].layers[l].attention
			along := slices.Clone(a.neighbour.row(msg.Relation))
			if over { // all neighbours to one side, so that another relation weighs more
				along = slices.Clone(a.relation.row(msg.Relation))
			}
			unit(along)
			for _, v := range c.neighbours[msg.Relation] {
				side := 0.0
				for k, x := range v {
					side += float64(way[k]) * float64(x-msg.Mean[k]*exact.scales[i])
				}
				if over {
					side = float64(1 - 2*(i%2))
				}
				step := make([]float32, w)
				for k := range step {
					step[k] = float32(turn)*way[k] + float32(math.Copysign(1-turn, side))*along[k]
				}
				if length(step) > 0 {
					unit(step)
				}
				v = slices.Clone(v)
				for k := range v {
					v[k] += float32(d) * step[k]
				}
				moved.neighbours[msg.Relation] = append(moved.neighbours[msg.Relation], v)
			}
		}
		after := read(moved)
		for i := range exact.messages {
			by := make([]float32, w)
			for k := range by {
				by[k] = after.messages[i].Mean[k]*after.scales[i] - exact.messages[i].Mean[k]*exact.scales[i]
			}
			if got := length(by); got > exact.offs[i]+1e-5 {
				t.Fatalf("%d relations, neighbours off by %v: message %d moves by %v, the bound is %v", relations, d, i, got, exact.offs[i])
			} else {
				reached = max(reached, got/exact.offs[i])
			}
		}
	}
	return reached
}
