package graphstore

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"
)

func openSmall(t testing.TB) *Store {
	t.Helper()
	s, err := Open(t.TempDir(), small())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func commitAll(t testing.TB, s *Store, fn func(*Tx) error) {
	t.Helper()
	tx := s.Begin()
	defer tx.Discard()
	if err := fn(tx); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

func TestSecondOpenerIsTold(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := Open(dir, small())
	if err != nil {
		t.Fatal(err)
	}
	defer checked(t, s)
	if _, err := Open(dir, small()); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), dir) {
		t.Errorf("second open: %v", err)
	}
}

func TestIdentityStays(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var ids []string
	for range 2 {
		s, err := Open(dir, small())
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, s.UUID())
		checked(t, s)
	}
	if len(ids[0]) != 36 || ids[0] != ids[1] {
		t.Errorf("identities %q", ids)
	}
}

// TestForeignFolders: a folder of another schema or program is refused and
// left as it is.
func TestForeignFolders(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]op{
		"schema":  {[]byte{keyHead}, appendBytes(encodeNumber(SchemaVersion+1), "x")},
		"version": {[]byte{keyHead}, []byte{rowVersion + 1}},
		"program": {[]byte("something"), []byte("else")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			db, err := badger.Open(badger.DefaultOptions(dir).WithLogger(nil).WithMemTableSize(mib).WithValueThreshold(1000))
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(db.Update(func(txn *badger.Txn) error { return txn.Set(row.key, row.value) }), db.Close()); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(dir, small()); !errors.Is(err, ErrSchema) || !strings.Contains(err.Error(), dir) {
				t.Errorf("open: %v", err)
			}
		})
	}
}

