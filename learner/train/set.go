package train

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"kilim/learner/model"
	"kilim/learner/tensor/sparse"
	"kilim/learner/tensor/tape"
)

// Edge is an edge from a node that reads to the node To, by a relation.
type Edge struct{ To, Relation int32 }

// Part is a field of a record, or a piece of one: a view shows or hides it as a whole. Only the Encoder knows its
// content.
type Part struct {
	Content int32  // the Encoder's number for it
	Edges   []Edge // edges that are read when the part is shown
	// Origin is true when the part names where the artifact comes from: a culture, period, dynasty, reign, style, place
	// or creator. A newcomer often lacks these.
	Origin bool
}

// Encoder writes the features of the first modality, the record, for the parts of it that are shown. They must be a
// function of node and parts.
type Encoder interface {
	Encode(node int32, parts []Part, out []float32)
}

// Artifact is an artifact that is trained on.
type Artifact struct {
	Node    int32
	Culture int32 // below 0: unknown
	Parts   []Part
	// Related are the nodes of artifacts that are not negatives: linked ones, and those that share a rare entity.
	Related []int32
	// Links and Rare are the nodes of artifacts that may be positives.
	Links, Rare []int32
}

// Set is a snapshot of an archive. It doesn't change.
type Set struct {
	shape      model.Config
	features   []tape.Features // [modality], a row for each node that has some
	rowOf      [][]int32       // [modality][node] its row, or -1
	start      []int32         // [node] its first edge
	edges      []Edge          // of all nodes, each node's by relation
	artifacts  []Artifact
	artifactOf []int32 // [node] its artifact, or -1
	encoder    Encoder
	classes    int     // number of cultures
	class      []int32 // [artifact] of its culture, from 0; -1: none
	// media are the relations between artifacts and nodes that are media, with the modality that hides them.
	media map[int32]int
}

// For is the same Set for models of a shape. Layers, Aggregator and Media of it may be others than the Set's, but no model reads media as nodes of a
// Set that has none.
func (s *Set) For(shape model.Config) *Set {
	out := *s
	out.shape.Layers, out.shape.Aggregator = shape.Layers, shape.Aggregator
	if shape.Media != model.MediaNodes && s.shape.Media == model.MediaNodes {
		out.shape.Media = shape.Media
		out.edges, out.start = nil, []int32{0}
		for node := range s.Nodes() {
			for _, e := range s.neighbours(int32(node)) {
				if _, media := s.media[e.Relation]; !media {
					out.edges = append(out.edges, e)
				}
			}
			out.start = append(out.start, int32(len(out.edges)))
		}
	}
	return &out
}

// Builder builds a Set.
type Builder struct {
	shape     model.Config
	features  []tape.Features
	row       [][]int32
	reads     [][]Edge
	artifacts []Artifact
	errs      []error
	media     map[int32]int
}

// NewBuilder returns a Builder for models of a shape, whose first modality is the record.
func NewBuilder(shape model.Config) *Builder {
	b := &Builder{shape: shape, row: make([][]int32, len(shape.Modalities))}
	for _, mode := range shape.Modalities {
		b.features = append(b.features, tape.Features{Cols: mode.Features})
	}
	return b
}

// AddNode adds a node with its features of each modality, nil for none, which it keeps. It returns the node's number,
// from 0.
func (b *Builder) AddNode(features ...[]float32) int32 {
	n := int32(len(b.reads))
	b.reads = append(b.reads, nil)
	if len(features) > len(b.features) {
		b.errs = append(b.errs, fmt.Errorf("train: node %d has %d modalities, the model has %d", n, len(features), len(b.features)))
		return n
	}
	for m, mode := range b.shape.Modalities {
		row := int32(-1)
		if m < len(features) && features[m] != nil {
			f := &b.features[m]
			row = int32(len(f.Rows))
			f.Rows = append(f.Rows, sparse.Of(features[m]))
			if len(features[m]) != mode.Features {
				b.errs = append(b.errs, fmt.Errorf("train: node %d has %d features of %s, the model has %d", n, len(features[m]), mode.Name, mode.Features))
			}
		}
		b.row[m] = append(b.row[m], row)
	}
	return n
}

// Nodes is the number of nodes so far, which the next node gets as its number.
func (b *Builder) Nodes() int32 { return int32(len(b.reads)) }

// AddEdge lets a node read another. An edge in the other direction is added by a call of its own.
func (b *Builder) AddEdge(node int32, e Edge) { b.reads[node] = append(b.reads[node], e) }

// MediaEdges says which relations are between artifacts and nodes that are media, with the number of the modality of each: a view that
// hides the modality hides them too.
func (b *Builder) MediaEdges(modalities map[int32]int) { b.media = modalities }

// AddArtifact adds an artifact to be trained on. Its node reads the edges of its parts, besides those of AddEdge.
func (b *Builder) AddArtifact(a Artifact) {
	b.artifacts = append(b.artifacts, a)
	for _, p := range a.Parts {
		for _, e := range p.Edges {
			b.AddEdge(a.Node, e)
		}
	}
}

