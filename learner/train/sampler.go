package train

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"kilim/learner/tensor/sparse"
	"kilim/learner/tensor/tape"
	"kilim/learner/train/moco"
)

// Views says how the views of an artifact are made. Shares and probabilities are in 0..1.
type Views struct {
	Half         float64 // share of artifacts whose fields are split between the two views
	NoOrigin     float64 // share of the others whose first view lacks all that names an origin, as many a newcomer does
	FieldDrop    float64 // probability that a field is hidden, in views that are none of these
	ModalityDrop float64 // probability that a modality is hidden; one is always left
	FeatureMask  float64 // probability that a coordinate is set to 0
	Link         float64 // share of artifacts whose second view is of a linked one, if they have one
	Rare         float64 // share of artifacts whose second view is of one that shares a rare entity
	// Fan is how many neighbours are read at most: by an item, by its neighbours, and so on, one number for each layer.
	Fan []int
}

// WithDepth are the Views for models of so many layers: what one more reads is that of the defaults.
func (v Views) WithDepth(layers int) Views {
	fan := slices.Clone(v.Fan[:min(len(v.Fan), layers)])
	v.Fan = append(fan, Defaults(layers).Views.Fan[len(fan):]...)
	return v
}

func (v Views) validate(layers int) error {
	for name, x := range map[string]float64{
		"half": v.Half, "bare": v.NoOrigin, "field drop": v.FieldDrop, "modality drop": v.ModalityDrop, "feature mask": v.FeatureMask, "link": v.Link, "rare": v.Rare,
	} {
		if !(x >= 0 && x <= 1) {
			return fmt.Errorf("train: views: %s %v: must be in 0..1", name, x)
		}
	}
	if len(v.Fan) != layers || slices.Min(v.Fan) < 1 {
		return fmt.Errorf("train: views: fan %v: must be %d numbers of 1 or more, one for each layer", v.Fan, layers)
	}
	return nil
}

// Pair is an item of a batch: the artifacts of its two views.
type Pair struct{ Query, Key int32 }

// Batch is what a step trains on. It is valid until the Sampler's next call.
type Batch struct {
	Pairs      []Pair
	Query, Key moco.View
}

// Sampler draws batches. It belongs to one goroutine at a time.
type Sampler struct {
	set   *Set
	views Views
	seed  uint64
	size  int
	train []int32 // the artifacts that batches are drawn from
	order []int32 // the artifacts in the order of the present pass
	pass  int

	features []tape.Features // the set's, and after them the rows of the views
	viewRows []int           // the first row of the views in features
	buffers  [][]float32     // [modality] of the rows of the views
	inBatch  []bool          // [node]
	depth    []int32         // [node] in the present view, -1: not in it
	row      [][]int32       // [modality][node] in the present view
}

// NewSampler returns a Sampler of batches of size among some of a set's artifacts, given by number.
func NewSampler(set *Set, train []int32, size int, views Views, seed uint64) (*Sampler, error) {
	if err := views.validate(set.shape.Layers); err != nil {
		return nil, err
	}
	if size < 1 || size > len(train) {
		return nil, fmt.Errorf("train: batch %d: must be in 1..%d, the number of artifacts to train on", size, len(train))
	}
	s := &Sampler{set: set, views: views, seed: seed, size: size, train: train, pass: -1,
		inBatch: make([]bool, set.Nodes()), depth: make([]int32, set.Nodes())}
	for i := range s.depth {
		s.depth[i] = -1
	}
	for _, f := range set.features {
		s.features = append(s.features, tape.Features{Cols: f.Cols, Rows: slices.Concat(f.Rows, make([]sparse.Vector, 2*size))})
		s.viewRows = append(s.viewRows, len(f.Rows))
		s.buffers = append(s.buffers, make([]float32, 2*size*f.Cols))
		s.row = append(s.row, make([]int32, set.Nodes()))
	}
	return s, nil
}

// PerPass is the number of steps of one pass over the artifacts.
func (s *Sampler) PerPass() int { return len(s.train) / s.size }

// Draw returns the batch of a step, from 0. It is a function of the seed and the step.
func (s *Sampler) Draw(step int) (*Batch, error) {
	if e := step / s.PerPass(); e != s.pass {
		s.order = slices.Clone(s.train)
		r := rand.New(rand.NewPCG(s.seed, uint64(e)))
		r.Shuffle(len(s.order), func(i, j int) { s.order[i], s.order[j] = s.order[j], s.order[i] })
		s.pass = e
	}
	r := rand.New(rand.NewPCG(s.seed^0x5a3b1e, uint64(step)))
	at := step % s.PerPass() * s.size
	b := &Batch{}
	for _, a := range s.order[at : at+s.size] {
		b.Pairs = append(b.Pairs, Pair{a, s.positive(r, a)})
	}
	queries, keys := make([]viewSpec, s.size), make([]viewSpec, s.size)
	for i, p := range b.Pairs {
		queries[i], keys[i] = s.drawViews(r, p)
	}
	return b, s.buildPair(r, b, queries, keys)
}

