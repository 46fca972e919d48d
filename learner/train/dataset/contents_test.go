package dataset

import (
	"reflect"
	"strings"
	"testing"

	"kilim/consumer/profile"
	"kilim/graphstore"
	"kilim/learner/model"
	"kilim/learner/train"
)

// TestContents: where media are nodes, artifacts of the same picture share a rare node, which both read and which reads both; a query
// reads it and is not read; and media take room.
func TestContents(t *testing.T) {
	t.Parallel()
	star := Content{graphstore.Held{Type: graphstore.Picture, Content: graphstore.Content{1}}, []float32{1, 0, 0}}
	song := Content{graphstore.Held{Type: graphstore.Recording, Content: graphstore.Content{1}}, []float32{1, 0}}
	records := []Record{
		{ID: "a", Vectors: Vectors{Image: star.Vector, Contents: []Content{star, star}}},
		{ID: "b", Vectors: Vectors{Image: star.Vector, Contents: []Content{star, song}}},
		{ID: "c"},
		{ID: "a", Query: true, Vectors: Vectors{Contents: []Content{star}}},
	}
	for media, c := range map[string]struct{ nodes, related int }{model.MediaNodes: {5, 1}, model.MediaFeatures: {4, 0}} {
		cfg := settings(t)
		cfg.Shape.Media = media
		b := builder(t, cfg, NewMemory())
		for _, r := range records {
			if _, err := b.Add(r); err != nil {
				t.Fatal(err)
			}
		}
		set := built(t, b).Set
		if set.Nodes() != c.nodes {
			t.Errorf("%s: %d nodes, want %d", media, set.Nodes(), c.nodes)
		}
		a := set.Artifacts()
		if len(a[0].Rare) != c.related || len(a[0].Related) != c.related || len(a[2].Related) != 0 {
			t.Errorf("%s: a shares with %v and c is kin of %v", media, a[0].Rare, a[2].Related)
		}
		if media == model.MediaNodes {
			picture, query := int32(0), int32(4) // the first is made before its artifact
			hand := train.NewBuilder(cfg.Shape)
			for range set.Nodes() {
				hand.AddNode(make([]float32, cfg.Shape.Modalities[0].Features))
			}
			for _, node := range []int32{a[0].Node, a[1].Node} {
				hand.AddEdge(node, train.Edge{To: picture, Relation: 2 * int32(graphstore.Picture)})
				hand.AddEdge(picture, train.Edge{To: node, Relation: 2*int32(graphstore.Picture) + 1})
			}
			hand.AddEdge(query, train.Edge{To: picture, Relation: 2 * int32(graphstore.Picture)})
			byHand, err := hand.Build(nil)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(edges(t, set), edges(t, byHand)) {
				t.Error("nodes read others than by hand")
			}
		}
	}
}

// TestRoomOfMedia: an artifact of many pictures takes the room of many nodes.
func TestRoomOfMedia(t *testing.T) {
	t.Parallel()
	a, err := profile.Parse([]byte(`{"id":"a","media":[`+strings.Repeat(`{"kind":"image","uri":"http://example.org/i.png"},`, 20)+`{"kind":"audio","uri":"http://example.org/i.wav"}]}`), "a", profile.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	taking := func(media string) int {
		shape := model.Config{Modalities: []model.Modality{{Name: "record", Features: 10}, {Name: "image", Features: 100}}, Media: media}
		r := newRoom(shape, 1000)
		before := r.left
		if r.take(a) != taken {
			t.Fatal("no room for one artifact")
		}
		return before - r.left
	}
	if more := taking(model.MediaNodes) - taking(model.MediaFeatures); more != 20*(pieceBytes+400) {
		t.Errorf("20 pictures take %d bytes as nodes", more)
	}
}
