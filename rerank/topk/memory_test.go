package topk

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"kilim/annindex"
	"kilim/rerank"
)

const dim = 6

// memory is a graph, an index and a word table of maps.
type memory struct {
	artifacts map[uint64]*Artifact
	evidence  map[uint64]*rerank.Evidence
	rows      map[uint64][]byte
	vectors   map[uint64][]float32
	// unreadable are the artifacts whose evidence can't be read.
	unreadable map[uint64]bool
	// steady: all words weigh the same, so that no artifact changes the scores of others.
	steady bool
}

func newMemory() *memory {
	return &memory{artifacts: map[uint64]*Artifact{}, evidence: map[uint64]*rerank.Evidence{}, rows: map[uint64][]byte{},
		vectors: map[uint64][]float32{}}
}

// Artifacts are the nodes from firstArtifact, entities those before.
const firstArtifact = 100

func (m *memory) NodeOf(id string) uint64 {
	n, err := strconv.ParseUint(id[1:], 10, 64)
	if err != nil {
		return 1 << 40 // whoever it is, nobody we know
	}
	return firstArtifact + n
}

func (m *memory) Artifact(node uint64) (Artifact, bool, error) {
	if a := m.artifacts[node]; a != nil {
		return *a, true, nil
	}
	return Artifact{}, false, nil
}

func (m *memory) Artifacts() int { return len(m.artifacts) }

func (m *memory) Evidence(node uint64) (*rerank.Evidence, error) {
	if m.unreadable[node] {
		return nil, fmt.Errorf("node %d: %w", node, ErrLost)
	}
	if e := m.evidence[node]; e != nil {
		return e, nil
	}
	return nil, fmt.Errorf("no evidence of %d", node)
}

// where returns the artifacts whose evidence satisfies fn, by rising node.
func (m *memory) where(fn func(e *rerank.Evidence) bool) (nodes []uint64) {
	for _, node := range slices.Sorted(maps.Keys(m.evidence)) {
		if fn(m.evidence[node]) {
			nodes = append(nodes, node)
		}
	}
	return nodes
}

func (m *memory) sharing(entity uint64) []uint64 {
	return m.where(func(e *rerank.Evidence) bool { return slices.Contains(e.Entities, entity) })
}

func (m *memory) linkedFrom(node uint64) []uint64 {
	return m.where(func(e *rerank.Evidence) bool { return slices.Contains(e.Links, node) })
}

func (m *memory) Entity(node uint64) (Entity, bool, error) {
	n := len(m.sharing(node))
	return Entity{Node: node, Members: n}, n > 0, nil
}

func (m *memory) Sharing(e Entity, fn func(uint64) bool) error {
	return until(m.sharing(e.Node), fn)
}

func (m *memory) LinkedFrom(node uint64, fn func(uint64) bool) error {
	return until(m.linkedFrom(node), fn)
}

func until(nodes []uint64, fn func(uint64) bool) error {
	for _, node := range nodes {
		if !fn(node) {
			break
		}
	}
	return nil
}

func (m *memory) Lists(node uint64) ([]byte, error) { return m.rows[node], nil }

func (m *memory) PutLists(node uint64, row []byte) error {
	m.rows[node] = row
	return nil
}

func (m *memory) DeleteLists(node uint64) error {
	delete(m.rows, node)
	return nil
}

func (m *memory) SetDrift(node uint64, drift float64) error {
	m.artifacts[node].Drift = drift
	return nil
}

// IDF is ln((1+N)/(1+n)) + 1 over the evidence that is there.
func (m *memory) IDF(bucket uint32) float32 {
	if m.steady {
		return 1
	}
	n := len(m.where(func(e *rerank.Evidence) bool {
		return slices.ContainsFunc(e.Words, func(w rerank.Word) bool { return w.Bucket == bucket })
	}))
	return float32(math.Log(float64(1+len(m.artifacts))/float64(1+n)) + 1)
}

func (m *memory) Search(vec []float32, k int, keep func(uint64) bool) ([]annindex.Hit, error) {
	var hits []annindex.Hit
	for id, v := range m.vectors {
		if keep == nil || keep(id) {
			hits = append(hits, annindex.Hit{ID: id, Score: annindex.Dot(vec, v)})
		}
	}
	slices.SortFunc(hits, func(a, b annindex.Hit) int { return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID)) })
	return hits[:min(k, len(hits))], nil
}

func (m *memory) SearchMany(vecs [][]float32, k int) (all [][]annindex.Hit, err error) {
	for _, v := range vecs {
		hits, err := m.Search(v, k, nil)
		if err != nil {
			return nil, err
		}
		all = append(all, hits)
	}
	return all, nil
}

func (m *memory) Dim() int { return dim }

func (m *memory) Vector(id uint64, out []float32) bool {
	v, ok := m.vectors[id]
	copy(out, v)
	return ok
}