// Halves returns a batch of the two halves of up to size artifacts, without dropped modalities or masked features, for
// evaluation.
func (s *Sampler) Halves(artifacts []int32, seed uint64) (*Batch, error) {
	r := rand.New(rand.NewPCG(seed, 0x4a1f))
	b := &Batch{}
	queries, keys := make([]viewSpec, len(artifacts)), make([]viewSpec, len(artifacts))
	for i, a := range artifacts {
		b.Pairs = append(b.Pairs, Pair{a, a})
		queries[i].artifact, keys[i].artifact = a, a
		s.splitParts(r, &queries[i], &keys[i])
		s.splitModalities(r, &queries[i], &keys[i])
	}
	return b, s.buildPair(r, b, queries, keys)
}

// WithoutOrigin returns a view of up to size artifacts without the parts that name their origin, for evaluation.
func (s *Sampler) WithoutOrigin(artifacts []int32, seed uint64) (moco.View, error) {
	r := rand.New(rand.NewPCG(seed, 0xba4e))
	b, views := &Batch{}, make([]viewSpec, len(artifacts))
	for i, a := range artifacts {
		b.Pairs = append(b.Pairs, Pair{a, a})
		views[i].artifact = a
		s.hideOrigin(&views[i])
	}
	s.markInBatch(b, true)
	defer s.markInBatch(b, false)
	return s.buildView(r, views, 0)
}

// markInBatch sets whether a batch's artifacts are in the present batch. sampleEdges leaves out edges to those that
// are.
func (s *Sampler) markInBatch(b *Batch, in bool) {
	for _, p := range b.Pairs {
		s.inBatch[s.set.artifacts[p.Query].Node] = in
		s.inBatch[s.set.artifacts[p.Key].Node] = in
	}
}

func (s *Sampler) buildPair(r *rand.Rand, b *Batch, queries, keys []viewSpec) (err error) {
	s.markInBatch(b, true)
	defer s.markInBatch(b, false)
	if b.Query, err = s.buildView(r, queries, 0); err != nil {
		return err
	}
	if b.Key, err = s.buildView(r, keys, len(queries)); err != nil {
		return err
	}
	for _, p := range b.Pairs {
		b.Query.Classes, b.Key.Classes = append(b.Query.Classes, s.set.class[p.Query]), append(b.Key.Classes, s.set.class[p.Key])
	}
	return nil
}

// positive draws the artifact whose view is the key of artifact a: a itself, a linked one, or one that shares a rare
// entity.
func (s *Sampler) positive(r *rand.Rand, a int32) int32 {
	art := &s.set.artifacts[a]
	x := r.Float64()
	for _, c := range []struct {
		share float64
		nodes []int32
	}{{s.views.Link, art.Links}, {s.views.Rare, art.Rare}} {
		if x < c.share && len(c.nodes) > 0 {
			return s.set.artifactOf[c.nodes[r.IntN(len(c.nodes))]]
		}
		x -= c.share
		if x < 0 {
			break
		}
	}
	return a
}

// sampleNeighbourhood samples the neighbourhood of the items of a view. nodes are ordered by the depth at which they
// were first reached, and ends[d] is the end of those at depth d; reads has the sampled edges of each node. An item's
// entry in nodes is -1: no node reads it.
func (s *Sampler) sampleNeighbourhood(r *rand.Rand, items []viewSpec) (nodes []int32, reads [][]Edge, ends []int) {
	fan := s.views.Fan
	for i := range items {
		nodes = append(nodes, -1) // no node reads an item
		reads = append(reads, s.sampleEdges(r, s.edgesOf(&items[i]), fan[0]))
	}
	ends = append(ends, len(nodes))
	from := 0
	for depth := range fan {
		for _, edges := range reads[from:ends[depth]] {
			for _, e := range edges {
				if s.depth[e.To] < 0 {
					s.depth[e.To] = int32(len(nodes))
					nodes = append(nodes, e.To)
				}
			}
		}
		from = ends[depth]
		ends = append(ends, len(nodes))
		if depth+1 < len(fan) {
			for _, n := range nodes[from:] {
				reads = append(reads, s.sampleEdges(r, s.set.neighbours(n), fan[depth+1]))
			}
		}
	}
	for _, n := range nodes[len(items):] {
		s.depth[n] = -1
	}
	return nodes, reads, ends
}

// sampleEdges samples up to n edges to nodes outside of the batch, and sorts them by relation.
func (s *Sampler) sampleEdges(r *rand.Rand, all []Edge, n int) []Edge {
	var out []Edge
	if len(all) <= 4*n {
		for _, e := range all {
			if !s.inBatch[e.To] {
				out = append(out, e)
			}
		}
		if len(out) > n {
			r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
			out = out[:n]
		}
	} else {
		for range 2 * n { // a hub: 2n draws may give fewer than n edges, but cost no scan
			e := all[r.IntN(len(all))]
			if !s.inBatch[e.To] && !slices.Contains(out, e) {
				if out = append(out, e); len(out) == n {
					break
				}
			}
		}
	}
	sortEdges(out)
	return out
}