func TestBadOptions(t *testing.T) {
	t.Parallel()
	for field, opts := range map[string]Options{
		"CacheMB": {CacheMB: -1}, "MemtableMB": {MemtableMB: 4096}, "MaintainInterval": {MaintainInterval: -time.Second},
	} {
		if _, err := Open(filepath.Join(t.TempDir(), "x"), opts); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// TestBadArguments: each is refused by a sentence that names it, and the
// transaction stays usable and empty.
func TestBadArguments(t *testing.T) {
	t.Parallel()
	s := openSmall(t)
	defer checked(t, s)
	tx := s.Begin()
	defer tx.Discard()
	put := func(id string, spec EdgeSpec) error {
		_, err := tx.PutArtifact(Doc{ID: id}, []EdgeSpec{spec})
		return err
	}
	if err := tx.SetEncoderDim("clip", 512); err != nil {
		t.Fatal(err)
	}
	for want, err := range map[string]error{
		"the id is empty":      put("", EdgeSpec{Type: Culture, Rel: Relation(Culture), Key: "x"}),
		"type 99":              put("a", EdgeSpec{Type: 99, Rel: 99, Key: "x"}),
		"relation place":       put("a", EdgeSpec{Type: Culture, Rel: Relation(Place), Key: "x"}),
		"inverse-culture":      put("a", EdgeSpec{Type: Culture, Rel: Relation(Culture) | Inverse, Key: "x"}),
		"culture is empty":     put("a", EdgeSpec{Type: Culture, Rel: Relation(Culture)}),
		`media key "b\x000"`:   put("a", EdgeSpec{Type: Image, Rel: RelMedia, Key: "b\x000"}),
		"next -1":              tx.SetOffset("in", 0, Offset{Next: -1}),
		`topic ""`:             tx.SetOffset("", 0, Offset{Next: 1}),
		`topic "a\x00b"`:       tx.SetOffset("a\x00b", 0, Offset{Next: 1}),
		"partition -1":         tx.SetOffset("in", -1, Offset{Next: 1}),
		"dimension 0":          tx.SetEncoderDim("x", 0),
		"it has dimension 512": tx.SetEncoderDim("clip", 100),
		"the key is empty":     tx.PutMeta("", nil),
		"the last message is":  s.Ack(1, nil),
		"position":             s.Ack(0, []Position{{"out", 0, -5}}),
		"fewer than 0":         s.WaitOutbox(t.Context(), 0),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
	if _, err := tx.Outbox(0, 0); err == nil {
		t.Error("a limit of 0 was accepted")
	}
	if len(tx.ov.nodes) != 0 {
		t.Errorf("refused changes left %v", tx.ov.nodes)
	}
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
	if err := tx.Commit(); err == nil {
		t.Error("a second commit was accepted")
	}
	if _, err := tx.Node(1); err == nil {
		t.Error("an ended transaction can be read")
	}
}

// TestCollision plants a node under the id of another key: both directions of
// meeting it are refused.
func TestCollision(t *testing.T) {
	t.Parallel()
	s := openSmall(t)
	defer s.Close()
	commitAll(t, s, func(tx *Tx) error {
		_, err := tx.PutArtifact(Doc{ID: "a"}, []EdgeSpec{{Type: Culture, Rel: Relation(Culture), Key: "ming"}})
		return err
	})
	for _, id := range []NodeID{ID(Artifact, "b"), ID(Culture, "song")} {
		commitAll(t, s, func(tx *Tx) error {
			tx.ov.nodes[id] = &Node{ID: id, Type: Period, Key: "other"}
			return nil
		})
	}
	tx := s.Begin()
	defer tx.Discard()
	_, asArtifact := tx.PutArtifact(Doc{ID: "b"}, nil)
	_, asTarget := tx.PutArtifact(Doc{ID: "a"}, []EdgeSpec{
		{Type: Place, Rel: Relation(Place), Key: "here"}, {Type: Culture, Rel: Relation(Culture), Key: "song"}})
	_, asDeleted := tx.DeleteArtifact("b")
	for _, err := range []error{asArtifact, asTarget, asDeleted} {
		if !errors.Is(err, ErrCollision) || !strings.Contains(err.Error(), `"other"`) {
			t.Errorf("collision: %v", err)
		}
	}
	if len(tx.ov.nodes) != 0 {
		t.Error("a refused change left something")
	}
}

// TestEditIsPrivate: what a transaction edits is seen by nobody else before
// Commit, not at all after Discard, and a node of an older view never changes.
func TestEditIsPrivate(t *testing.T) {
	t.Parallel()
	s := openSmall(t)
	defer checked(t, s)
	id := ID(Artifact, "a")
	commitAll(t, s, func(tx *Tx) error {
		if _, err := tx.PutArtifact(Doc{ID: "a"}, nil); err != nil {
			return err
		}
		n, err := tx.Edit(id)
		n.Embedding = []float32{1, 2}
		return err
	})
	embedding := func(r *Reader) []float32 {
		n, err := r.Node(id)
		if err != nil {
			t.Fatal(err)
		}
		return slices.Clone(n.Embedding)
	}
	if err := s.View(func(old *Reader) error {
		for _, commit := range []bool{false, true} {
			tx := s.Begin()
			n, err := tx.Edit(id)
			if err != nil {
				return err
			}
			n.Embedding[0] = 7
			if again, _ := tx.Edit(id); again != n {
				t.Error("a second Edit gives another copy")
			}
			if got := embedding(&tx.Reader); got[0] != 7 {
				t.Errorf("the transaction reads %v", got)
			}
			if got := embedding(old); got[0] != 1 {
				t.Errorf("a view sees an uncommitted edit: %v", got)
			}
			if commit {
				err = tx.Commit()
			} else {
				tx.Discard()
			}
			if err != nil {
				return err
			}
			want := map[bool]float32{false: 1, true: 7}[commit]
			if err := s.View(func(r *Reader) error {
				if got := embedding(r); got[0] != want {
					t.Errorf("a new view sees %v, want %v", got, want)
				}
				return nil
			}); err != nil {
				return err
			}
		}
		if got := embedding(old); got[0] != 1 {
			t.Errorf("the old view sees %v after a commit", got)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// TestLargeOutboxIsReadInParts: what is returned at once is bounded by bytes, and all is returned in the end, of the store and of a transaction.
func TestLargeOutboxIsReadInParts(t *testing.T) {
	t.Parallel()
	from, to, _ := openPair(t, Options{})
	sizes := []int{1, outboxBytes + 1, 2, 3 << 20, 3 << 20, 3 << 20, 4}
	parts := func(r *Reader) (got []int) {
		after := uint64(0)
		for {
			some, err := r.Outbox(after, 100)
			if err != nil {
				t.Fatal(err)
			}
			if len(some) == 0 {
				return got
			}
			bytes := 0
			for _, m := range some {
				bytes += len(m.Value)
				if m.Seq != after+1 {
					t.Errorf("message %d comes after %d", m.Seq, after)
				}
				after = m.Seq
			}
			if len(some) > 1 && bytes > outboxBytes {
				t.Errorf("%d messages of %d bytes at once", len(some), bytes)
			}
			got = append(got, len(some))
		}
	}
	want := []int{1, 1, 3, 2}
	tx := from.Begin()
	for _, size := range sizes {
		if _, err := tx.Enqueue(make([]byte, size)); err != nil {
			t.Fatal(err)
		}
	}
	if got := parts(&tx.Reader); !slices.Equal(got, want) {
		t.Errorf("of a transaction: parts of %d messages, want %d", got, want)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := takeOutbox(to, from); err != nil {
		t.Fatal(err)
	}
	for _, s := range []*Store{from, to} {
		if err := s.View(func(r *Reader) error {
			if got := parts(r); !slices.Equal(got, want) {
				t.Errorf("parts of %d messages, want %d", got, want)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
}
