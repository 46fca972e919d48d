package graphstore

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// flip changes one bit of a file, which an open store has mapped.
func flip(t *testing.T, file string, at int64, bit byte) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, at); err != nil {
		t.Fatal(err)
	}
	b[0] ^= bit
	if _, err := f.WriteAt(b, at); err != nil {
		t.Fatal(err)
	}
}

// newDamaged is an open store whose n artifacts, with contents of size bytes, are in a table.
func newDamaged(t *testing.T, n, size int) (s *Store, docs map[string]*Doc) {
	t.Helper()
	dir := t.TempDir()
	s, err := Open(dir, tornOptions())
	if err != nil {
		t.Fatal(err)
	}
	docs = map[string]*Doc{}
	rng := rand.New(rand.NewPCG(1, 2))
	commitAll(t, s, func(tx *Tx) error {
		for i := range n {
			raw := make([]byte, size)
			for j := range raw {
				raw[j] = byte(rng.Uint32())
			}
			doc := Doc{ID: fmt.Sprintf("a%02d", i), Raw: raw, Evidence: raw[:size/4%200], Timestamp: time.Unix(5, 0).UTC()}
			docs[doc.ID] = &doc
			if _, err := tx.PutArtifact(doc, nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err := s.Close(); err != nil { // which makes a table of the log
		t.Fatal(err)
	}
	if s, err = Open(dir, tornOptions()); err != nil {
		t.Fatal(err)
	}
	return s, docs
}

// TestFlippedContents flips seeded bits under an open store, in a table that is mostly contents and in a value log. Each artifact
// reads as it was put, or its error says that it is damaged, and which it is; one bit damages at most one. The next record of it
// heals it, and all the others read as before.
func TestFlippedContents(t *testing.T) {
	t.Parallel()
	for suffix, size := range map[string]int{".sst": 20 << 10, ".vlog": 80 << 10} {
		t.Run(suffix, func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(7, uint64(size)))
			s, docs := newDamaged(t, 20, size)
			files, err := filepath.Glob(filepath.Join(s.dir, "*"+suffix))
			if err != nil {
				t.Fatal(err)
			}
			file := files[0]
			noticed := 0
			for range 60 {
				// Within a content, for the keys and offsets of a table are for Open to verify.
				raw := docs[fmt.Sprintf("a%02d", rng.IntN(len(docs)))].Raw
				all, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				at := bytes.Index(all, raw)
				if at < 0 {
					t.Fatal("the content is not in the file")
				}
				pos, bit := int64(at+rng.IntN(len(raw))), byte(1)<<rng.IntN(8)
				flip(t, file, pos, bit)
				damaged := 0
				for id, want := range docs {
					got, err := artifact(t, s, id)
					var fault *DamagedError
					switch {
					case errors.As(err, &fault) && errors.Is(err, ErrDamaged) && fault.Artifact == id && fault.Node == ID(Artifact, id):
						damaged++
					case err != nil:
						t.Fatalf("%s: %v", id, err)
					case !sameDoc(got, want):
						t.Fatalf("flip at %d: %s reads otherwise than it was put", pos, id)
					}
				}
				if damaged > 1 {
					t.Errorf("flip at %d: %d artifacts are damaged", pos, damaged)
				}
				noticed += damaged
				flip(t, file, pos, bit)
			}
			if noticed != 60 {
				t.Errorf("%d of 60 flips are noticed", noticed)
			}
			heal(t, s, file, docs["a03"])
		})
	}
}

func artifact(t *testing.T, s *Store, id string) (doc *Doc, err error) {
	t.Helper()
	err = s.View(func(r *Reader) error {
		doc, err = r.Artifact(id)
		return err
	})
	return doc, err
}

// heal damages an artifact and puts it again.
func heal(t *testing.T, s *Store, file string, doc *Doc) {
	t.Helper()
	all, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	flip(t, file, int64(bytes.Index(all, doc.Raw)), 1)
	if _, err := artifact(t, s, doc.ID); !errors.Is(err, ErrDamaged) {
		t.Fatalf("a damaged artifact: %v", err)
	}
	var problems []string
	if err := s.Check(func(p string) { problems = append(problems, p) }); err != nil || len(problems) != 1 {
		t.Errorf("check: %q (%v), want one problem", problems, err)
	}
	commitAll(t, s, func(tx *Tx) error { _, err := tx.PutArtifact(*doc, nil); return err })
	if got, err := artifact(t, s, doc.ID); err != nil || !sameDoc(got, doc) {
		t.Errorf("after its next record: %v", err)
	}
	checked(t, s)
}

// TestFlippedTable flips seeded bits of a whole table: Open refuses it, with an error that says what to do, unless
// every row is as it was.
func TestFlippedTable(t *testing.T) {
	t.Parallel()
	s, _ := newDamaged(t, 12, 3<<10)
	want := rowsOf(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(s.dir, "*.sst"))
	if err != nil || len(files) != 1 {
		t.Fatalf("tables %v: %v", files, err)
	}
	rng := rand.New(rand.NewPCG(3, 9))
	info, err := os.Stat(files[0])
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for range 40 {
		dir := filepath.Join(t.TempDir(), "copy")
		if err := os.CopyFS(dir, os.DirFS(s.dir)); err != nil {
			t.Fatal(err)
		}
		at := rng.Int64N(info.Size())
		flip(t, filepath.Join(dir, filepath.Base(files[0])), at, 1<<rng.IntN(8))
		again, err := Open(dir, tornOptions())
		if err != nil {
			refused++
			continue
		}
		if got := rowsOf(t, again); len(got) != len(want) {
			t.Errorf("flip at %d of %d: opened with %d rows of %d", at, info.Size(), len(got), len(want))
		}
		if err := again.Close(); err != nil {
			t.Error(err)
		}
	}
	if refused < 35 {
		t.Errorf("%d of 40 damaged tables are refused", refused)
	}
}

// TestFlippedLastLog flips seeded bits in the newest file of the value log of a closed store, which badger cuts off at
// a damaged entry when it opens it: only the artifact that was hit is damaged.
func TestFlippedLastLog(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	opts := tornOptions()
	opts.valueLogMB = 4
	s, err := Open(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	const artifacts = 12
	for i := range artifacts {
		commitAll(t, s, func(tx *Tx) error {
			_, err := tx.PutArtifact(Doc{ID: fmt.Sprint(i), Raw: bytes.Repeat([]byte{byte(i + 1)}, 70<<10)}, nil)
			return err
		})
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(8, 8))
	for range 8 {
		copied := filepath.Join(t.TempDir(), "copy")
		if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		hit := rng.IntN(artifacts - 1) // behind the last one nothing lives
		file := only(t, copied, ".vlog")
		all, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		at := bytes.Index(all, bytes.Repeat([]byte{byte(hit + 1)}, 1000))
		flip(t, file, int64(at+rng.IntN(60<<10)), 1<<rng.IntN(8))
		for range 2 {
			s, err := Open(copied, opts)
			if err != nil {
				t.Fatal(err)
			}
			for i := range artifacts {
				if _, err := artifact(t, s, fmt.Sprint(i)); errors.Is(err, ErrDamaged) != (i == hit) || err != nil && i != hit {
					t.Errorf("hit %d, artifact %d: %v", hit, i, err)
				}
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestArtifactsAfterADamagedHead: an artifact whose head is damaged is listed by its node, for who lists artifacts to leave it out by name.
func TestArtifactsAfterADamagedHead(t *testing.T) {
	t.Parallel()
	s, docs := newDamaged(t, 20, 80<<10)
	files, err := filepath.Glob(filepath.Join(s.dir, "*.sst"))
	if err != nil {
		t.Fatal(err)
	}
	all, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	flip(t, files[0], int64(bytes.Index(all, docs["a07"].Evidence)), 1)
	if _, err := artifact(t, s, "a07"); !errors.Is(err, ErrDamaged) {
		t.Fatalf("a damaged head: %v", err)
	}
	listed := map[string]bool{}
	if err := s.View(func(r *Reader) error {
		for last := NodeID(0); ; {
			ids, err := r.ArtifactsAfter(last, 3)
			if err != nil || len(ids) == 0 {
				return err
			}
			for _, id := range ids {
				listed[id] = true
			}
			last = ID(Artifact, ids[len(ids)-1])
		}
	}); err != nil || len(listed) != len(docs) {
		t.Errorf("%d of %d artifacts are listed: %v", len(listed), len(docs), err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
