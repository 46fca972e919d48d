package dataset

import (
	"cmp"
	"fmt"
	"slices"

	"kilim/graphstore"
	"kilim/graphstore/weave"
)

// Memory is an archive in memory: a Reader, and a Graph. It may be read by many goroutines or written by one.
type Memory struct {
	artifacts map[graphstore.NodeID]*stored
	order     []graphstore.NodeID // of the artifacts
	// labels are those of entities, with the number of artifacts that use each.
	labels map[graphstore.NodeID]map[string]uint32
}

// stored is an artifact of a Memory.
type stored struct {
	doc     *graphstore.Doc
	vectors Vectors
	edges   []graphstore.EdgeSpec // to entities, each once
}

// NewMemory returns an empty archive.
func NewMemory() *Memory {
	return &Memory{artifacts: map[graphstore.NodeID]*stored{}, labels: map[graphstore.NodeID]map[string]uint32{}}
}

// Put adds an artifact, or replaces the one of the same id.
func (m *Memory) Put(doc *graphstore.Doc, v Vectors) error {
	a, err := weave.Parse(doc)
	if err != nil {
		return fmt.Errorf("dataset: %w", err)
	}
	s := &stored{doc: doc, vectors: v}
	for _, e := range weave.Edges(a) {
		if e.Type.IsEntity() && !slices.Contains(s.edges, e) {
			s.edges = append(s.edges, e)
		}
	}
	id := graphstore.ID(graphstore.Artifact, doc.ID)
	if old, ok := m.artifacts[id]; ok {
		for _, e := range old.edges {
			m.labels[graphstore.ID(e.Type, e.Key)][e.Label]--
		}
	} else {
		at, _ := slices.BinarySearch(m.order, id)
		m.order = slices.Insert(m.order, at, id)
	}
	m.artifacts[id] = s
	for _, e := range s.edges {
		entity := graphstore.ID(e.Type, e.Key)
		if m.labels[entity] == nil {
			m.labels[entity] = map[string]uint32{}
		}
		m.labels[entity][e.Label]++
	}
	return nil
}

// Len is the number of artifacts.
func (m *Memory) Len() int { return len(m.order) }

// ArtifactsAfter implements Reader.
func (m *Memory) ArtifactsAfter(after graphstore.NodeID, limit int) ([]string, error) {
	var ids []string
	at, found := slices.BinarySearch(m.order, after)
	if found {
		at++
	}
	for _, id := range m.order[at:min(at+limit, len(m.order))] {
		ids = append(ids, m.artifacts[id].doc.ID)
	}
	return ids, nil
}

// Artifact returns the document of an artifact, nil if there is none.
func (m *Memory) Artifact(id string) (*graphstore.Doc, error) {
	s, ok := m.artifacts[graphstore.ID(graphstore.Artifact, id)]
	if !ok {
		return nil, nil
	}
	return s.doc, nil
}

// Vectors returns those that an artifact was Put with.
func (m *Memory) Vectors(artifact graphstore.NodeID) (Vectors, error) {
	s, ok := m.artifacts[artifact]
	if !ok {
		return Vectors{}, nil
	}
	return s.vectors, nil
}

// Node returns an entity with its labels, sorted, nil if no artifact names it.
func (m *Memory) Node(entity graphstore.NodeID) (*graphstore.Node, error) {
	n := &graphstore.Node{ID: entity}
	for label, count := range m.labels[entity] {
		if count > 0 {
			n.Labels = append(n.Labels, graphstore.Label{Text: label, Count: count})
		}
	}
	if n.Labels == nil {
		return nil, nil
	}
	slices.SortFunc(n.Labels, func(a, b graphstore.Label) int { return cmp.Compare(a.Text, b.Text) })
	return n, nil
}

// EdgesOf implements Graph. An artifact has one edge to an entity, however often it names it.
func (m *Memory) EdgesOf(artifact graphstore.NodeID, rel graphstore.Relation, fn func(graphstore.Edge) bool) error {
	s, ok := m.artifacts[artifact]
	if !ok {
		return nil
	}
	seen := map[graphstore.NodeID]bool{}
	for _, e := range s.edges {
		to := graphstore.ID(e.Type, e.Key)
		if e.Rel != rel || seen[to] {
			continue
		}
		seen[to] = true
		if !fn(graphstore.Edge{Rel: rel, To: to}) {
			return nil
		}
	}
	return nil
}
