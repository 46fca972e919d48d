package pipeline

import (
	"slices"

	"kilim/consumer/profile"
	"kilim/graphstore"
	"kilim/learner/model/infer"
)

// mediaOf compares the rows about an artifact's media with what its document asks for.
func (c *checker) mediaOf(n *graphstore.Node, a *profile.Artifact, w *extracted) error {
	for _, m := range c.e.media(a, w.edges) {
		c.media[m.node] = true
		row, err := c.r.Media(m.node)
		if err != nil {
			return err
		}
		what := func(format string, args ...any) {
			c.faultf("artifact %q: "+m.kind+": "+format, append([]any{n.Key}, args...)...)
		}
		switch {
		case row == nil:
			what("a medium without a row that says where its encoding stands")
		case m.uri == "" && row.Content != m.content:
			what("the row is about other bytes than the document has")
		case m.given != nil && row.State != graphstore.MediaEncoded:
			what("%s, and its vector came with it", row.State)
		case row.State == graphstore.MediaEncoded && row.Encoder != c.e.target(m.kind):
			what("encoded by %q, the state is one of %q", row.Encoder, c.e.target(m.kind))
		case row.Revision > c.e.clock.revision:
			what("asked at revision %d, the state is at %d", row.Revision, c.e.clock.revision)
		}
	}
	known, err := c.e.encodedOf(c.r, n.ID)
	if err != nil {
		return err
	}
	// What the text has to say has moved with the document frequencies since it was computed; what the media have
	// has not.
	width := c.e.cfg.Model.Width
	want, wantDirect := infer.Halves(c.e.model.Artifact(c.e.featuresOf(w, known), int(graphstore.Artifact)))
	have, haveDirect := infer.Halves(n.Features)
	if len(have) != len(want) || !slices.Equal(have[width:], want[width:]) || !slices.Equal(haveDirect[width:], wantDirect[width:]) {
		c.faultf("artifact %q: its features are not those of its %d pictures and %d recordings that are encoded", n.Key, len(known.image), len(known.audio))
	}
	return nil
}

// mediaRows looks for rows about media that no document has.
func (c *checker) mediaRows() error {
	return c.r.EachMedia(func(row *graphstore.Media) bool {
		if !c.media[row.Node] {
			c.faultf("node %016x: a row about a medium (%s) that no document has", uint64(row.Node), row.State)
		}
		return true
	})
}
