package graphstore

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
)

// TestTooLarge puts one byte more than a store takes, everywhere: it is refused with the sizes, changes nothing, and the
// store goes on. Badger's own refusal, in the middle of a commit, made the store fail for good.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	opts := small()
	opts.Logger = slog.New(slog.NewTextHandler(&log, nil))
	s, err := Open(t.TempDir(), opts)
	if err != nil {
		t.Fatal(err)
	}
	before := rowsOf(t, s)
	most := make([]byte, s.MaxRow())
	more := make([]byte, s.MaxRow()+1)
	name := strings.Repeat("n", maxKey+1)
	for what, put := range map[string]func(*Tx) error{
		"content":  func(tx *Tx) error { _, err := tx.PutArtifact(Doc{ID: "a", Raw: more}, nil); return err },
		"evidence": func(tx *Tx) error { _, err := tx.PutArtifact(Doc{ID: "a", Evidence: more}, nil); return err },
		"message":  func(tx *Tx) error { _, err := tx.Enqueue(more); return err },
		"meta":     func(tx *Tx) error { return tx.PutMeta("m", more) },
		"meta key": func(tx *Tx) error { return tx.PutMeta(name, nil) },
		"lists":    func(tx *Tx) error { return tx.PutLists(1, more) },
		"encoder":  func(tx *Tx) error { return tx.SetEncoderDim(name, 3) },
		"topic":    func(tx *Tx) error { return tx.SetOffset(name, 0, Offset{}) },
		"log":      func(tx *Tx) error { return tx.SetOffset("in", 0, Offset{Log: name}) },
		"vector":   func(tx *Tx) error { return tx.PutMediaVector(Content{1}, "e", make([]float32, len(more)/4)) },
		"media":    func(tx *Tx) error { return tx.PutMedia(Media{Node: 1, State: MediaRefused, Detail: string(more)}) },
	} {
		tx := s.Begin()
		err := put(tx)
		var size *SizeError
		if !errors.As(err, &size) || !errors.Is(err, ErrTooLarge) || size.Size <= size.Limit || len(err.Error()) > 300 {
			t.Errorf("%s: %.400v", what, err)
		}
		if err := tx.Commit(); err != nil {
			t.Errorf("%s: commit of what was before: %v", what, err)
		}
	}
	// A node's row is made at Commit.
	tx := s.Begin()
	if _, err := tx.PutArtifact(Doc{ID: "a"}, nil); err != nil {
		t.Fatal(err)
	}
	n, err := tx.Edit(ID(Artifact, "a"))
	if err != nil {
		t.Fatal(err)
	}
	n.Features = make([]float32, len(more)/4)
	if err := tx.Commit(); !errors.Is(err, ErrTooLarge) {
		t.Errorf("commit of a large node: %.400v", err)
	}
	if got := rowsOf(t, s); len(got) != len(before) {
		t.Errorf("%d rows, want the %d of before", len(got), len(before))
	}
	// As much as it takes is taken, also by the redo log: four of them do not fit into one file of the value log.
	commitAll(t, s, func(tx *Tx) error {
		for _, id := range []string{"a", "b", "c", "d"} {
			if _, err := tx.PutArtifact(Doc{ID: id, Raw: most[:len(most)-1]}, nil); err != nil {
				return err
			}
		}
		return nil
	})
	if log.Len() > 2000 {
		t.Errorf("the log has %d bytes: %.500s", log.Len(), log.String())
	}
	checked(t, s)
}
