package model

import (
	"fmt"

	"kilim/learner/tape"
)

// Block is a sampled neighbourhood of some items: its rows, of which the items
// are the first.
type Block struct {
	Present tape.Present
	// Rows gathers the features of the block's rows from those of each modality.
	Rows []tape.CSR
	// Layers has the edges of each layer, the lowest first. Layer l updates the
	// first Layers[l].Rows() rows, reading those that the layer below updated.
	Layers []*tape.Edges
}

// check says what of a block doesn't fit the model.
func (m *Model) check(features []tape.Matrix, b *Block) error {
	n := len(m.branches)
	if len(features) != n || len(b.Rows) != n || b.Present.Modes != n || len(b.Present.Has) != n*b.Present.Items {
		return fmt.Errorf("model: block with %d features, %d rows and %d modes: the model has %d modalities", len(features), len(b.Rows), b.Present.Modes, n)
	}
	if len(b.Layers) != m.cfg.Layers {
		return fmt.Errorf("model: block with %d layers: the model has %d", len(b.Layers), m.cfg.Layers)
	}
	if last := b.Layers[len(b.Layers)-1].Rows(); last != b.Present.Items {
		return fmt.Errorf("model: block whose last layer updates %d rows: there are %d items", last, b.Present.Items)
	}
	for i, f := range features {
		if f.Cols != m.cfg.Modalities[i].Features {
			return fmt.Errorf("model: %d features of %s: the model has %d", f.Cols, m.cfg.Modalities[i].Name, m.cfg.Modalities[i].Features)
		}
	}
	return nil
}

// Forward computes a block's embeddings (before the head) and projections, a
// row an item. seed chooses the dropout; train says whether there is one.
func (m *Model) Forward(t *tape.Tape, w *Weights, features []tape.Matrix, b *Block, seed uint64, train bool) (embedding, projection tape.Matrix, err error) {
	if err := m.check(features, b); err != nil {
		return embedding, projection, err
	}
	f := forward{m, t, w, tape.Drop{Seed: seed}}
	if train {
		f.drop.Rate = m.cfg.Dropout
	}
	d, items := m.cfg.Width, b.Present.Items
	tokens := t.New(len(m.branches)*items, d)
	for i := range m.branches {
		f.branch(tokens.Slice(i*items, (i+1)*items), i, features[i], b)
	}
	embedding = f.fuse(tokens, b.Present)
	h := f.linear(embedding, m.head[0], tape.ReLU)
	return embedding, t.Unit(f.linear(h, m.head[1], tape.Identity)), nil
}

// forward is one pass.
type forward struct {
	*Model
	t    *tape.Tape
	w    *Weights
	drop tape.Drop
}

// at is a parameter.
func (f *forward) at(number int) tape.Matrix { return f.w.matrices[number] }

func (f *forward) linear(x tape.Matrix, l linear, act tape.Activation) tape.Matrix {
	w := f.at(l.w)
	y := f.t.New(x.Rows, w.Cols)
	f.t.Product(y, x, w, false)
	f.t.Bias(y, f.at(l.b), act, tape.Drop{})
	return y
}

func (f *forward) norm(x tape.Matrix, l linear) tape.Matrix {
	y := f.t.New(x.Rows, x.Cols)
	f.t.LayerNorm(y, x, tape.Matrix{}, f.at(l.w), f.at(l.b), false)
	return y
}

func (f *forward) sum(x, y tape.Matrix) tape.Matrix {
	z := f.t.New(x.Rows, x.Cols)
	f.t.Copy(z, x)
	f.t.Add(z, y)
	return z
}

// branch writes the tokens of one modality.
func (f *forward) branch(token tape.Matrix, mode int, features tape.Matrix, b *Block) {
	rows := b.Rows[mode]
	x := tape.Constant(rows.Rows(), features.Cols, f.t.Scratch(rows.Rows()*features.Cols))
	f.t.Gather(x, features, rows)
	p := f.branches[mode]
	h := f.linear(x, p.input, tape.Identity)
	for l, edges := range b.Layers {
		h = f.layer(h, p.layers[l], edges)
		f.drop.Seed += 0x9e3779b97f4a7c15
	}
	f.t.Copy(token, h)
	f.t.Product(token, x.Slice(0, token.Rows), f.at(p.skip.w), true)
	f.t.Bias(token, f.at(p.skip.b), tape.Identity, tape.Drop{})
}

func (f *forward) layer(h tape.Matrix, p layer, edges *tape.Edges) tape.Matrix {
	n, d := edges.Rows(), h.Cols
	own := h.Slice(0, n)
	mix := f.t.New(n, f.cfg.Bases*d)
	f.t.Mix(mix, h, f.at(p.coef), edges)
	z := f.t.New(n, d)
	f.t.Product(z, own, f.at(p.self.w), false)
	f.t.Product(z, mix, f.at(p.bases), true)
	f.t.Bias(z, f.at(p.self.b), tape.ReLU, f.drop)
	y := f.t.New(n, d)
	f.t.LayerNorm(y, z, own, f.at(p.norm.w), f.at(p.norm.b), f.cfg.Inside)
	return y
}

// fuse makes one vector of an item's tokens.
func (f *forward) fuse(tokens tape.Matrix, present tape.Present) tape.Matrix {
	t, items := f.t, present.Items
	qkv := f.linear(f.norm(tokens, f.n1), f.qkv, tape.Identity)
	read := t.New(tokens.Rows, tokens.Cols)
	t.Attention(read, qkv, present, f.cfg.Heads)
	tokens = f.sum(tokens, f.linear(read, f.proj, tape.Identity))
	tokens = f.sum(tokens, f.linear(f.linear(f.norm(tokens, f.n2), f.up, tape.GELU), f.down, tape.Identity))
	gate := t.New(tokens.Rows, tokens.Cols)
	for i, l := range f.gates {
		g := gate.Slice(i*items, (i+1)*items)
		t.Product(g, tokens.Slice(i*items, (i+1)*items), f.at(l.w), false)
		t.Bias(g, f.at(l.b), tape.Identity, tape.Drop{})
	}
	z := t.New(items, tokens.Cols)
	t.Gates(z, tokens, gate, present)
	return f.norm(z, f.n3)
}
