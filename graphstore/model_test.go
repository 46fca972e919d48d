package graphstore

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
)

// model is the store, the dull way: what was put, and everything else derived
// from it from scratch.
type model struct {
	artifacts map[string]modelArtifact
	// vectors are what Edit wrote, by node; they live as long as the node.
	vectors   map[NodeID]vectors
	lists     map[NodeID][]byte
	offsets   map[string]Offset
	pushes    map[NodeID]Push
	terms     map[uint32]int32
	dims      map[string]int
	meta      map[string][]byte
	messages  []OutboxEntry // all ever
	acked     uint64
	positions map[string]Position
	// kept is how many labels a node keeps.
	kept int
}

type modelArtifact struct {
	doc   Doc
	specs []EdgeSpec
	held  []EdgeSpec // to contents
}

type vectors struct {
	features, hidden, embedding []float32
	sum1, sum2                  []int64
	encoded, ranked             float64
	bound, epsilon              float64
	third                       Third
}

func newModel() *model {
	return &model{
		artifacts: map[string]modelArtifact{}, vectors: map[NodeID]vectors{}, lists: map[NodeID][]byte{},
		offsets: map[string]Offset{}, pushes: map[NodeID]Push{},
		terms: map[uint32]int32{}, dims: map[string]int{}, meta: map[string][]byte{}, positions: map[string]Position{}, kept: keptLabels,
	}
}

func (m *model) clone() *model {
	c := *m
	c.artifacts, c.vectors, c.lists = maps.Clone(m.artifacts), maps.Clone(m.vectors), maps.Clone(m.lists)
	c.offsets, c.pushes = maps.Clone(m.offsets), maps.Clone(m.pushes)
	c.terms, c.dims, c.meta = maps.Clone(m.terms), maps.Clone(m.dims), maps.Clone(m.meta)
	c.messages, c.positions = slices.Clone(m.messages), maps.Clone(m.positions)
	return &c
}

// graph is what the artifacts make.
type graph struct {
	nodes map[NodeID]*Node
	// edges are all rows: both directions of each edge, in scan order.
	edges  []Edge
	counts Counts
}

func (m *model) graph() *graph {
	g := &graph{nodes: map[NodeID]*Node{}}
	node := func(t Type, key string) *Node {
		id := ID(t, key)
		if g.nodes[id] == nil {
			v := m.vectors[id]
			g.nodes[id] = &Node{ID: id, Type: t, Key: key, Placeholder: t == Artifact,
				Features: v.features, Hidden: v.hidden, Embedding: v.embedding, Sum1: v.sum1, Sum2: v.sum2,
				EncodedAt: v.encoded, Drift: v.ranked, DriftBound: v.bound, Epsilon: v.epsilon, Third: &v.third}
		}
		return g.nodes[id]
	}
	set := map[Edge]bool{}
	for id, a := range m.artifacts {
		self := node(Artifact, id)
		self.Placeholder = false
		used := map[[2]string]bool{}
		for _, s := range slices.Concat(a.specs, a.held) {
			to := node(s.Type, s.Key)
			e := Edge{self.ID, s.Rel, to.ID}
			if !set[e] {
				set[e], set[Edge{to.ID, s.Rel | Inverse, self.ID}] = true, true
				self.Degree++
				to.Degree++
				to.Members++
				g.counts.edges[s.Rel]++
			}
			use := [2]string{fmt.Sprint(to.ID), s.Label}
			if s.Label == "" || used[use] {
				continue
			}
			used[use] = true
			i := slices.IndexFunc(to.Labels, func(l Label) bool { return l.Text == s.Label })
			if i < 0 {
				i = len(to.Labels)
				to.Labels = append(to.Labels, Label{Text: s.Label})
			}
			to.Labels[i].Count++
		}
	}
	for _, n := range g.nodes {
		slices.SortFunc(n.Labels, func(a, b Label) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Text, b.Text)) })
		if len(n.Labels) > m.kept {
			n.OtherLabels = uint32(len(n.Labels) - m.kept)
			n.Labels = n.Labels[:m.kept]
		}
		slices.SortFunc(n.Labels, func(a, b Label) int { return cmp.Compare(a.Text, b.Text) })
		if n.Placeholder {
			g.counts.Placeholders++
		} else {
			g.counts.nodes[n.Type]++
		}
	}
	g.counts.Artifacts = g.counts.nodes[Artifact]
	g.edges = slices.SortedFunc(maps.Keys(set), compareEdges)
	return g
}

