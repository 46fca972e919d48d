package pipeline

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kilim/graphstore"
	"kilim/learner/train/eval"
)

// others asks for everything while one document is damaged: its own page names it, and all else is answered.
func (s *site) others(damaged string) {
	s.t.Helper()
	q := s.engine.Queries()
	var fault *graphstore.DamagedError
	if _, _, err := q.Artifact(s.t.Context(), damaged); !errors.As(err, &fault) || fault.Artifact != damaged {
		s.t.Errorf("its page: %v", err)
	}
	if s.store.DamagedReads() == 0 {
		s.t.Error("no damaged read is counted")
	}
	for _, id := range []string{"a", "b", "c"} {
		answer, err := q.Similar(s.t.Context(), id, "total", 20)
		if err != nil || len(answer.Items) != 2 {
			s.t.Errorf("similar to %s: %+v, %v", id, answer, err)
		}
	}
	d, err := s.engine.Archive().Dataset(s.t.Context(), 10, time.Time{})
	if err != nil || len(d.IDs) != 2 {
		s.t.Errorf("what is trained on: %v", err)
	}
	truth, err := eval.Read(strings.NewReader(`{"a":"a","b":"c","grade":1}` + "\n"))
	s.must(err)
	if _, err := q.Evaluate(s.t.Context(), truth, "total"); err != nil {
		s.t.Errorf("evaluation: %v", err)
	}
	// One that is given up reads no more documents: a daemon that is stopped waits for it.
	ctx, cancel := context.WithCancel(s.t.Context())
	cancel()
	reads := s.store.DamagedReads()
	if _, err := q.Evaluate(ctx, truth, "total"); !errors.Is(err, context.Canceled) || s.store.DamagedReads() != reads {
		s.t.Errorf("an evaluation that is given up: %v, after %d documents more", err, s.store.DamagedReads()-reads)
	}
}

// TestDamagedDocument flips a bit of one of several documents in the value log: what is to be encoded anew is, but for
// that one; its next record replaces it; and all other records are applied. It ended the daemon, again after each start.
func TestDamagedDocument(t *testing.T) {
	t.Parallel()
	cfg := exact()
	s, err := openSite(t, t.TempDir(), cfg, graphstore.Options{SyncWrites: graphstore.NoSync})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { s.must(s.store.Close()) }()
	big := func(word string) map[string]any {
		return map[string]any{"title": word, "description": strings.Repeat(word+" rug ", 20_000), "culture": "Ottoman"}
	}
	s.must(s.apply([]change{{"a", big("lozenge")}, {"b", big("star")}, {"c", big("hook")}}))
	s.must(s.settle())
	files, err := filepath.Glob(filepath.Join(s.dir, "*.vlog"))
	s.must(err)
	all, err := os.ReadFile(files[0])
	s.must(err)
	at := bytes.Index(all, []byte("star rug star rug"))
	if at < 0 {
		t.Fatal("the document is not in the value log")
	}
	f, err := os.OpenFile(files[0], os.O_RDWR, 0)
	s.must(err)
	_, err = f.WriteAt([]byte("r"), int64(at))
	s.must(errors.Join(err, f.Close()))

	read := func(id string) error {
		return s.store.View(func(r *graphstore.Reader) error { _, err := r.Artifact(id); return err })
	}
	if err := read("b"); !errors.Is(err, graphstore.ErrDamaged) {
		t.Fatalf("a damaged document: %v", err)
	}
	var ids []graphstore.NodeID
	for _, id := range []string{"a", "b", "c"} {
		ids = append(ids, graphstore.ID(graphstore.Artifact, id))
	}
	u := s.engine.begin(nil)
	s.must(u.renewFeatures(ids, 0))
	u.tx.Discard()
	s.others("b")

	s.must(s.apply([]change{{"d", big("comb")}}))
	s.must(s.apply([]change{{"b", big("bird")}}))
	s.must(s.settle())
	for _, id := range []string{"a", "b", "c", "d"} {
		s.must(read(id))
	}
	s.must(s.store.Check(func(p string) { t.Error(p) }))
}
