package encode

import (
	"fmt"

	"kilim/consumer/profile"
	"kilim/graphstore"
)

// Checker compares the rows about media with the records: Artifact for each that is stored, then Rest.
type Checker struct {
	encoders Encoders
	g        CheckReader
	revision uint64
	fault    func(string)
	// asked are the nodes that may have a row.
	asked map[graphstore.NodeID]bool
}

// CheckReader is what a Checker reads.
type CheckReader interface {
	Rows
	EachMedia(fn func(*graphstore.Media) bool) error
}

// Check begins a check of a state that is at the given revision. Each fault is told in a sentence.
func (e Encoders) Check(g CheckReader, revision uint64, fault func(string)) *Checker {
	return &Checker{encoders: e, g: g, revision: revision, fault: fault, asked: map[graphstore.NodeID]bool{}}
}

// Artifact compares the rows about an artifact's media with what its record asks for; edges are those of weave.Edges.
func (c *Checker) Artifact(a *profile.Artifact, edges []graphstore.EdgeSpec) error {
	for _, m := range c.encoders.MediaOf(a, edges) {
		c.asked[m.Node] = true
		row, err := c.g.Media(m.Node)
		if err != nil {
			return err
		}
		if what := c.wrong(&m, row); what != "" {
			c.fault(fmt.Sprintf("artifact %q: %s: %s", a.ID, m.Kind, what))
		}
	}
	return nil
}

// wrong says what is wrong with the row about a medium, "" if nothing is.
func (c *Checker) wrong(m *Medium, row *graphstore.Media) string {
	encoder := c.encoders.Identity(m.Kind)
	switch {
	case row == nil:
		return "a medium without a row that says where its encoding stands"
	case m.URI == "" && row.Content != m.Content:
		return "the row is about other bytes than the document has"
	case m.Precomputed != nil && row.State != graphstore.MediaEncoded:
		return fmt.Sprintf("%s, and its vector came with it", row.State)
	case row.State == graphstore.MediaEncoded && row.Encoder != encoder:
		return fmt.Sprintf("encoded by %q, the state is one of %q", row.Encoder, encoder)
	case row.Revision > c.revision:
		return fmt.Sprintf("asked at revision %d, the state is at %d", row.Revision, c.revision)
	}
	return ""
}

// Rest looks for rows about media that no record has.
func (c *Checker) Rest() error {
	return c.g.EachMedia(func(row *graphstore.Media) bool {
		if !c.asked[row.Node] {
			c.fault(fmt.Sprintf("node %016x: a row about a medium (%s) that no document has", uint64(row.Node), row.State))
		}
		return true
	})
}
