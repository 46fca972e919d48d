package graphstore

import (
	"errors"
	"testing"
)

// TestForgetOffsets: all of them go, and nothing else.
func TestForgetOffsets(t *testing.T) {
	t.Parallel()
	s, err := Open(t.TempDir(), Options{SyncWrites: NoSync})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	commitAll(t, s, func(tx *Tx) error {
		_, err := tx.PutArtifact(Doc{ID: "a"}, nil)
		return errors.Join(err, tx.SetOffset("in", 0, Offset{Next: 7, Log: "x"}), tx.SetOffset("in", 1, Offset{Next: 8}))
	})
	for _, want := range []int{2, 0} {
		commitAll(t, s, func(tx *Tx) error {
			n, err := tx.ForgetOffsets()
			if n != want {
				t.Errorf("%d offsets forgotten, want %d", n, want)
			}
			return err
		})
	}
	if err := s.View(func(r *Reader) error {
		for p := range 2 {
			if o, ok, err := r.Offset("in", p); ok || err != nil {
				t.Errorf("partition %d is still at %+v (%v)", p, o, err)
			}
		}
		doc, err := r.Artifact("a")
		if doc == nil {
			t.Error("the artifact is gone too")
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}
