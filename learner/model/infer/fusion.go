package infer

import (
	"math"
	"slices"

	"kilim/learner/model"
	"kilim/learner/tensor/vec"
)

// fusion makes one vector of an item's tokens, before unit scales it. fuse adds to out, which is zeros. The formulas
// are in package model's doc.
type fusion interface {
	fuse(m *Model, t *tokens, out [][]float32)
}

func (m *Model) newFusion(r *reader) fusion {
	switch m.cfg.Fusion {
	case model.FusionMLP:
		f := &mlp{n1: r.norm("fusion.norm1"), bias: r.matrix("fusion.up.bias").data, down: r.linear("fusion.down"), gates: m.newGates(r)}
		m.eachBranch(func(mode int, name string) { f.up[mode] = r.factor("fusion.up." + name + ".weight") })
		return f
	case model.FusionTransformer:
		return &attending{newEncoderLayer(r, true), m.newGates(r)}
	}
	return &attending{newEncoderLayer(r, false), m.newGates(r)}
}

// encoderLayer is attention and a feed-forward network over the tokens of each item, as model's.
type encoderLayer struct {
	n1, n2             norm
	qkv, proj, up, out linear
	// self has tokens attend to themselves too.
	self bool
}

func newEncoderLayer(r *reader, self bool) encoderLayer {
	return encoderLayer{
		n1: r.norm("fusion.norm1"), n2: r.norm("fusion.norm2"), qkv: r.linear("fusion.qkv"), proj: r.linear("fusion.proj"),
		up: r.linear("fusion.up"), out: r.linear("fusion.down"), self: self,
	}
}

func (l *encoderLayer) apply(m *Model, t *tokens) {
	n, w := len(t.mode), m.cfg.Width
	token, normed := t.token[:n*w], t.normed[:n*w]
	if l.self || !t.alone() {
		normalizeRows(normed, token, w, l.n1, t.scales)
		m.dense(normed, l.qkv, t.hidden)
		m.attend(t, t.hidden[:n*3*w], l.self)
		if t.drift != nil {
			l.attended(m, t, t.hidden[:n*3*w], t.scales)
		}
		m.dense(t.attended[:n*w], l.proj, t.branchOut)
	} else { // of an archive of texts, a third of the layer: what attend reads is zeros, bit for bit, and not off
		clear(t.branchOut[:n*w])
		l.proj.addBias(t.branchOut[:n*w])
	}
	add(token, t.branchOut)
	normalizeRows(normed, token, w, l.n2, t.scales)
	if d := t.drift; d != nil {
		for k := range d.token {
			d.token[k] += d.norms.network * l.n2.drift(d.token[k], t.scales[k])
		}
	}
	m.dense(normed, l.up, t.hidden)
	vec.GELU(t.hidden[:n*4*w], nil)
	m.dense(t.hidden[:n*4*w], l.out, t.branchOut)
	add(token, t.branchOut)
}

// gates sum the tokens of each item, each through the sigmoid gate of its modality.
type gates struct {
	of   [modalities]linear
	norm norm
}

func (m *Model) newGates(r *reader) gates {
	g := gates{norm: r.norm("fusion.norm3")}
	m.eachBranch(func(mode int, name string) { g.of[mode] = r.linear("fusion.gate." + name) })
	return g
}

// add adds the gated tokens to each item's row of out.
func (g *gates) add(m *Model, t *tokens, out [][]float32) {
	w := m.cfg.Width
	g.open(m, t)
	for k, mode := range t.mode {
		row, gate := t.token[k*w:(k+1)*w], t.hidden[k*w:(k+1)*w]
		z := out[t.item[k]]
		for j, x := range row {
			z[j] += float32(float64(x) / (1 + math.Exp(-float64(gate[j]))))
		}
		if d := t.drift; d != nil {
			most := max(float64(slices.Max(row)), -float64(slices.Min(row)))
			open := 1 / (1 + math.Exp(-float64(slices.Max(gate)))) // the sigmoid rises
			d.item[t.item[k]] += d.token[k] * (open + (most+d.token[k])*d.norms.gate[mode]/4)
		}
	}
}

