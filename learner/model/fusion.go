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
		return &transformer{newEncoderLayer(g, cfg), g.norm("fusion", cfg.Width, 1, "fusion.norm3")}
	default:
		a := &crossAttention{encoderLayer: newEncoderLayer(g, cfg)}
		for _, mode := range cfg.Modalities {
			a.gates = append(a.gates, g.linear("fusion", cfg.Width, cfg.Width, constant(0), "fusion.gate.%s", mode.Name))
		}
		a.n3 = g.norm("fusion", cfg.Width, 1, "fusion.norm3")
		return a
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

func (e *encoderLayer) apply(f *forward, tokens tape.Matrix, mask tape.Mask, self bool) tape.Matrix {
	qkv := f.linear(f.norm(tokens, e.n1), e.qkv, tape.Identity)
	read := f.t.New(tokens.Rows, tokens.Cols)
	f.t.Attention(read, qkv, mask, f.cfg.Heads, self)
	tokens = f.sum(tokens, f.linear(read, e.proj, tape.Identity))
	more := f.linear(f.linear(f.norm(tokens, e.n2), e.up, tape.GELU), e.out, tape.Identity)
	return f.sum(tokens, f.t.Dropout(more, f.drop))
}

// crossAttention lets each token attend to the others, and sums the tokens with a sigmoid gate each.
type crossAttention struct {
	encoderLayer
	gates []linear
	n3    linear
}

func (a *crossAttention) fuse(f *forward, tokens tape.Matrix, mask tape.Mask) tape.Matrix {
	t, items := f.t, mask.Items
	tokens = a.apply(f, tokens, mask, false)
	gate := t.New(tokens.Rows, tokens.Cols)
	for i, l := range a.gates {
		g := gate.Slice(i*items, (i+1)*items)
		t.Product(g, tokens.Slice(i*items, (i+1)*items), f.param(l.w), false)
		t.Bias(g, f.param(l.b), tape.Identity, tape.Drop{})
	}
	z := t.New(items, tokens.Cols)
	t.Gates(z, tokens, gate, mask)
	return f.norm(z, a.n3)
}

// transformer is an encoderLayer in which tokens attend to themselves too, and the mean of its tokens.
type transformer struct {
	encoderLayer
	n3 linear
}

func (a *transformer) fuse(f *forward, tokens tape.Matrix, mask tape.Mask) tape.Matrix {
	return f.norm(f.mean(a.apply(f, tokens, mask, true), mask), a.n3)
}

// mlp adds to the mean of the tokens a network of one hidden layer over all tokens side by side, absent ones as zeros.
type mlp struct {
	up   []int // of each modality
	bias int
	down linear
	n3   linear
}

func newMLP(g *layout, cfg Config) *mlp {
	d := cfg.Width
	a := &mlp{}
	for _, mode := range cfg.Modalities {
		a.up = append(a.up, g.add("fusion", true, d, 4*d, rotation, "fusion.up.%s.weight", mode.Name))
	}
	a.bias = g.add("fusion", false, 1, 4*d, constant(0), "fusion.up.bias")
	a.down = g.linear("fusion", 4*d, d, constant(0), "fusion.down")
	a.n3 = g.norm("fusion", d, 1, "fusion.norm3")
	return a
}

func (a *mlp) fuse(f *forward, tokens tape.Matrix, mask tape.Mask) tape.Matrix {
	t := f.t
	h := t.New(mask.Items, 4*tokens.Cols)
	for m, up := range a.up {
		own := f.pool(tokens, mask, func(_, mode, _ int) float32 {
			if mode == m {
				return 1
			}
			return 0
		})
		t.Product(h, own, f.param(up), m > 0)
	}
	t.Bias(h, f.param(a.bias), tape.GELU, tape.Drop{})
	z := f.sum(f.mean(tokens, mask), t.Dropout(f.linear(h, a.down, tape.Identity), f.drop))
	return f.norm(z, a.n3)
}

func (f *forward) mean(tokens tape.Matrix, mask tape.Mask) tape.Matrix {
	return f.pool(tokens, mask, func(_, _, count int) float32 { return 1 / float32(count) })
}

// pool returns, for each item, the weighted sum of its present tokens; count is their number. Tokens of weight 0 are
// left out.
func (f *forward) pool(tokens tape.Matrix, mask tape.Mask, weight func(item, mode, count int) float32) tape.Matrix {
	c := tape.CSR{Start: []int32{0}}
	for i := range mask.Items {
		has := mask.Present[i*mask.Modalities : (i+1)*mask.Modalities]
		count := 0
		for _, h := range has {
			if h {
				count++
			}
		}
		for m, h := range has {
			if !h {
				continue
			}
			if w := weight(i, m, count); w != 0 {
				c.Source, c.Weight = append(c.Source, int32(m*mask.Items+i)), append(c.Weight, w)
			}
		}
		c.Start = append(c.Start, int32(len(c.Source)))
	}
	y := f.t.New(mask.Items, tokens.Cols)
	f.t.Mix(y, tokens, unitCoefficient, f.mustEdges(c, make([]int32, len(c.Source)), tokens.Rows, 1))
	return y
}
