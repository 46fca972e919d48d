package annindex

import (
	"bufio"
	"io"

	"kilim/annindex/hnsw"
)

// graph is the engine hnsw: hnsw.Graph, with a Restore that also takes snapshots of the other engines.
type graph struct{ *hnsw.Graph }

func (g graph) Restore(r io.Reader) error {
	in := bufio.NewReaderSize(r, 1<<16)
	if versionOf(in) == hnsw.Version {
		return g.Graph.Restore(in)
	}
	ids, vectors, err := readSnapshot(in, g.Dim())
	if err != nil {
		return err
	}
	return g.Rebuild(ids, vectors)
}
