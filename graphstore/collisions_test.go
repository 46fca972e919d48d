package graphstore

import (
	"errors"
	"testing"
)

// TestKeyCheck asks before PutArtifact about keys that collide with what is stored, with what was admitted before, and
// within the record.
func TestKeyCheck(t *testing.T) {
	t.Parallel()
	const x, y = "2a7eb3f0bedb9e30", "63e660900e18c1c2" // subjects with one hash
	subject := func(key string) EdgeSpec { return EdgeSpec{Type: Subject, Rel: Relation(Subject), Key: key} }
	s := openSmall(t)
	defer s.Close()
	// These stand for real collisions, which are hard to find.
	for _, k := range []typedKey{{Artifact, "b"}, {Image, "c\x000"}, {Artifact, "target"}} {
		commitAll(t, s, func(tx *Tx) error {
			id := ID(k.typ, k.key)
			tx.ov.nodes[id] = &Node{ID: id, Type: k.typ, Key: "other"}
			return nil
		})
	}
	commitAll(t, s, func(tx *Tx) error { _, err := tx.PutArtifact(Doc{ID: "d"}, []EdgeSpec{subject("rug")}); return err })
	tx := s.Begin()
	defer tx.Discard()
	keys := tx.CheckKeys()
	for _, tt := range []struct {
		id, key string // the key that collides, empty for none
		specs   []EdgeSpec
	}{
		{"a", "", []EdgeSpec{subject("rug"), subject("new")}},
		{"b", "b", nil},
		{"c", "c\x000", []EdgeSpec{{Type: Image, Rel: RelMedia, Key: "c\x000"}}},
		{"c", "target", []EdgeSpec{{Type: Artifact, Rel: RelLink, Key: "target"}}},
		{"c", y, []EdgeSpec{subject(x), subject(y)}}, // which admits neither
		{"c", "", []EdgeSpec{subject(y)}},
		{"e", x, []EdgeSpec{subject("rug"), subject(x)}},
		{"e", "", []EdgeSpec{subject(y)}},
	} {
		err := keys.Admit(tt.id, tt.specs)
		var fault *CollisionError
		switch {
		case tt.key == "" && err != nil:
			t.Errorf("%s is refused: %v", tt.id, err)
		case tt.key != "" && (!errors.As(err, &fault) || !errors.Is(err, ErrCollision) || fault.Key != tt.key):
			t.Errorf("%s, want a collision of %q: %v", tt.id, tt.key, err)
		}
		if tt.key == "" {
			if _, err := tx.PutArtifact(Doc{ID: tt.id}, tt.specs); err != nil {
				t.Errorf("%s was admitted: %v", tt.id, err)
			}
		} else if _, err := tx.PutArtifact(Doc{ID: tt.id}, tt.specs); !errors.Is(err, ErrCollision) {
			t.Errorf("%s was refused, and can be put: %v", tt.id, err)
		}
	}
}
