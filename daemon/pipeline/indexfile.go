package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"kilim/annindex"
	"kilim/graphstore"
	"kilim/internal/atomicfile"
)

// The index is derived from the store, so its snapshot only saves time: whatever is in it, the
// index that serves holds the stored embeddings and nothing else. A snapshot that is older
// than the store (after a crash) costs as many writes to the index as embeddings have changed.

// newIndex makes an empty index. Embeddings are unit vectors, so their inner product is the cosine, and they
// stay as they are.
func (e *Engine) newIndex() (annindex.Index, error) {
	return annindex.New(annindex.Config{Engine: e.cfg.Engine, Metric: "dot", Dim: e.model.EmbeddingDim(), Graph: e.cfg.Graph})
}

// WatchIndex samples queries for the index's recall, and builds it anew when that falls, until ctx ends.
func (e *Engine) WatchIndex(ctx context.Context) error {
	e.index.Run(ctx)
	return nil
}

// restoreIndex reads the snapshot, if there is one that can be used.
func (e *Engine) restoreIndex() {
	if e.cfg.Snapshot == "" {
		return
	}
	// A process that was killed while it wrote one left it unfinished, and it is large.
	if err := atomicfile.Clean(e.cfg.Snapshot); err != nil {
		e.log.Warn("an unfinished snapshot of the index can't be removed", "err", err)
	}
	err := func() error {
		f, err := os.Open(e.cfg.Snapshot)
		if err != nil {
			return err
		}
		defer f.Close()
		return e.index.Restore(f)
	}()
	switch {
	case err == nil:
		e.log.Info("index read from its snapshot", "vectors", e.index.Len())
	case !errors.Is(err, fs.ErrNotExist):
		e.log.Warn("the index's snapshot can't be used; the index is built from the store", "file", e.cfg.Snapshot, "err", err)
	}
}

// fillIndex makes the index hold the embeddings of the artifacts in the store, and nothing else.
func (e *Engine) fillIndex(r *graphstore.Reader) error {
	artifacts, err := e.putEmbeddings(r)
	if err != nil || e.index.Len() == artifacts {
		return err
	}
	// Some of the snapshot's vectors are of artifacts that have left since.
	for _, id := range e.index.IDs() {
		n, err := r.Node(graphstore.NodeID(id))
		if err != nil {
			return err
		}
		if n.IsArtifact() {
			continue
		}
		if err := e.index.Delete(id); err != nil {
			return err
		}
	}
	return nil
}

// putEmbeddings puts what the index does not hold yet, and returns the number of artifacts.
func (e *Engine) putEmbeddings(r *graphstore.Reader) (artifacts int, err error) {
	have := make([]float32, e.model.EmbeddingDim())
	var bad error
	err = r.EachNode(func(n *graphstore.Node) bool {
		if !n.IsArtifact() {
			return true
		}
		artifacts++
		if e.index.Vector(uint64(n.ID), have) && slices.Equal(have, n.Embedding) {
			return true
		}
		if bad = e.index.Put(uint64(n.ID), n.Embedding); bad != nil {
			bad = fmt.Errorf("artifact %q: %w", n.Key, bad)
		}
		return bad == nil
	})
	return artifacts, errors.Join(err, bad)
}

// SaveIndex writes the index beside the state, for the next start. The old snapshot stays until
// the new one is on the disk.
func (e *Engine) SaveIndex() error {
	if e.cfg.Snapshot == "" {
		return nil
	}
	if err := atomicfile.WriteFunc(e.cfg.Snapshot, e.index.Snapshot, nil); err != nil {
		return fmt.Errorf("pipeline: save the index: %w", err)
	}
	return nil
}
