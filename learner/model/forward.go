package model

import (
	"fmt"

	"kilim/learner/tensor/tape"
)

// Block is a sampled neighbourhood of some items. Each modality has rows of its own, and the items are the first of
// them.
type Block struct {
	Mask tape.Mask
	// Rows gathers, for each modality, the features of its rows. A row without entries has no features: the bias of the
	// branch's input stands for them.
	Rows []tape.CSR
	// Layers has, for each modality, the edges of each layer, the lowest first. Layer l updates the first
	// Layers[m][l].Rows() rows and reads the rows that the layer below updated. An edge must come from a row that is
	// active below: one with features, or with an edge in a layer below. Forward does not check that; the sampler
	// leaves other edges out.
	Layers [][]*tape.Edges
}

// check returns an error that says in what a Block doesn't fit the model.
func (m *Model) check(features []tape.Features, b *Block) error {
	n := len(m.branches)
	if len(features) != n || len(b.Rows) != n || len(b.Layers) != n || b.Mask.Modalities != n || len(b.Mask.Present) != n*b.Mask.Items {
		return fmt.Errorf("model: block with %d features, %d rows, %d layers and %d modes: the model has %d modalities", len(features), len(b.Rows), len(b.Layers), b.Mask.Modalities, n)
	}
	for i, mode := range m.cfg.Modalities {
		layers := b.Layers[i]
		if len(layers) != m.cfg.Layers {
			return fmt.Errorf("model: block with %d layers of %s: the model has %d", len(layers), mode.Name, m.cfg.Layers)
		}
		below := b.Rows[i].Rows()
		for l, e := range layers {
			if e.Sources() != below || e.Rows() > below {
				return fmt.Errorf("model: block whose layer %d of %s updates %d rows of %d: there are %d", l+1, mode.Name, e.Rows(), e.Sources(), below)
			}
			below = e.Rows()
		}
		if below != b.Mask.Items {
			return fmt.Errorf("model: block whose last layer of %s updates %d rows: there are %d items", mode.Name, below, b.Mask.Items)
		}
		if features[i].Cols != mode.Features {
			return fmt.Errorf("model: %d features of %s: the model has %d", features[i].Cols, mode.Name, mode.Features)
		}
	}
	return nil
}

// Output is what Project computes of a Block's items, a row each.
type Output struct {
	Embedding, Projection tape.Matrix
	// Branches are the projections of each modality's token, of a Model WithBranchHeads. The rows of items that do not show the
	// modality are of no meaning.
	Branches []tape.Matrix
}

// Forward computes the embeddings (before the head) and the projections of a Block's items, a row each. seed decides
// what is dropped out; train turns dropout on.
func (m *Model) Forward(t *tape.Tape, w *Weights, features []tape.Features, b *Block, seed uint64, train bool) (embedding, projection tape.Matrix, err error) {
	out, err := m.Project(t, w, features, b, seed, train)
	return out.Embedding, out.Projection, err
}

// Project is Forward with the projections of the branches.
func (m *Model) Project(t *tape.Tape, w *Weights, features []tape.Features, b *Block, seed uint64, train bool) (Output, error) {
	if err := m.check(features, b); err != nil {
		return Output{}, err
	}
	f := forward{m, t, w, tape.Drop{Seed: seed}}
	if train {
		f.drop.Rate = m.cfg.Dropout
	}
	d, items := m.cfg.Width, b.Mask.Items
	tokens := t.New(len(m.branches)*items, d)
	t.Fork(len(m.branches), func(i int, child *tape.Tape) {
		own := f
		own.t = child
		own.drop.Seed += uint64(i*m.cfg.Layers) * dropSeedStride
		own.branch(tokens.Slice(i*items, (i+1)*items), i, features[i], b)
	})
	f.drop.Seed += uint64(len(m.branches)*m.cfg.Layers) * dropSeedStride
	out := Output{Embedding: m.fusion.fuse(&f, tokens, b.Mask)}
	if m.output >= 0 {
		fused := out.Embedding
		out.Embedding = t.New(items, m.cfg.EmbeddingDim())
		t.Product(out.Embedding, fused, f.param(m.output), false)
	}
	out.Projection = f.project(out.Embedding, m.head)
	for i, head := range m.heads {
		out.Branches = append(out.Branches, f.project(tokens.Slice(i*items, (i+1)*items), head))
	}
	return out, nil
}

// project is what a head makes of rows, for the contrastive loss.
func (f *forward) project(x tape.Matrix, head [2]linear) tape.Matrix {
	h := f.linear(x, head[0], tape.ReLU)
	return f.t.Unit(f.linear(h, head[1], tape.Identity))
}

// dropSeedStride is the distance between the seeds of successive dropouts.
const dropSeedStride = 0x9e3779b97f4a7c15

// later is another dropout of the same rate, n strides later.
func later(d tape.Drop, n uint64) tape.Drop {
	d.Seed += n * dropSeedStride
	return d
}

// forward is the state of one forward pass.
type forward struct {
	*Model
	t    *tape.Tape
	w    *Weights
	drop tape.Drop
}

// param returns the matrix of a parameter by its number.
func (f *forward) param(number int) tape.Matrix { return f.w.matrices[number] }

func (f *forward) linear(x tape.Matrix, l linear, act tape.Activation) tape.Matrix {
	w := f.param(l.w)
	y := f.t.New(x.Rows, w.Cols)
	f.t.Product(y, x, w, false)
	f.t.Bias(y, f.param(l.b), act, tape.Drop{})
	return y
}

