package model

import "kilim/learner/tensor/tape"

// fusion makes one vector of an item's tokens. Token m of item i is row m*Items+i. Rows of absent tokens have no
// influence on the result and get no gradient.
type fusion interface {
	fuse(f *forward, tokens tape.Matrix, mask tape.Mask) tape.Matrix
}

func newFusion(g *layout, cfg Config) fusion {
	switch cfg.Fusion {
	case FusionMLP:
		return newMLP(g, cfg)
	case FusionTransformer:
		return &transformer{newEncoderLayer(g, cfg), newGates(g, cfg)}
	default:
		return &crossAttention{newEncoderLayer(g, cfg), newGates(g, cfg)}
	}
}

// encoderLayer is attention and a feed-forward network, each normalized before it (pre-norm: Xiong et al. 2020, figure
// 1b). The last matrices of both begin at zero, so that an untrained layer changes nothing.
type encoderLayer struct {
	n1, n2             linear
	qkv, proj, up, out linear
}

func newEncoderLayer(g *layout, cfg Config) encoderLayer {
	d := cfg.Width
	return encoderLayer{
		n1: g.norm("fusion", d, 1, "fusion.norm1"), n2: g.norm("fusion", d, 1, "fusion.norm2"),
		qkv: g.linear("fusion", d, 3*d, rotation, "fusion.qkv"), proj: g.linear("fusion", d, d, constant(0), "fusion.proj"),
		up: g.linear("fusion", d, 4*d, rotation, "fusion.up"), out: g.linear("fusion", 4*d, d, constant(0), "fusion.down"),
	}
}

// apply adds to the tokens what they read of each other, and of themselves if self is set, and what the network makes
// of the result. drop is applied to what attention reads and to what it adds; the network's result is always dropped.
func (e *encoderLayer) apply(f *forward, tokens tape.Matrix, mask tape.Mask, self bool, drop tape.Drop) tape.Matrix {
	qkv := f.linear(f.t.Dropout(f.norm(tokens, e.n1), later(drop, 1)), e.qkv, tape.Identity)
	read := f.t.New(tokens.Rows, tokens.Cols)
	f.t.Attention(read, qkv, mask, f.cfg.Heads, self)
	tokens = f.sum(tokens, f.t.Dropout(f.linear(read, e.proj, tape.Identity), later(drop, 2)))
	more := f.linear(f.linear(f.norm(tokens, e.n2), e.up, tape.GELU), e.out, tape.Identity)
	return f.sum(tokens, f.t.Dropout(more, f.drop))
}

// gates make one vector of an item's tokens: each goes through the sigmoid gate of its modality, and their sum is
// normalized. The gates begin half open, so that an untrained fusion is the normalized mean.
type gates struct {
	of []linear // each modality
	n3 linear
}

func newGates(g *layout, cfg Config) gates {
	var out gates
	for _, mode := range cfg.Modalities {
		out.of = append(out.of, g.linear("fusion", cfg.Width, cfg.Width, constant(0), "fusion.gate.%s", mode.Name))
	}
	out.n3 = g.norm("fusion", cfg.Width, 1, "fusion.norm3")
	return out
}

// sum is that of the gated tokens, before it is normalized.
func (a *gates) sum(f *forward, tokens tape.Matrix, mask tape.Mask) tape.Matrix {
	t, items := f.t, mask.Items
	gate := t.New(tokens.Rows, tokens.Cols)
	for i, l := range a.of {
		g := gate.Slice(i*items, (i+1)*items)
		t.Product(g, tokens.Slice(i*items, (i+1)*items), f.param(l.w), false)
		t.Bias(g, f.param(l.b), tape.Identity, tape.Drop{})
	}
	z := t.New(items, tokens.Cols)
	t.Gates(z, tokens, gate, mask)
	return z
}

// crossAttention lets each token attend to the others, and sums the tokens with a gate each. Attention is dropped
// neither before nor after it: the default model's results are measured so.
type crossAttention struct {
	encoderLayer
	gates
}

func (a *crossAttention) fuse(f *forward, tokens tape.Matrix, mask tape.Mask) tape.Matrix {
	return f.norm(a.sum(f, a.apply(f, tokens, mask, false, tape.Drop{}), mask), a.n3)
}

// transformer is an encoderLayer in which tokens attend to themselves too, and the gated sum of its tokens.
type transformer struct {
	encoderLayer
	gates
}

func (a *transformer) fuse(f *forward, tokens tape.Matrix, mask tape.Mask) tape.Matrix {
	return f.norm(a.sum(f, a.apply(f, tokens, mask, true, f.drop), mask), a.n3)
}

// mlp adds to the gated sum of the tokens a network of one hidden layer over all normalized tokens side by side, absent
// ones as zeros.
type mlp struct {
	n1   linear
	up   []int // of each modality
	bias int
	down linear
	gates
}

func newMLP(g *layout, cfg Config) *mlp {
	d := cfg.Width
	a := &mlp{n1: g.norm("fusion", d, 1, "fusion.norm1")}
	for _, mode := range cfg.Modalities {
		a.up = append(a.up, g.add("fusion", true, d, 4*d, rotation, "fusion.up.%s.weight", mode.Name))
	}
	a.bias = g.add("fusion", false, 1, 4*d, constant(0), "fusion.up.bias")
	a.down = g.linear("fusion", 4*d, d, constant(0), "fusion.down")
	a.gates = newGates(g, cfg)
	return a
}

func (a *mlp) fuse(f *forward, tokens tape.Matrix, mask tape.Mask) tape.Matrix {
	t := f.t
	normed := t.Dropout(f.norm(tokens, a.n1), later(f.drop, 1))
	h := t.New(mask.Items, 4*tokens.Cols)
	for m, up := range a.up {
		t.Product(h, f.only(normed, mask, m), f.param(up), m > 0)
	}
	t.Bias(h, f.param(a.bias), tape.GELU, tape.Drop{})
	z := f.sum(a.sum(f, tokens, mask), t.Dropout(f.linear(h, a.down, tape.Identity), f.drop))
	return f.norm(z, a.n3)
}

// only returns the tokens of one modality, zeros for items that have none of it.
func (f *forward) only(tokens tape.Matrix, mask tape.Mask, mode int) tape.Matrix {
	c := tape.CSR{Start: []int32{0}}
	for i := range mask.Items {
		if mask.Present[i*mask.Modalities+mode] {
			c.Source, c.Weight = append(c.Source, int32(mode*mask.Items+i)), append(c.Weight, 1)
		}
		c.Start = append(c.Start, int32(len(c.Source)))
	}
	y := f.t.New(mask.Items, tokens.Cols)
	f.t.Mix(y, tokens, unitCoefficient, f.mustEdges(c, make([]int32, len(c.Source)), tokens.Rows, 1))
	return y
}
