package train

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"kilim/learner/model"
	"kilim/learner/tensor/tape"
	"kilim/learner/tensor/vec"
)

// TestSampledViewAgreesWithTheWhole: a view that shows all of an artifact and reads all its neighbours has the
// embedding that the whole Set gives it, for 1, 2 and 3 layers: sampling only leaves out. Entities don't read the
// artifacts back here, as those of a batch are never read.
func TestSampledViewAgreesWithTheWhole(t *testing.T) {
	t.Parallel()
	for layers := 1; layers <= 3; layers++ {
		for _, aggregator := range []string{model.AggregatorMean, model.AggregatorAttention} {
			cfg := shape
			cfg.Layers, cfg.Aggregator = layers, aggregator
			sampledViewAgrees(t, cfg)
		}
	}
}

func sampledViewAgrees(t *testing.T, cfg model.Config) {
	t.Helper()
	set := village(t, cfg, 60, 6, true)
	m := newModel(t, cfg)
	w, r := m.Init(), rand.New(rand.NewPCG(1, 1))
	for i := range w.Data {
		w.Data[i] += float32(r.NormFloat64()) * 0.02
	}
	for _, p := range m.Params() {
		if strings.Contains(p.Name, ".attention.") { // which would weight all alike else
			for i := range p.Rows * p.Cols {
				w.Data[p.Offset+i] = float32(r.NormFloat64())
			}
		}
	}
	pool := newPool(t, 2)
	want, err := Embed(set, m, w, pool)
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSampler(set, []int32{0, 33}, 1, Views{Fan: []int{100, 100, 100}[:cfg.Layers]}, 1)
	if err != nil {
		t.Fatal(err)
	}
	for step := range s.PerPass() {
		b, err := s.Draw(step)
		if err != nil {
			t.Fatal(err)
		}
		tp := tape.New(pool)
		z, _, err := m.Forward(tp, w, b.Key.Features, b.Key.Block, 0, false)
		if err != nil {
			t.Fatal(err)
		}
		z = tp.Unit(z)
		for j, x := range want.Row(int(set.artifacts[b.Pairs[0].Key].Node)) {
			if math.Abs(float64(x-z.Data[j])) > 1e-5 {
				t.Fatalf("%d layers, aggregator %s: number %d of artifact %d is %v in a view, %v in the whole", cfg.Layers, cfg.Aggregator, j, b.Pairs[0].Key, z.Data[j], x)
			}
		}
	}
}