// input is linear for the first n rows of features.
func (f *forward) input(n int, x *tape.Rows, l linear) tape.Matrix {
	w := f.param(l.w)
	y := f.t.New(n, w.Cols)
	f.t.InputProduct(y, x, w, false)
	f.t.Bias(y, f.param(l.b), tape.Identity, tape.Drop{})
	return y
}

func (f *forward) norm(x tape.Matrix, l linear) tape.Matrix {
	y := f.t.New(x.Rows, x.Cols)
	f.t.LayerNorm(y, x, tape.Matrix{}, f.param(l.w), f.param(l.b), false)
	return y
}

func (f *forward) sum(x, y tape.Matrix) tape.Matrix {
	z := f.t.New(x.Rows, x.Cols)
	f.t.Copy(z, x)
	f.t.Add(z, y)
	return z
}

// branch writes the tokens of one modality to token.
func (f *forward) branch(token tape.Matrix, mode int, features tape.Features, b *Block) {
	x := f.t.Gather(features, b.Rows[mode])
	p := f.branches[mode]
	h := f.input(b.Rows[mode].Rows(), x, p.input)
	for l, edges := range b.Layers[mode] {
		h = f.layer(h, p.layers[l], edges)
		f.drop.Seed += dropSeedStride
	}
	if f.cfg.Residual == ResidualConcat {
		join, d := f.param(p.join), token.Cols
		f.t.Product(token, h, join.Slice(0, d), false)
		f.t.Product(token, f.input(token.Rows, x, p.skip), join.Slice(d, 2*d), true)
		return
	}
	f.t.Copy(token, h)
	f.t.InputProduct(token, x, f.param(p.skip.w), true)
	f.t.Bias(token, f.param(p.skip.b), tape.Identity, tape.Drop{})
}

func (f *forward) layer(h tape.Matrix, p layer, edges *tape.Edges) tape.Matrix {
	n, d := edges.Rows(), h.Cols
	own := h.Slice(0, n)
	z := f.t.New(n, d)
	f.t.Product(z, own, f.param(p.self.w), false)
	read := h
	if f.cfg.Attends() {
		read, edges = f.attended(h, p.attention, edges)
	}
	f.messages(z, read, p, edges)
	f.t.Bias(z, f.param(p.self.b), tape.ReLU, f.drop)
	y := f.t.New(n, d)
	f.t.LayerNorm(y, z, own, f.param(p.norm.w), f.param(p.norm.b), f.cfg.Inside)
	return y
}

// messages adds to z, for each row, the sum over its relations of W_r mean_r.
//
// W_r is a sum of the bases with coefficients. A row with at least as many relations as there are bases mixes its means
// for each basis and multiplies the mixes by the bases: W_r is never formed. For a row with fewer relations, such as an
// entity, whose neighbours are all of one relation, W_r is formed once and multiplied by the means: that is less work,
// and the same by linearity.
func (f *forward) messages(z, h tape.Matrix, p layer, edges *tape.Edges) {
	t, d, bases := f.t, h.Cols, f.param(p.bases)
	g := edges.Group(f.cfg.Bases)
	if g == nil {
		mix := t.New(z.Rows, bases.Rows)
		t.Mix(mix, h, f.param(p.coef), edges)
		t.Product(z, mix, bases, true)
		return
	}
	many, few := g.Many.Rows(), g.Few.Rows()
	all := t.New(many+few, d)
	if many > 0 {
		mix := t.New(many, bases.Rows)
		t.Mix(mix, h, f.param(p.coef), g.Many)
		t.Product(all.Slice(0, many), mix, bases, false)
	}
	means := t.New(few, d)
	t.Mix(means, h, unitCoefficient, g.Few)
	matrices := t.New(len(g.Relations), d*d)
	t.Mix(matrices, bases.Reshape(f.cfg.Bases, d*d), f.param(p.coef).Reshape(f.cfg.Relations*f.cfg.Bases, 1), f.basisEdges(g.Relations))
	from := 0
	for i, to := range g.Ends {
		t.Product(all.Slice(many+from, many+to), means.Slice(from, to), matrices.Slice(i, i+1).Reshape(d, d), false)
		from = to
	}
	sum := t.New(z.Rows, d)
	t.Mix(sum, all, unitCoefficient, g.Scatter)
	t.Add(z, sum)
}

// unitCoefficient has Mix only add up.
var unitCoefficient = tape.Constant(1, 1, []float32{1})

// basisEdges are the edges by which Mix forms W_r for some relations: for each relation a row that reads every basis by
// its coefficient.
func (f *forward) basisEdges(relations []int32) *tape.Edges {
	c, coefficients := tape.CSR{Start: []int32{0}}, []int32(nil)
	for _, r := range relations {
		for b := range int32(f.cfg.Bases) {
			c.Source, c.Weight = append(c.Source, b), append(c.Weight, 1)
			coefficients = append(coefficients, r*int32(f.cfg.Bases)+b)
		}
		c.Start = append(c.Start, int32(len(c.Source)))
	}
	return f.mustEdges(c, coefficients, f.cfg.Bases, f.cfg.Relations*f.cfg.Bases)
}

// mustEdges prepares a CSR that the model itself made; an error is a bug and panics.
func (f *forward) mustEdges(c tape.CSR, relation []int32, sources, relations int) *tape.Edges {
	e, err := tape.NewEdges(c, relation, sources, relations)
	if err != nil {
		panic(fmt.Sprintf("model: %v", err)) // made by the model itself
	}
	return e
}
