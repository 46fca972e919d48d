package train

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"kilim/learner/model"
)

// TestMediaEdges: a node that is media is read by who holds it unless the view hides its modality, and not at all by a model that does
// not read media as nodes.
func TestMediaEdges(t *testing.T) {
	t.Parallel()
	cfg := model.Config{Modalities: []model.Modality{{Name: "record", Features: 4}, {Name: "image", Features: 2}}, Width: 8, Layers: 2, Relations: 6, Bases: 1, Heads: 1, Media: model.MediaNodes}
	b := NewBuilder(cfg)
	b.MediaEdges(map[int32]int{2: 1, 3: 1})
	rug, tile, picture := b.AddNode(make([]float32, 4), []float32{1, 0}), b.AddNode(make([]float32, 4)), b.AddNode(nil, []float32{0, 1})
	for _, a := range []int32{rug, tile} {
		b.AddArtifact(Artifact{Node: a, Culture: -1, Parts: []Part{{Content: 0}}})
		b.AddEdge(a, Edge{picture, 2})
		b.AddEdge(picture, Edge{a, 3})
	}
	b.AddEdge(rug, Edge{tile, 4})
	set, err := b.Build(nil)
	if err != nil {
		t.Fatal(err)
	}
	sampler := func(set *Set) *Sampler {
		s, err := NewSampler(set, []int32{0, 1}, 1, Views{Fan: []int{5, 5}}, 1)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	without := cfg
	without.Media, without.Layers = "", 3
	features := set.For(without)
	if features.shape.Layers != 3 || set.For(cfg).Nodes() != 3 || len(set.For(cfg).neighbours(picture)) != 2 {
		t.Error("a set for its own shape, or one for another depth, is another one")
	}
	for name, c := range map[string]struct {
		set  *Set
		view viewSpec
		want []Edge
	}{
		"shown":          {set, viewSpec{}, []Edge{{picture, 2}, {tile, 4}}},
		"picture hidden": {set, viewSpec{hidden: 2}, []Edge{{tile, 4}}},
		"record hidden":  {set, viewSpec{hidden: 1}, []Edge{{picture, 2}, {tile, 4}}},
		"as features":    {features, viewSpec{}, []Edge{{tile, 4}}},
	} {
		if got := (&Sampler{set: c.set}).edgesOf(&c.view); !slices.Equal(got, c.want) {
			t.Errorf("%s: reads %v, want %v", name, got, c.want)
		}
	}
	if len(features.neighbours(picture)) != 0 || len(features.neighbours(rug)) != 1 {
		t.Error("a set for a model of features has edges of media")
	}
	nodes, _, _ := sampler(set).sampleNeighbourhood(rand.New(rand.NewPCG(1, 1)), []viewSpec{{artifact: 1}})
	if !slices.Contains(nodes, rug) {
		t.Error("two edges away over a picture there is nobody")
	}
	without.Layers = 2
	m := newModel(t, without)
	if _, err := New(Defaults(2), set, m, m.Init(), newPool(t, 1)); err == nil || !strings.Contains(err.Error(), "a set for the model") {
		t.Errorf("a set with media as nodes was taken for a model that does not read them: %v", err)
	}
}
