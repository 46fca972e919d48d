package graphstore

import (
	"slices"
	"testing"
)

// TestContentsRefused: nobody but a stored artifact holds contents, a document names none, and a content whose NodeID belongs to another
// key is left out, with the others put.
func TestContentsRefused(t *testing.T) {
	t.Parallel()
	s, err := Open(t.TempDir(), Options{SyncWrites: NoSync})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	tx := s.Begin()
	defer tx.Discard()
	star, hook := Held{Picture, Content{1}}, Held{Picture, Content{2}}
	if _, err := tx.PutArtifact(Doc{ID: "a"}, []EdgeSpec{{Type: Picture, Rel: Relation(Picture), Key: star.Content.Key()}}); err == nil {
		t.Error("a document named a content")
	}
	if _, err := tx.PutArtifact(Doc{ID: "a"}, []EdgeSpec{{Type: Artifact, Rel: RelLink, Key: "placeholder"}}); err != nil {
		t.Fatal(err)
	}
	a := ID(Artifact, "a")
	for name, c := range map[string]struct {
		artifact NodeID
		held     Held
	}{
		"nobody": {ID(Artifact, "b"), star}, "a placeholder": {ID(Artifact, "placeholder"), star},
		"no bytes": {a, Held{Picture, Content{}}}, "a medium": {a, Held{Image, Content{1}}},
	} {
		if change, err := tx.PutContents(c.artifact, []Held{c.held}); err == nil {
			t.Errorf("%s: %+v", name, change)
		}
	}
	tx.ov.nodes[hook.ID()] = &Node{ID: hook.ID(), Type: Culture, Key: "of the same hash"}
	change, err := tx.PutContents(a, []Held{hook, star, star})
	if err != nil || !slices.Equal(change.Added, []Edge{{a, Relation(Picture), star.ID()}}) || !slices.Equal(change.NewNodes, []NodeID{star.ID()}) {
		t.Errorf("beside a collision: %+v %v", change, err)
	}
}