// TestBatches: the two halves of a record share no part; no artifact of the batch is read; a batch is a function of its
// step; a pass draws each artifact once.
func TestBatches(t *testing.T) {
	t.Parallel()
	set := village(t, shape, 96, 6, false)
	all := make([]int32, 96)
	for i := range all {
		all[i] = int32(i)
	}
	sampler := func() *Sampler {
		s, err := NewSampler(set, all, 16, Defaults(2).Views, 1)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := sampler()
	r := rand.New(rand.NewPCG(1, 1))
	for a := range set.artifacts {
		q, k := viewSpec{artifact: int32(a)}, viewSpec{artifact: int32(a)}
		s.splitParts(r, &q, &k)
		if len(q.parts)+len(k.parts) != fields || len(q.parts) < 1 || len(k.parts) < 1 {
			t.Fatalf("halves of %d and %d parts", len(q.parts), len(k.parts))
		}
		for _, p := range q.parts {
			for _, o := range k.parts {
				if p.Edges[0] == o.Edges[0] {
					t.Fatal("both halves have a part")
				}
			}
			if len(s.edgesOf(&q)) > len(q.parts)+1 { // and the link
				t.Fatalf("%d parts come with %d edges", len(q.parts), len(s.edgesOf(&q)))
			}
		}
	}
	drawn := map[int32]int{}
	linked := 0
	for step := range s.PerPass() {
		b, err := s.Draw(step)
		if err != nil {
			t.Fatal(err)
		}
		in := map[int32]bool{}
		for _, p := range b.Pairs {
			drawn[p.Query]++
			in[set.artifacts[p.Query].Node], in[set.artifacts[p.Key].Node] = true, true
			if p.Key != p.Query {
				linked++
				if set.artifacts[p.Query].Links[0] != set.artifacts[p.Key].Node {
					t.Error("a positive is neither the artifact nor linked to it")
				}
			}
		}
		for _, v := range []*model.Block{b.Query.Block, b.Key.Block} {
			for m := range v.Rows {
				for node, row := range set.rowOf[m] {
					if in[int32(node)] && row >= 0 && slices.Contains(v.Rows[m].Source, row) {
						t.Fatalf("artifact node %d of the batch is read in it", node)
					}
				}
			}
		}
	}
	if len(drawn) != 96 || linked == 0 {
		t.Errorf("%d artifacts drawn of 96, %d linked pairs", len(drawn), linked)
	}
	if _, err := s.Draw(7); err != nil {
		t.Fatal(err)
	}
	a, err := s.Draw(3)
	if err != nil {
		t.Fatal(err)
	}
	b, err := sampler().Draw(3)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(a.Pairs, b.Pairs) || !slices.Equal(a.Key.Block.Rows[0].Source, b.Key.Block.Rows[0].Source) ||
		!reflect.DeepEqual(a.Query.Features[0], b.Query.Features[0]) {
		t.Error("a batch depends on what was drawn before")
	}
}

// TestEmbedWithoutOrigin: it changes the embedding of an artifact whose record names an origin, and no other.
func TestEmbedWithoutOrigin(t *testing.T) {
	t.Parallel()
	set := village(t, shape, 60, 6, true)
	for i := range set.artifacts[33].Parts {
		set.artifacts[33].Parts[i].Origin = false
	}
	m, pool := newModel(t, shape), newPool(t, 2)
	w := m.Init()
	whole, err := Embed(set, m, w, pool)
	if err != nil {
		t.Fatal(err)
	}
	artifacts := []int32{0, 2, 33}
	z, err := EmbedWithoutOrigin(set, artifacts, 1, Views{Fan: []int{100, 100}}, 1, m, w, pool)
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range artifacts {
		if same := vec.Dot(z.Row(i), whole.Row(int(set.artifacts[a].Node))) > 1-1e-5; same != (a == 33) {
			t.Errorf("artifact %d: the bare embedding is the whole one's: %v", a, same)
		}
	}
}

// TestViewsWithoutOrigin: a view without origin has all parts that name no origin or, if there are none, all parts.
func TestViewsWithoutOrigin(t *testing.T) {
	t.Parallel()
	set := village(t, shape, 24, 6, false)
	set.artifacts[1].Parts = set.artifacts[1].Parts[1:2]
	s, err := NewSampler(set, []int32{0, 1}, 2, Views{NoOrigin: 1, Fan: []int{9, 9}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	for artifact, want := range []int{fields - 1, 1} {
		q, k := s.drawViews(rand.New(rand.NewPCG(1, 1)), Pair{int32(artifact), int32(artifact)})
		if len(q.parts) != want || want > 1 && slices.ContainsFunc(q.parts, func(p Part) bool { return p.Origin }) {
			t.Errorf("artifact %d: the bare view has %+v", artifact, q.parts)
		}
		if len(k.parts) != len(set.artifacts[artifact].Parts) {
			t.Errorf("artifact %d: the other view has %d parts", artifact, len(k.parts))
		}
	}
}

// TestClasses: the classes of a batch are its artifacts' cultures, numbered from 0.
func TestClasses(t *testing.T) {
	t.Parallel()
	set := village(t, shape, 24, 6, false)
	if set.classes != 3 {
		t.Fatalf("%d classes of 3 cultures", set.classes)
	}
	all := make([]int32, 24)
	for i := range all {
		all[i] = int32(i)
	}
	s, err := NewSampler(set, all, 12, Views{Link: 0.5, Fan: []int{9, 9}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Draw(0)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range b.Pairs {
		if q, k := set.artifacts[p.Query].Culture, set.artifacts[p.Key].Culture; b.Query.Classes[i] != q || b.Key.Classes[i] != k {
			t.Errorf("pair %d of the cultures %d and %d has the classes %d and %d", i, q, k, b.Query.Classes[i], b.Key.Classes[i])
		}
	}
}

func TestNegatives(t *testing.T) {
	t.Parallel()
	set := village(t, shape, 24, 6, false)
	o := newOwners(set, Negatives{Hard: 3, Beyond: 2}, 40)
	o.pairs = []Pair{{12, 12}} // culture 0, linked to 6
	for place, artifact := range map[int]int32{0: 12, 1: 6, 2: 0, 3: 2, 4: 4, 5: 3} {
		o.put(place, artifact)
	}
	o.put(5, 4) // 3 is gone
	cosines, weights := make([]float32, 40), make([]float32, 40)
	for j := range cosines {
		cosines[j] = float32(j%3) / 100
	}
	cosines[2], cosines[3] = 0.9, 0.9
	o.Weigh(0, cosines, weights)
	want := []float32{0, 0, 1, 3, 1, 1, 1}
	if !slices.Equal(weights[:7], want) {
		t.Errorf("weights are %v, want %v: itself, linked, same culture, other and near, other, other, of nobody", weights[:7], want)
	}
	if len(o.slots[3]) != 0 || !slices.Equal(o.slots[4], []int32{4, 5}) {
		t.Errorf("places of 3 and 4 are %v and %v", o.slots[3], o.slots[4])
	}
}