// Build returns the Set, or an error that says what doesn't fit together.
func (b *Builder) Build(encoder Encoder) (*Set, error) {
	s := &Set{shape: b.shape, features: b.features, rowOf: b.row, artifacts: b.artifacts, encoder: encoder, start: []int32{0}, media: b.media}
	n := int32(len(b.reads))
	outside := func(what string, node int32) {
		if node < 0 || node >= n {
			b.errs = append(b.errs, fmt.Errorf("train: %s %d: there are %d", what, node, n))
		}
	}
	for node, edges := range b.reads {
		for _, e := range edges {
			outside(fmt.Sprintf("neighbour of node %d,", node), e.To)
			if e.Relation < 0 || int(e.Relation) >= b.shape.Relations {
				b.errs = append(b.errs, fmt.Errorf("train: relation %d of node %d: the model has %d", e.Relation, node, b.shape.Relations))
			}
		}
		edges = slices.Clone(edges)
		sortEdges(edges)
		s.edges = append(s.edges, slices.Compact(edges)...)
		s.start = append(s.start, int32(len(s.edges)))
	}
	s.artifactOf = make([]int32, n)
	for i := range s.artifactOf {
		s.artifactOf[i] = -1
	}
	for i := range s.artifacts {
		a := &s.artifacts[i]
		for _, list := range [][]int32{{a.Node}, a.Related, a.Links, a.Rare} {
			for _, node := range list {
				outside(fmt.Sprintf("artifact %d, node", i), node)
			}
		}
		if a.Node >= 0 && a.Node < n {
			s.artifactOf[a.Node] = int32(i)
		}
	}
	if len(b.errs) > 0 {
		return nil, errors.Join(b.errs[:min(len(b.errs), 10)]...)
	}
	for i := range s.artifacts {
		a := &s.artifacts[i]
		// A positive must be an artifact of the Set, as it must have views of its own.
		a.Links, a.Rare = s.onlyArtifacts(a.Links), s.onlyArtifacts(a.Rare)
	}
	s.classify()
	return s, nil
}

// classify numbers the cultures in the order in which they first occur.
func (s *Set) classify() {
	numbers := map[int32]int32{}
	for i := range s.artifacts {
		c := s.artifacts[i].Culture
		if c < 0 {
			s.class = append(s.class, -1)
			continue
		}
		n, ok := numbers[c]
		if !ok {
			n = int32(len(numbers))
			numbers[c] = n
		}
		s.class = append(s.class, n)
	}
	s.classes = len(numbers)
}

func (s *Set) onlyArtifacts(nodes []int32) []int32 {
	return slices.DeleteFunc(slices.Clone(nodes), func(n int32) bool { return s.artifactOf[n] < 0 })
}

func sortEdges(edges []Edge) {
	slices.SortFunc(edges, func(a, b Edge) int { return cmp.Or(cmp.Compare(a.Relation, b.Relation), cmp.Compare(a.To, b.To)) })
}

// Nodes is the number of nodes.
func (s *Set) Nodes() int { return len(s.start) - 1 }

// Artifacts are those that are trained on.
func (s *Set) Artifacts() []Artifact { return s.artifacts }

func (s *Set) neighbours(node int32) []Edge { return s.edges[s.start[node]:s.start[node+1]] }

// FullBlock returns the whole Set as one block: every node is an item that reads all its neighbours, so that its
// embeddings are exact.
func (s *Set) FullBlock() ([]tape.Features, *model.Block, error) {
	n, modes := s.Nodes(), len(s.features)
	b := &model.Block{Mask: tape.Mask{Items: n, Modalities: modes, Present: make([]bool, n*modes)}}
	for m := range s.features {
		rows := tape.CSR{Start: make([]int32, 1, n+1)}
		active := make([]bool, n)
		for i, r := range s.rowOf[m] {
			active[i] = r >= 0
			b.Mask.Present[i*modes+m] = active[i]
			if active[i] {
				rows.Source, rows.Weight = append(rows.Source, r), append(rows.Weight, 1)
			}
			rows.Start = append(rows.Start, int32(len(rows.Source)))
		}
		b.Rows = append(b.Rows, rows)
		var layers []*tape.Edges
		for range s.shape.Layers {
			e := newEdgeList(n)
			for i := range n {
				e.row(s.neighbours(int32(i)), func(to int32) int32 {
					if active[to] {
						return to
					}
					return -1
				})
			}
			edges, err := e.edges(n, s.shape.Relations)
			if err != nil {
				return nil, nil, err
			}
			layers = append(layers, edges)
			active = e.activeAbove(active)
		}
		b.Layers = append(b.Layers, layers)
	}
	return s.features, b, nil
}

// edgeList builds the edges of one layer.
type edgeList struct {
	csr      tape.CSR
	relation []int32
}

func newEdgeList(rows int) *edgeList {
	return &edgeList{csr: tape.CSR{Start: make([]int32, 1, rows+1)}}
}

// row adds a row that reads edges, sorted by relation: the mean over each relation. at returns the row of a neighbour,
// below 0 for one that is left out.
func (l *edgeList) row(edges []Edge, at func(to int32) int32) {
	var sources []int32
	for i := 0; i < len(edges); {
		relation := edges[i].Relation
		sources = sources[:0]
		for ; i < len(edges) && edges[i].Relation == relation; i++ {
			if r := at(edges[i].To); r >= 0 {
				sources = append(sources, r)
			}
		}
		for _, r := range sources {
			l.entry(r, relation, 1/float32(len(sources)))
		}
	}
	l.end()
}

func (l *edgeList) entry(source, relation int32, weight float32) {
	l.csr.Source, l.csr.Weight, l.relation = append(l.csr.Source, source), append(l.csr.Weight, weight), append(l.relation, relation)
}

// end ends the present row.
func (l *edgeList) end() { l.csr.Start = append(l.csr.Start, int32(len(l.csr.Source))) }

// activeAbove returns which rows are active above this layer, from those that are below it.
func (l *edgeList) activeAbove(active []bool) []bool {
	out := slices.Clone(active)
	for i := range l.csr.Rows() {
		out[i] = out[i] || l.csr.Start[i] < l.csr.Start[i+1]
	}
	return out
}

func (l *edgeList) edges(sources, relations int) (*tape.Edges, error) {
	return tape.NewEdges(l.csr, l.relation, sources, relations)
}
