package infer

import (
	"math"

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
	normalizeRows(normed, token, w, l.n1)
	m.dense(normed, l.qkv, t.hidden)
	m.attend(t, t.hidden[:n*3*w], l.self)
	m.dense(t.attended[:n*w], l.proj, t.branchOut)
	add(token, t.branchOut)
	normalizeRows(normed, token, w, l.n2)
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
	for k, mode := range t.mode {
		row, gate := t.token[k*w:(k+1)*w], t.branchOut[:w]
		m.dense(row, g.of[mode], gate)
		z := out[t.item[k]]
		for j, x := range row {
			z[j] += float32(float64(x) / (1 + math.Exp(-float64(gate[j]))))
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
	for _, z := range out {
		normalize(z, f.norm, z)
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
	normalizeRows(t.normed[:n], t.token[:n], w, f.n1)
	hidden, part, more := t.hidden[:4*w], t.hidden[4*w:8*w], t.branchOut[:w]
	for first := 0; first < len(t.mode); {
		item := t.item[first]
		copy(hidden, f.bias)
		k := first
		for ; k < len(t.mode) && t.item[k] == item; k++ {
			product(t.normed[k*w:(k+1)*w], f.up[t.mode[k]], part)
			add(hidden, part)
		}
		vec.GELU(hidden, nil)
		m.dense(hidden, f.down, more)
		add(out[item], more)
		normalize(out[item], f.norm, out[item])
		first = k
	}
}

// attend writes to attended, for each token, what it reads of the other tokens of its item, and of itself if self is
// set: zeros where it has nothing to read.
func (m *Model) attend(t *tokens, qkv []float32, self bool) {
	w, size := m.cfg.Width, m.cfg.Width/m.cfg.Heads
	scale := 1 / math.Sqrt(float64(size))
	n := len(t.mode)
	clear(t.attended[:n*w])
	// part returns the part of head h of the query (0), key (1) or value (2) of a token.
	part := func(token, which, h int) []float32 {
		at := (token*3+which)*w + h*size
		return qkv[at : at+size]
	}
	for first := 0; first < n; {
		last := first + 1
		for last < n && t.item[last] == t.item[first] {
			last++
		}
		for a := first; a < last; a++ {
			for h := range m.cfg.Heads {
				var p [modalities]float64
				top, total := math.Inf(-1), 0.0
				for b := first; b < last; b++ {
					if self || b != a {
						p[b-first] = scale * dot(part(a, 0, h), part(b, 1, h))
						top = max(top, p[b-first])
					}
				}
				for b := first; b < last; b++ {
					if self || b != a {
						p[b-first] = math.Exp(p[b-first] - top)
						total += p[b-first]
					}
				}
				row := t.attended[a*w+h*size : a*w+(h+1)*size]
				for b := first; b < last; b++ {
					if self || b != a {
						share := p[b-first] / total
						for j, x := range part(b, 2, h) {
							row[j] += float32(share * float64(x))
						}
					}
				}
			}
		}
		first = last
	}
}
