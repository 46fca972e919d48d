// Package vectorindex keeps the embeddings of the stored artifacts in an index, and the index in a file from one start to
// the next, and beside it the map of their cultures, periods and places (package maps). In come a store's embeddings, out go the nearest of a vector and the map. It does not know how an embedding was made.
package vectorindex

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"sync/atomic"

	"kilim/annindex"
	"kilim/annindex/hnsw"
	"kilim/annindex/maintain"
	"kilim/annindex/recall"
	"kilim/graphstore"
	"kilim/internal/atomicfile"
	"kilim/rerank/maps"
)

// Index is the index of the artifacts' embeddings, with its snapshot.
//
// The index is derived from the store, so the snapshot only saves time: whatever is in it, after Fill the
// index holds the stored embeddings and nothing else. A snapshot that is older
// than the store (after a crash) costs as many writes to the index as embeddings have changed.
type Index struct {
	*maintain.Index
	cfg  Config
	maps atomic.Pointer[maps.Map]
}

// Config says what an Index is made of.
type Config struct {
	// Engine is the index engine, see annindex.New; Graph are its parameters if it is hnsw.
	Engine string
	Graph  hnsw.Config
	// Recall is how the index is watched, Asked how many answers its searches want.
	Recall recall.Config
	Asked  int
	// Snapshot is the file that keeps the index from one start to the next; empty: none does.
	Snapshot string
	// Dim is the length of an embedding.
	Dim int
	Log *slog.Logger
}

// New makes an empty index.
func New(cfg Config) (*Index, error) {
	// Embeddings are unit vectors, so their inner product is the cosine, and they stay as they are.
	empty := func() (annindex.Index, error) {
		return annindex.New(annindex.Config{Engine: cfg.Engine, Metric: "dot", Dim: cfg.Dim, Graph: cfg.Graph})
	}
	index, err := maintain.New(maintain.Config{Make: empty, Watch: cfg.Recall, Asked: cfg.Asked, Log: cfg.Log})
	if err != nil {
		return nil, fmt.Errorf("vectorindex: %w", err)
	}
	x := &Index{Index: index, cfg: cfg}
	x.maps.Store(maps.New(cfg.Dim))
	return x, nil
}

// RestoreSnapshot reads the snapshot, if there is one that can be used.
func (x *Index) RestoreSnapshot() {
	if x.cfg.Snapshot == "" {
		return
	}
	// A process that was killed while it wrote one left it unfinished, and it is large.
	if err := atomicfile.Clean(x.cfg.Snapshot); err != nil {
		x.cfg.Log.Warn("an unfinished snapshot of the index can't be removed", "err", err)
	}
	err := func() error {
		f, err := os.Open(x.cfg.Snapshot)
		if err != nil {
			return err
		}
		defer f.Close()
		return x.Restore(f)
	}()
	switch {
	case err == nil:
		x.cfg.Log.Info("index read from its snapshot", "vectors", x.Len())
	case !errors.Is(err, fs.ErrNotExist):
		x.cfg.Log.Warn("the index's snapshot can't be used; the index is built from the store", "file", x.cfg.Snapshot, "err", err)
	}
}

// Fill makes the index hold the embeddings of the artifacts in the store, and nothing else, and makes the map anew.
func (x *Index) Fill(r *graphstore.Reader) error {
	if err := x.fill(r); err != nil {
		return err
	}
	m, err := x.MapOf(r)
	if err != nil {
		return err
	}
	x.maps.Store(m)
	return nil
}

func (x *Index) fill(r *graphstore.Reader) error {
	artifacts, err := x.putMissing(r)
	if err != nil || x.Len() == artifacts {
		return err
	}
	// Some of the snapshot's vectors are of artifacts that have left since.
	for _, id := range x.IDs() {
		n, err := r.Node(graphstore.NodeID(id))
		if err != nil {
			return err
		}
		if n.IsArtifact() {
			continue
		}
		if err := x.Delete(id); err != nil {
			return err
		}
	}
	return nil
}

// putMissing puts what the index does not hold yet, and returns the number of artifacts.
func (x *Index) putMissing(r *graphstore.Reader) (artifacts int, err error) {
	have := make([]float32, x.cfg.Dim)
	var bad error
	err = r.EachNode(func(n *graphstore.Node) bool {
		if !n.IsArtifact() {
			return true
		}
		artifacts++
		if x.Vector(uint64(n.ID), have) && slices.Equal(have, n.Embedding) {
			return true
		}
		if bad = x.Put(uint64(n.ID), n.Embedding); bad != nil {
			bad = fmt.Errorf("artifact %q: %w", n.Key, bad)
		}
		return bad == nil
	})
	return artifacts, errors.Join(err, bad)
}

// Save writes the snapshot, for the next start. The old snapshot stays until the new one is on the disk.
func (x *Index) Save() error {
	if x.cfg.Snapshot == "" {
		return nil
	}
	if err := atomicfile.WriteFunc(x.cfg.Snapshot, x.Snapshot, nil); err != nil {
		return fmt.Errorf("vectorindex: save: %w", err)
	}
	return nil
}
