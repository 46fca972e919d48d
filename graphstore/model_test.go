package graphstore

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"
)

// model is the store, the dull way: what was put, and everything else derived
// from it from scratch.
type model struct {
	artifacts map[string]modelArtifact
	// vectors are what Edit wrote, by node; they live as long as the node.
	vectors   map[NodeID]vectors
	lists     map[NodeID][]byte
	listedBy  map[[2]NodeID]bool
	offsets   map[string]int64
	pushes    map[NodeID]Push
	terms     map[uint32]int32
	dims      map[string]int
	meta      map[string][]byte
	messages  []OutboxEntry // all ever
	acked     uint64
	positions map[string]Position
}

type modelArtifact struct {
	doc   Doc
	specs []EdgeSpec
}

type vectors struct {
	features, hidden, embedding []float32
	sum1, sum2                  []int64
	encoded, ranked             float64
}

func newModel() *model {
	return &model{
		artifacts: map[string]modelArtifact{}, vectors: map[NodeID]vectors{}, lists: map[NodeID][]byte{},
		listedBy: map[[2]NodeID]bool{}, offsets: map[string]int64{}, pushes: map[NodeID]Push{},
		terms: map[uint32]int32{}, dims: map[string]int{}, meta: map[string][]byte{}, positions: map[string]Position{},
	}
}

