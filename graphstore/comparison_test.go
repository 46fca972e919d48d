package graphstore

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"
)

// compare reads everything that a Reader can read. ids are artifact ids to ask for.
func (m *model) compare(t testing.TB, what string, r *Reader, ids []string) {
	t.Helper()
	c := &comparison{t: t, what: what, r: r, m: m, g: m.graph()}
	c.compareNodes()
	c.compareEdges()
	c.compareArtifacts(ids)
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
	var first []NodeID
	half := (len(ids) + 1) / 2
	c.must(c.r.EachNode(func(n *Node) bool { first = append(first, n.ID); return len(first) < half }))
	if !slices.Equal(first, ids[:half]) {
		c.differ("nodes of a scan ended early", first, ids[:half])
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
	c.must(eachArtifact(c.r, func(d *Doc) bool {
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
	c.must(eachLists(c.r, func(id NodeID, b []byte) bool { all[id] = b; return true }))
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
	edges, err := c.r.outgoing(ID(Artifact, id))
	c.must(err)
	at := slices.IndexFunc(edges, func(e edgeChange) bool { return e.edgeEnd == edgeEnd{s.Rel, ID(s.Type, s.Key)} })
	if at < 0 {
		c.differ(fmt.Sprintf("edge of %q to %s %q", id, s.Type, s.Key), edges, want)
	}
	if d := edges[at].detail; !slices.Equal(d.labels, want[0]) || !slices.Equal(d.linkTypes, want[1]) {
		c.differ(fmt.Sprintf("edge of %q to %s %q", id, s.Type, s.Key), d, want)
	}
}

// eachArtifact calls fn for every artifact, by ascending node, through the overlay.
func eachArtifact(r *Reader, fn func(*Doc) bool) error {
	return r.rows([]byte{keyDoc}, func(_, v []byte) error {
		head, err := decodeDoc(v)
		if err != nil {
			return err
		}
		doc, err := r.Artifact(head.ID)
		if err != nil {
			return err
		}
		if doc == nil || !fn(doc) {
			return errStop
		}
		return nil
	})
}

// eachLists calls fn for all that PutLists stored, by ascending id, through the overlay.
func eachLists(r *Reader, fn func(NodeID, []byte) bool) error {
	return r.rows([]byte{keyLists}, func(k, v []byte) error {
		id, err := parseIDKey(k)
		if err != nil {
			return err
		}
		b, err := decodeBlob(v)
		if err == nil && !fn(id, b) {
			err = errStop
		}
		return err
	})
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
