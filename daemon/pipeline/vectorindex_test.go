package pipeline

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"kilim/consumer/profile"
	"kilim/graphstore"
	"kilim/rerank"
)

// TestIndexFile: whatever the snapshot is (of this state, of an earlier one, torn, foreign, absent),
// the index that serves after a restart holds the stored embeddings and nothing else.
func TestIndexFile(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{"flat", "hnsw"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			cfg := exact()
			cfg.Engine = engine
			cfg.Snapshot = filepath.Join(t.TempDir(), "index")
			changes, _ := history(3, 120, 40)
			dir := t.TempDir()
			open := func() *site {
				s, err := openSite(t, dir, cfg, graphstore.Options{SyncWrites: graphstore.NoSync})
				if err != nil {
					t.Fatal(err)
				}
				return s
			}
			s := open()
			s.must(s.apply(changes[:60]))
			s.must(s.settle())
			s.must(s.engine.SaveIndex())
			s.compareIndex()
			snapshot, err := os.ReadFile(cfg.Snapshot)
			s.must(err)

			// A save that fails leaves the snapshot that is there.
			s.must(os.Mkdir(cfg.Snapshot+".tmp", 0o755))
			if err := s.engine.SaveIndex(); err == nil {
				t.Error("a snapshot was saved through a folder")
			}
			s.must(os.Remove(cfg.Snapshot + ".tmp"))
			if kept, err := os.ReadFile(cfg.Snapshot); err != nil || !slices.Equal(kept, snapshot) {
				t.Errorf("a failed save left a snapshot of %d bytes (%v), want the old one of %d", len(kept), err, len(snapshot))
			}

			offset := s.offset
			again := func() {
				t.Helper()
				s.must(s.store.Close())
				s = open()
				s.offset = offset
				s.compareIndex()
			}
			again()
			// Inserts, replacements and deletions that no snapshot knows of, as after a crash.
			s.must(s.apply(changes[60:]))
			s.must(s.settle())
			offset = s.offset
			again()
			if s.engine.index.Len() == 0 {
				t.Error("the index is empty: nothing was shown")
			}
			a, err := profile.Parse([]byte(`{"title":"star and hook"}`), "q", profile.DefaultLimits())
			s.must(err)
			answer := func() []rerank.Entry {
				t.Helper()
				got, err := s.engine.Queries().SimilarTo(t.Context(), a, "general", 10)
				s.must(err)
				return got.Items
			}
			want := answer()
			spoilt := map[string][]byte{"foreign": []byte("not a snapshot"), "empty": nil}
			for n := 0; n < len(snapshot); n += 4096 {
				spoilt[fmt.Sprintf("torn at %d", n)] = snapshot[:n]
				flipped := slices.Clone(snapshot)
				flipped[n+(len(snapshot)-n)%4096/2] ^= 4
				spoilt[fmt.Sprintf("a bit flipped after %d", n)] = flipped
			}
			for name, content := range spoilt {
				s.must(os.WriteFile(cfg.Snapshot, content, 0o600))
				again()
				if got := answer(); len(got) == 0 || !slices.Equal(got, want) {
					t.Errorf("%s: answers %v, want %v", name, got, want)
				}
			}
			s.must(os.Remove(cfg.Snapshot))
			s.must(os.WriteFile(cfg.Snapshot+".tmp", snapshot[:10], 0o600))
			again()
			if left, err := filepath.Glob(cfg.Snapshot + ".*"); err != nil || len(left) > 0 {
				t.Errorf("unfinished snapshots are left: %v, %v", left, err)
			}
			s.close()
		})
	}
}

// compareIndex holds the index against the stored embeddings, and its map against the one that is made anew, bit for bit.
func (s *site) compareIndex() {
	s.t.Helper()
	s.must(s.store.View(func(r *graphstore.Reader) error {
		anew, err := s.engine.index.MapOf(r)
		if err == nil && !s.engine.index.Map().Equal(anew) {
			s.t.Error("the map is not the one that is made anew")
		}
		return err
	}))
	n := 0
	have := make([]float32, s.engine.model.EmbeddingDim())
	s.must(s.store.View(func(r *graphstore.Reader) error {
		return r.EachNode(func(node *graphstore.Node) bool {
			if !node.IsArtifact() {
				return true
			}
			n++
			if !s.engine.index.Vector(uint64(node.ID), have) || !slices.Equal(have, node.Embedding) {
				s.t.Errorf("artifact %q: the index holds another vector than the store, or none", node.Key)
			}
			return true
		})
	}))
	if s.engine.index.Len() != n {
		s.t.Errorf("%d vectors for %d artifacts", s.engine.index.Len(), n)
	}
}