func (m *model) clone() *model {
	c := *m
	c.artifacts, c.vectors, c.lists = maps.Clone(m.artifacts), maps.Clone(m.vectors), maps.Clone(m.lists)
	c.listedBy, c.offsets, c.pushes = maps.Clone(m.listedBy), maps.Clone(m.offsets), maps.Clone(m.pushes)
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
				EncodedAt: v.encoded, Drift: v.ranked}
		}
		return g.nodes[id]
	}
	set := map[Edge]bool{}
	for id, a := range m.artifacts {
		self := node(Artifact, id)
		self.Placeholder = false
		used := map[[2]string]bool{}
		for _, s := range a.specs {
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
	_, there := m.artifacts[doc.ID]
	m.artifacts[doc.ID] = modelArtifact{doc, specs}
	return m.change(before, Change{Artifact: ID(Artifact, doc.ID), Created: !there, Replaced: there})
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
		m.vectors[node] = vectors{sum1: v.sum1, sum2: v.sum2}
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
		slices.Equal(a.Labels, b.Labels) && a.Degree == b.Degree && a.Members == b.Members &&
		sameFloats(a.Features, b.Features) && sameFloats(a.Hidden, b.Hidden) && sameFloats(a.Embedding, b.Embedding) &&
		slices.Equal(a.Sum1, b.Sum1) && slices.Equal(a.Sum2, b.Sum2) && a.EncodedAt == b.EncodedAt && a.Drift == b.Drift
}

func sameChange(a, b Change) bool {
	return a.Artifact == b.Artifact && a.Created == b.Created && a.Replaced == b.Replaced && a.Deleted == b.Deleted &&
		slices.Equal(a.Added, b.Added) && slices.Equal(a.Removed, b.Removed) &&
		slices.Equal(a.NewNodes, b.NewNodes) && slices.Equal(a.GoneNodes, b.GoneNodes) &&
		maps.EqualFunc(a.Gone, b.Gone, sameNode)
}

func sameDoc(a, b *Doc) bool {
	return a != nil && b != nil && a.ID == b.ID && bytes.Equal(a.Raw, b.Raw) && a.Timestamp.Equal(b.Timestamp) && bytes.Equal(a.Evidence, b.Evidence)
}

// compare reads everything that a Reader can read. ids are artifact ids to ask for.
func (m *model) compare(t testing.TB, what string, r *Reader, ids []string) {
	t.Helper()
	c := &comparison{t: t, what: what, r: r, m: m, g: m.graph()}
	c.compareNodes()
	c.compareEdges()
	c.compareArtifacts(ids)
	c.compareListedBy()
	c.compareSmall()
}

type comparison struct {
	t    testing.TB
	what string
	r    *Reader
	m    *model
	g    *graph
}

func (c *comparison) must(err error) {
	if err != nil {
		c.t.Helper()
		c.t.Fatalf("%s: %v", c.what, err)
	}
}

func (c *comparison) differ(what string, got, want any) {
	c.t.Helper()
	c.t.Fatalf("%s: %s:\n got %+v\nwant %+v", c.what, what, got, want)
}

func (c *comparison) compareNodes() {
	c.t.Helper()
	if got := c.r.Counts(); got != c.g.counts {
		c.differ("counts", got, c.g.counts)
	}
	var ids []NodeID
	c.must(c.r.EachNode(func(n *Node) bool {
		ids = append(ids, n.ID)
		if !sameNode(n, c.g.nodes[n.ID]) {
			c.differ("node of the scan", n, c.g.nodes[n.ID])
		}
		return true
	}))
	if want := slices.Sorted(maps.Keys(c.g.nodes)); !slices.Equal(ids, want) {
		c.differ("nodes of the scan", ids, want)
	}
	for _, id := range ids {
		n, err := c.r.Node(id)
		c.must(err)
		if !sameNode(n, c.g.nodes[id]) {
			c.differ("node", n, c.g.nodes[id])
		}
	}
	if n, err := c.r.Node(12345); n != nil || err != nil {
		c.differ("a node that does not exist", n, nil)
	}
}

func (c *comparison) compareEdges() {
	c.t.Helper()
	var all []Edge
	for _, id := range slices.Sorted(maps.Keys(c.g.nodes)) {
		var here []Edge
		c.must(c.r.Edges(id, func(e Edge) bool { here = append(here, e); return true }))
		all = append(all, here...)
		var first []Edge
		c.must(c.r.Edges(id, func(e Edge) bool { first = append(first, e); return len(first) < 2 }))
		if want := here[:min(2, len(here))]; !slices.Equal(first, want) {
			c.differ("edges of a scan ended early", first, want)
		}
		for rel := range Relation(numTypes) {
			for _, rel := range []Relation{rel, rel | Inverse} {
				var got, want []Edge
				c.must(c.r.EdgesOf(id, rel, func(e Edge) bool { got = append(got, e); return true }))
				for _, e := range here {
					if e.Rel == rel {
						want = append(want, e)
					}
				}
				if !slices.Equal(got, want) {
					c.differ(fmt.Sprintf("edges of relation %s", rel), got, want)
				}
				for i, after := range want {
					var rest []Edge
					c.must(c.r.EdgesAfter(id, rel, after.To, func(e Edge) bool { rest = append(rest, e); return true }))
					if !slices.Equal(rest, want[i+1:]) {
						c.differ(fmt.Sprintf("edges of relation %s after %d", rel, after.To), rest, want[i+1:])
					}
				}
				c.must(c.r.EdgesAfter(id, rel, math.MaxUint64, func(e Edge) bool {
					c.differ("edges after the last node", e, nil)
					return false
				}))
			}
		}
	}
	if !slices.Equal(all, c.g.edges) {
		c.differ("edges", all, c.g.edges)
	}
}

func (c *comparison) compareArtifacts(ids []string) {
	c.t.Helper()
	for _, id := range ids {
		got, err := c.r.Artifact(id)
		c.must(err)
		evidence, err := c.r.Evidence(ID(Artifact, id))
		c.must(err)
		if a, there := c.m.artifacts[id]; there != (got != nil) || there && !sameDoc(got, &a.doc) || !bytes.Equal(evidence, a.doc.Evidence) {
			c.differ(fmt.Sprintf("artifact %q", id), got, a.doc)
		}
		lists, err := c.r.Lists(ID(Artifact, id))
		c.must(err)
		if want := c.m.lists[ID(Artifact, id)]; !bytes.Equal(lists, want) || (lists == nil) != (want == nil) {
			c.differ(fmt.Sprintf("lists of %q", id), lists, want)
		}
		for _, s := range c.m.artifacts[id].specs {
			c.compareInfo(id, s)
		}
	}
	seen := map[string]bool{}
	last := NodeID(0)
	c.must(c.r.EachArtifact(func(d *Doc) bool {
		want := c.m.artifacts[d.ID].doc
		if node := ID(Artifact, d.ID); node <= last || !sameDoc(d, &want) {
			c.differ("artifact of the scan", d, want)
		} else {
			last = node
		}
		seen[d.ID] = true
		return true
	}))
	if len(seen) != len(c.m.artifacts) {
		c.differ("artifacts of the scan", len(seen), len(c.m.artifacts))
	}
	all := map[NodeID][]byte{}
	c.must(c.r.EachLists(func(id NodeID, b []byte) bool { all[id] = b; return true }))
	if !maps.EqualFunc(all, c.m.lists, bytes.Equal) {
		c.differ("all lists", all, c.m.lists)
	}
}

func (c *comparison) compareInfo(id string, s EdgeSpec) {
	c.t.Helper()
	set := [2]map[string]bool{{}, {}}
	for _, other := range c.m.artifacts[id].specs {
		if other.Type == s.Type && other.Key == s.Key {
			set[0][other.Label], set[1][other.LinkType] = true, true
		}
	}
	var want [2][]string
	for i := range set {
		delete(set[i], "")
		want[i] = slices.Sorted(maps.Keys(set[i]))
	}
	labels, links, err := c.r.EdgeInfo(Edge{ID(Artifact, id), s.Rel, ID(s.Type, s.Key)})
	c.must(err)
	if !slices.Equal(labels, want[0]) || !slices.Equal(links, want[1]) {
		c.differ(fmt.Sprintf("edge of %q to %s %q", id, s.Type, s.Key), [2][]string{labels, links}, want)
	}
}

func (c *comparison) compareListedBy() {
	c.t.Helper()
	order := func(a, b [2]NodeID) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) }
	want := slices.SortedFunc(maps.Keys(c.m.listedBy), order)
	var got, byNode [][2]NodeID
	c.must(c.r.EachListedBy(func(of, by NodeID) bool { got = append(got, [2]NodeID{of, by}); return true }))
	for of := range NodeID(40) {
		c.must(c.r.ListedBy(of, func(by NodeID) bool { byNode = append(byNode, [2]NodeID{of, by}); return true }))
	}
	if !slices.Equal(got, want) {
		c.differ("listed by", got, want)
	}
	if !slices.Equal(byNode, want) {
		c.differ("listed by, node by node", byNode, want)
	}
}

