package pipeline

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"

	"kilim/annindex"
	"kilim/annindex/maintain"
	"kilim/graphstore"
	"kilim/internal/atomicfile"
)

// vectorIndex is the index of the artifacts' embeddings, with its snapshot.
//
// The index is derived from the store, so the snapshot only saves time: whatever is in it, after fill the
// index holds the stored embeddings and nothing else. A snapshot that is older
// than the store (after a crash) costs as many writes to the index as embeddings have changed.
type vectorIndex struct {
	*maintain.Index
	dim int
	// snapshot is the file that keeps the index from one start to the next; empty: none does.
	snapshot string
	log      *slog.Logger
}

func newVectorIndex(cfg *Config, dim int, log *slog.Logger) (*vectorIndex, error) {
	// Embeddings are unit vectors, so their inner product is the cosine, and they stay as they are.
	empty := func() (annindex.Index, error) {
		return annindex.New(annindex.Config{Engine: cfg.Engine, Metric: "dot", Dim: dim, Graph: cfg.Graph})
	}
	index, err := maintain.New(maintain.Config{Make: empty, Watch: cfg.Recall, Log: log})
	if err != nil {
		return nil, err
	}
	return &vectorIndex{Index: index, dim: dim, snapshot: cfg.Snapshot, log: log}, nil
}

// restore reads the snapshot, if there is one that can be used.
func (x *vectorIndex) restore() {
	if x.snapshot == "" {
		return
	}
	// A process that was killed while it wrote one left it unfinished, and it is large.
	if err := atomicfile.Clean(x.snapshot); err != nil {
		x.log.Warn("an unfinished snapshot of the index can't be removed", "err", err)
	}
	err := func() error {
		f, err := os.Open(x.snapshot)
		if err != nil {
			return err
		}
		defer f.Close()
		return x.Restore(f)
	}()
	switch {
	case err == nil:
		x.log.Info("index read from its snapshot", "vectors", x.Len())
	case !errors.Is(err, fs.ErrNotExist):
		x.log.Warn("the index's snapshot can't be used; the index is built from the store", "file", x.snapshot, "err", err)
	}
}

// fill makes the index hold the embeddings of the artifacts in the store, and nothing else.
func (x *vectorIndex) fill(r *graphstore.Reader) error {
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
func (x *vectorIndex) putMissing(r *graphstore.Reader) (artifacts int, err error) {
	have := make([]float32, x.dim)
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

// save writes the snapshot, for the next start. The old snapshot stays until the new one is on the disk.
func (x *vectorIndex) save() error {
	if x.snapshot == "" {
		return nil
	}
	if err := atomicfile.WriteFunc(x.snapshot, x.Snapshot, nil); err != nil {
		return fmt.Errorf("pipeline: save the index: %w", err)
	}
	return nil
}
