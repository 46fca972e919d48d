package graphstore

import (
	"errors"
	"fmt"
	"strings"
)

// maxProblems is how many problems Check tells one by one.
const maxProblems = 1000

// Check verifies the committed state and tells each problem in a sentence:
// each edge has both ends and its inverse and fits their types; degrees,
// members and labels are those counted; no entity or media without an edge, no
// placeholder without a link; content with every artifact and nowhere else;
// what is kept of media with a node and a vector, no vector of a content that nobody has;
// counters, the outbox's numbers, document frequencies, an empty redo log; no
// row that can't be decoded. After a thousand problems it only counts the rest.
//
// What the caller's bytes (lists, evidence, messages, vectors) mean is the
// caller's to verify. An error means that the verification could not be done. Open has
// compared the tables with their checksums.
func (s *Store) Check(fn func(problem string)) error {
	err := s.View(func(r *Reader) error {
		c := &checker{r: r, fn: fn, nodes: map[NodeID]*checkedNode{}}
		for _, part := range []func() error{c.scanNodes, c.scanEdges, c.otherLabels, c.contents, c.media, c.others, c.outbox, c.terms} {
			if err := part(); err != nil {
				return err
			}
		}
		c.compareCounts()
		have := r.Counts()
		have.differences(&c.counts, func(p string) { c.problem("%s", p) })
		if more := c.told - maxProblems; more > 0 {
			fn(fmt.Sprintf("and %d problems more", more))
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("graphstore: check %q: %w", s.dir, err)
	}
	return nil
}

type checker struct {
	r      *Reader
	fn     func(string)
	told   int
	nodes  map[NodeID]*checkedNode
	counts Counts
}

// checkedNode is a node as stored, without its vectors, and as counted.
type checkedNode struct {
	node *Node
	// awaited are the flags of the further rows that the node says to have and that were not seen.
	awaited         byte
	degree, members uint32
	// asked are the edges to it that artifacts have.
	asked  uint32
	labels map[string]uint32
	// others are the stored counts of labels that the node does not keep, and ordered the number of rows that order them.
	others  map[string]uint32
	ordered int
	content bool
}

func (n *checkedNode) String() string {
	if n == nil {
		return "a node that does not exist"
	}
	return fmt.Sprintf("%s %q", n.node.Type, n.node.Key)
}

func (c *checker) problem(format string, args ...any) {
	if c.told++; c.told <= maxProblems {
		c.fn(fmt.Sprintf(format, args...))
	}
}

// each scans the rows of a prefix; what fn returns is a problem of that row.
func (c *checker) each(prefix []byte, what string, fn func(k, v []byte) error) error {
	return c.r.rows(prefix, func(k, v []byte) error {
		if err := fn(k, v); err != nil {
			c.problem("%s %x: %v", what, k[1:], err)
		}
		return nil
	})
}

func (c *checker) scanNodes() error {
	return c.each([]byte{keyNode}, "node", func(k, v []byte) error {
		id, part, err := parseNodeKey(k)
		if err != nil {
			return err
		}
		if part != nil {
			return c.part(c.nodes[id], part, v)
		}
		n, parts, err := decodeNode(id, v)
		if err != nil {
			return err
		}
		if n.Type < Artifact || n.Type >= numTypes {
			return fmt.Errorf("type %d is unknown", n.Type)
		}
		if want := ID(n.Type, n.Key); want != id {
			return fmt.Errorf("%s %q has the id %016x", n.Type, n.Key, uint64(want))
		}
		if n.Placeholder && n.Type != Artifact {
			c.problem("%s %q: a placeholder may only be an artifact", n.Type, n.Key)
		}
		n.Features, n.Sum1, n.Sum2, n.Hidden = nil, nil, nil, nil
		c.nodes[id] = &checkedNode{node: n, awaited: parts, labels: map[string]uint32{}}
		c.counts.node(n, 1)
		return nil
	})
}

// part verifies a further row of a node, which comes after the first.
func (c *checker) part(n *checkedNode, part *nodePart, row []byte) error {
	if n == nil || n.awaited&part.flag == 0 {
		return fmt.Errorf("the row of the %s of %s, which has none", part.what, n)
	}
	n.awaited &^= part.flag
	var e Node
	if err := part.take(&e, row); err != nil {
		return err
	}
	if n.node.Placeholder && len(e.Embedding) > 0 {
		c.problem("%s: a placeholder has no embedding", n)
	}
	return nil
}

// scanEdges verifies that each edge is stored from both ends: that of each which an artifact has the inverse is there, and
// that no node has more of these.
func (c *checker) scanEdges() error {
	return c.each([]byte{keyEdge}, "edge", func(k, v []byte) error {
		if len(k) == 9 {
			id, err := parseIDKey(k)
			if err != nil {
				return err
			}
			edges, err := decodeEdges(v)
			if err != nil {
				return err
			}
			return c.forward(id, edges)
		}
		e, err := parseEdgeKey(k)
		if err != nil {
			return err
		}
		from, to := c.nodes[e.From], c.nodes[e.To]
		if from == nil || to == nil || e.Rel&Inverse == 0 {
			return fmt.Errorf("relation %s joins %s and %s", e.Rel, from, to)
		}
		from.degree++
		from.members++
		return decodeRow(v).end()
	})
}

// forward verifies the edges of an artifact to others.
func (c *checker) forward(id NodeID, edges []edgeChange) error {
	from := c.nodes[id]
	if from != nil && !from.node.IsArtifact() {
		c.problem("%d edges of %s: only an artifact that is there has edges", len(edges), from)
	}
	for i := range edges {
		e := Edge{id, edges[i].rel, edges[i].to}
		to := c.nodes[e.To]
		if from == nil || to == nil {
			c.problem("relation %s joins %s and %s", e.Rel, from, to)
			continue
		}
		back, err := getRow(c.r.snap.txn, edgeKey(e.Reverse()))
		if err != nil && !errors.Is(err, errDamagedRow) {
			return err
		}
		if back == nil && err == nil {
			c.problem("edge (%s) of %s to %s: the other direction is missing", e.Rel, from, to)
		}
		from.degree++
		to.asked++
		c.counts.edge(e.Rel, 1)
		if e.Rel != relationTo(to.node.Type) {
			c.problem("edge (%s) of %s to %s: the relation does not fit", e.Rel, from, to)
		}
		if to.node.Type.IsMedia() && !strings.HasPrefix(to.node.Key, from.node.Key+"\x00") {
			c.problem("edge (%s) of %s to %s: the media belong to another artifact", e.Rel, from, to)
		}
		for _, l := range edges[i].detail.labels {
			to.labels[l]++
		}
	}
	return nil
}

// compareCounts compares what each node says of its edges and labels with what was counted.
func (c *checker) compareCounts() {
	for _, n := range c.nodes {
		if n.node.Degree != n.degree {
			c.problem("%s: degree %d stored, %d counted", n, n.node.Degree, n.degree)
		}
		if n.node.Members != n.members {
			c.problem("%s: %d members stored, %d counted", n, n.node.Members, n.members)
		}
		if n.members != n.asked {
			c.problem("%s: %d edges to it are stored with it, %d with artifacts", n, n.members, n.asked)
		}
		if n.awaited != 0 {
			c.problem("%s: %v", n, missing(n.awaited))
		}
		c.compareLabels(n)
		there := n.node.IsArtifact()
		if !there && n.members == 0 {
			c.problem("%s: nothing leads to it", n)
		}
		if there != n.content {
			c.problem("%s: content is stored: %v, placeholder: %v", n, n.content, n.node.Placeholder)
		}
	}
}

// contents verifies what is stored beside artifacts' nodes.
func (c *checker) contents() error {
	artifact := func(k []byte) (*checkedNode, error) {
		id, err := parseIDKey(k)
		if err != nil {
			return nil, err
		}
		n := c.nodes[id]
		if n == nil || !n.node.IsArtifact() {
			return nil, errors.New("there is no such artifact")
		}
		return n, nil
	}
	raw := map[NodeID]bool{}
	if err := c.each([]byte{keyRaw}, "content", func(k, v []byte) error {
		n, err := artifact(k)
		if err != nil {
			return err
		}
		raw[n.node.ID] = true
		return decodeRow(v).err
	}); err != nil {
		return err
	}
	if err := c.each([]byte{keyDoc}, "artifact", func(k, v []byte) error {
		n, err := artifact(k)
		if err != nil {
			return err
		}
		n.content = true
		doc, err := decodeDoc(v)
		if err == nil && doc.ID != n.node.Key {
			err = fmt.Errorf("its id is %q, its node's key %q", doc.ID, n.node.Key)
		}
		if err == nil && !raw[n.node.ID] {
			err = errors.New("its content is missing")
		}
		return err
	}); err != nil {
		return err
	}
	if err := c.each([]byte{keyLists}, "lists", func(k, v []byte) error {
		if _, err := artifact(k); err != nil {
			return err
		}
		return decodeRow(v).err
	}); err != nil {
		return err
	}
	if err := c.each([]byte{keyThemeLists}, "lists of themes", func(k, v []byte) error {
		if _, err := parseIDKey(k); err != nil {
			return err
		}
		return decodeRow(v).err
	}); err != nil {
		return err
	}
	if err := c.each([]byte{keyThemePast}, "history of a list of a theme", func(k, v []byte) error {
		if len(k) < 9 {
			return fmt.Errorf("key of %d bytes, want 9 or more", len(k))
		}
		return decodeRow(v).err
	}); err != nil {
		return err
	}
	if err := c.each([]byte{keyCell}, "cell of a map", func(_, v []byte) error { return decodeRow(v).err }); err != nil {
		return err
	}
	return c.each([]byte{keyStanding}, "standing query", func(_, v []byte) error { return decodeRow(v).err })
}