func (c *comparison) compareSmall() {
	c.t.Helper()
	for part := range 3 {
		next, ok, err := c.r.Offset("in", part)
		c.must(err)
		if want, stored := c.m.offsets[fmt.Sprint(part)]; next != want || ok != stored {
			c.differ("offset", next, want)
		}
	}
	pushes, err := c.r.Pushes()
	c.must(err)
	var wantPushes []Push
	for _, id := range slices.Sorted(maps.Keys(c.m.pushes)) {
		wantPushes = append(wantPushes, c.m.pushes[id])
	}
	if !slices.Equal(pushes, wantPushes) {
		c.differ("pushes", pushes, wantPushes)
	}
	terms, last := map[uint32]int32{}, int64(-1)
	c.must(c.r.TermTable(func(bucket uint32, df int32) {
		if int64(bucket) <= last || df == 0 {
			c.differ("term", bucket, last)
		}
		last = int64(bucket)
		terms[bucket] = df
	}))
	want := maps.Clone(c.m.terms)
	maps.DeleteFunc(want, func(_ uint32, df int32) bool { return df == 0 })
	if !maps.Equal(terms, want) {
		c.differ("terms", terms, want)
	}
	if dims := c.r.EncoderDims(); !maps.Equal(dims, c.m.dims) {
		c.differ("encoders", dims, c.m.dims)
	}
	for i := range 4 {
		key := fmt.Sprint("meta ", i)
		got, err := c.r.Meta(key)
		c.must(err)
		if want := c.m.meta[key]; !bytes.Equal(got, want) || (got == nil) != (want == nil) {
			c.differ(key, len(got), len(want))
		}
	}
	c.compareOutbox()
}

func (c *comparison) compareOutbox() {
	c.t.Helper()
	var got []OutboxEntry
	for after := uint64(0); ; {
		page, err := c.r.Outbox(after, 3)
		c.must(err)
		if len(page) == 0 {
			break
		}
		got = append(got, page...)
		after = page[len(page)-1].Seq
	}
	want := c.m.messages[c.m.acked:]
	if !slices.EqualFunc(got, want, func(a, b OutboxEntry) bool {
		return a.Seq == b.Seq && bytes.Equal(a.Value, b.Value) && a.Time.Equal(b.Time)
	}) {
		c.differ("outbox", got, want)
	}
}