func compareEdges(a, b Edge) int {
	return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.Rel, b.Rel), cmp.Compare(a.To, b.To))
}

// put replaces an artifact and says what must have changed.
func (m *model) put(doc Doc, specs []EdgeSpec) Change {
	before := m.graph()
	old, there := m.artifacts[doc.ID]
	m.artifacts[doc.ID] = modelArtifact{doc, specs, old.held}
	return m.change(before, Change{Artifact: ID(Artifact, doc.ID), Created: !there, Replaced: there})
}

// hold gives an artifact other contents.
func (m *model) hold(id string, held []Held) Change {
	before := m.graph()
	a := m.artifacts[id]
	a.held = nil
	for _, h := range held {
		a.held = append(a.held, EdgeSpec{Type: h.Type, Rel: Relation(h.Type), Key: h.Content.Key()})
	}
	m.artifacts[id] = a
	return m.change(before, Change{Artifact: ID(Artifact, id)})
}

func (m *model) delete(id string) Change {
	before := m.graph()
	node := ID(Artifact, id)
	if _, there := m.artifacts[id]; !there {
		return Change{Artifact: node}
	}
	delete(m.artifacts, id)
	delete(m.lists, node)
	c := m.change(before, Change{Artifact: node, Deleted: true})
	if v, ok := m.vectors[node]; ok {
		m.vectors[node] = vectors{sum1: v.sum1, sum2: v.sum2, third: Third{Sum: v.third.Sum}}
	}
	return c
}

// change compares the graphs, and forgets the vectors of nodes that went.
func (m *model) change(before *graph, c Change) Change {
	after := m.graph()
	minus := func(a, b []Edge) (out []Edge) {
		for _, e := range a {
			if e.Rel&Inverse == 0 && !slices.Contains(b, e) {
				out = append(out, e)
			}
		}
		return out
	}
	c.Added, c.Removed = minus(after.edges, before.edges), minus(before.edges, after.edges)
	for _, id := range slices.Sorted(maps.Keys(after.nodes)) {
		if before.nodes[id] == nil {
			c.NewNodes = append(c.NewNodes, id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(before.nodes)) {
		if after.nodes[id] == nil {
			c.GoneNodes = append(c.GoneNodes, id)
			if c.Gone == nil {
				c.Gone = map[NodeID]*Node{}
			}
			c.Gone[id] = before.nodes[id]
			delete(m.vectors, id)
		}
	}
	return c
}

func sameFloats(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
}

func sameNode(a, b *Node) bool {
	return a != nil && b != nil && a.ID == b.ID && a.Type == b.Type && a.Key == b.Key && a.Placeholder == b.Placeholder &&
		slices.Equal(a.Labels, b.Labels) && a.OtherLabels == b.OtherLabels && a.Degree == b.Degree && a.Members == b.Members &&
		sameFloats(a.Features, b.Features) && sameFloats(a.Hidden, b.Hidden) && sameFloats(a.Embedding, b.Embedding) &&
		slices.Equal(a.Sum1, b.Sum1) && slices.Equal(a.Sum2, b.Sum2) && a.EncodedAt == b.EncodedAt && a.Drift == b.Drift && a.DriftBound == b.DriftBound && a.Epsilon == b.Epsilon &&
		sameFloats(a.third().Hidden, b.third().Hidden) && slices.Equal(a.third().Sum, b.third().Sum)
}

func sameChange(a, b Change) bool {
	return a.Artifact == b.Artifact && a.Created == b.Created && a.Replaced == b.Replaced && a.Deleted == b.Deleted &&
		slices.Equal(a.Added, b.Added) && slices.Equal(a.Removed, b.Removed) &&
		slices.Equal(a.NewNodes, b.NewNodes) && slices.Equal(a.GoneNodes, b.GoneNodes) &&
		maps.EqualFunc(a.Gone, b.Gone, sameNode)
}

func sameDoc(a, b *Doc) bool {
	return a != nil && b != nil && a.ID == b.ID && bytes.Equal(a.Raw, b.Raw) && a.Timestamp.Equal(b.Timestamp) && bytes.Equal(a.Evidence, b.Evidence) && a.Topic == b.Topic && a.Partition == b.Partition
}