// open writes the gate of each token to hidden, before the sigmoid: one product for all tokens of a modality, for which its weights are read once.
func (g *gates) open(m *Model, t *tokens) {
	w := m.cfg.Width
	row := func(of []float32, k int) []float32 { return of[k*w : (k+1)*w] }
	for mode := range modalities {
		n := 0
		for k, of := range t.mode {
			if of == mode {
				copy(row(t.normed, n), row(t.token, k))
				n++
			}
		}
		m.dense(t.normed[:n*w], g.of[mode], t.branchOut)
		n = 0
		for k, of := range t.mode {
			if of == mode {
				copy(row(t.hidden, k), row(t.branchOut, n))
				n++
			}
		}
	}
}

// attending is crossAttention, in which each token attends to the others, and transformer, in which it attends to all.
type attending struct {
	encoderLayer
	gates
}

func (f *attending) fuse(m *Model, t *tokens, out [][]float32) {
	f.apply(m, t)
	f.add(m, t, out)
	for i, z := range out {
		scale := normalize(z, f.norm, z)
		if t.drift != nil {
			t.drift.item[i] = f.norm.drift(t.drift.item[i], scale)
		}
	}
}

// mlp adds to the gated sum a network over all normalized tokens side by side.
type mlp struct {
	n1   norm
	up   [modalities]factor
	bias []float32
	down linear
	gates
}

func (f *mlp) fuse(m *Model, t *tokens, out [][]float32) {
	w := m.cfg.Width
	f.add(m, t, out)
	n := len(t.mode) * w
	normalizeRows(t.normed[:n], t.token[:n], w, f.n1, t.scales)
	hidden, part, more := t.hidden[:4*w], t.hidden[4*w:8*w], t.branchOut[:w]
	for first, last := range t.items() {
		item := t.item[first]
		copy(hidden, f.bias)
		for k := first; k < last; k++ {
			product(t.normed[k*w:(k+1)*w], f.up[t.mode[k]], part)
			add(hidden, part)
			if d := t.drift; d != nil {
				d.item[item] += d.norms.network * d.norms.up[t.mode[k]] * f.n1.drift(d.token[k], t.scales[k])
			}
		}
		vec.GELU(hidden, nil)
		m.dense(hidden, f.down, more)
		add(out[item], more)
		scale := normalize(out[item], f.norm, out[item])
		if t.drift != nil {
			t.drift.item[item] = f.norm.drift(t.drift.item[item], scale)
		}
	}
}

// attend writes to attended, for each token, what it reads of the other tokens of its item, and of itself if self is
// set: zeros where it has nothing to read.
func (m *Model) attend(t *tokens, qkv []float32, self bool) {
	w, size := m.cfg.Width, m.cfg.Width/m.cfg.Heads
	clear(t.attended[:len(t.mode)*w])
	for first, last := range t.items() {
		for a := first; a < last; a++ {
			for h := range m.cfg.Heads {
				p := m.shares(qkv, h, a, first, last, self)
				row := t.attended[a*w+h*size : a*w+(h+1)*size]
				for b := first; b < last; b++ {
					if self || b != a {
						share := p[b-first]
						for j, x := range m.part(qkv, b, 2, h) {
							row[j] += float32(share * float64(x))
						}
					}
				}
			}
		}
	}
}

// part returns the part of head h of the query (0), key (1) or value (2) of a token.
func (m *Model) part(qkv []float32, token, which, h int) []float32 {
	size := m.cfg.Width / m.cfg.Heads
	at := (token*3+which)*m.cfg.Width + h*size
	return qkv[at : at+size]
}

// shares are those of what token a reads, with head h, of the tokens from first to before last; of itself only if self is set.
func (m *Model) shares(qkv []float32, h, a, first, last int, self bool) (p [modalities]float64) {
	scale := 1 / math.Sqrt(float64(m.cfg.Width/m.cfg.Heads))
	top, total := math.Inf(-1), 0.0
	for b := first; b < last; b++ {
		if self || b != a {
			p[b-first] = scale * dot(m.part(qkv, a, 0, h), m.part(qkv, b, 1, h))
			top = max(top, p[b-first])
		}
	}
	for b := first; b < last; b++ {
		if self || b != a {
			p[b-first] = math.Exp(p[b-first] - top)
			total += p[b-first]
		}
	}
	for b := first; b < last; b++ {
		if self || b != a {
			p[b-first] /= total
		}
	}
	return p
}
