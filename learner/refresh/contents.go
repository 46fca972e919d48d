package refresh

import (
	"errors"
	"fmt"
	"slices"

	"kilim/graphstore"
	"kilim/learner/model/infer"
)

// Content is a picture or a recording, by its bytes, with the features that an encoder made of it. Where Config.MediaNodes is set it is
// a node that the artifacts which hold it read and that reads them, as those do that share an entity.
type Content struct {
	graphstore.Held
	Features infer.Features
}

// Holder is the graph as it keeps who holds which contents.
type Holder interface {
	PutContents(artifact graphstore.NodeID, held []graphstore.Held) (graphstore.Change, error)
}

// Hold brings what an artifact holds to contents, and gives those that nobody held their h0. It is called between Detach, or the
// artifact's insertion, and Attach. Without Config.MediaNodes it does nothing.
func (p *Pass) Hold(g Holder, id graphstore.NodeID, contents []Content) error {
	if !p.r.cfg.MediaNodes {
		return nil
	}
	held := make([]graphstore.Held, len(contents))
	for i, c := range contents {
		held[i] = c.Held
	}
	change, err := g.PutContents(id, held)
	if err != nil {
		return err
	}
	if err := p.Forget(change.GoneNodes); err != nil {
		return err
	}
	for _, node := range change.NewNodes {
		n, err := p.g.Edit(node)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(contents, func(c Content) bool { return c.ID() == node })
		n.Features = p.r.contentInput(&contents[i])
	}
	return nil
}

// contentInput returns h0 of a content: a block of its own features, and the record of a node of its type that says nothing.
func (r *Refresher) contentInput(c *Content) []float32 {
	h0, _ := infer.Halves(r.model.Artifacts([]infer.Features{c.Features}, int(c.Type))[0])
	return slices.Clone(h0)
}

// CheckContents compares what an artifact holds with contents, and their nodes' features with what the model makes of theirs.
func (r *Refresher) CheckContents(g Reader, artifact *graphstore.Node, contents []Content, fault func(string)) error {
	if !r.cfg.MediaNodes {
		contents = nil
	}
	want := map[graphstore.NodeID]*Content{}
	for i := range contents {
		want[contents[i].ID()] = &contents[i]
	}
	var bad error
	err := g.Edges(artifact.ID, func(e graphstore.Edge) bool {
		if !graphstore.Type(e.Rel).IsContent() {
			return true
		}
		n, err := g.Node(e.To)
		c := want[e.To]
		delete(want, e.To)
		switch {
		case err != nil:
			bad = err
		case c == nil:
			fault(fmt.Sprintf("artifact %q: it holds a %s that is none of its media", artifact.Key, e.Rel))
		case n == nil || !slices.Equal(n.Features, r.contentInput(c)):
			fault(fmt.Sprintf("%s %s: its features are not those of its vector", c.Type, c.Content.Key()))
		}
		return bad == nil
	})
	for id, c := range want {
		n, err := g.Node(id)
		if bad = errors.Join(bad, err); n == nil || n.Key == c.Content.Key() { // of two keys with one id, one is left out
			fault(fmt.Sprintf("artifact %q: it has a %s that is encoded and that it does not hold", artifact.Key, c.Type))
		}
	}
	return errors.Join(err, bad)
}

// withContents adds to the edges of an artifact that is not in the graph those to what it holds.
func (r *Refresher) withContents(g Reader, neighbours []neighbour, contents []Content) ([]neighbour, error) {
	if !r.cfg.MediaNodes {
		return neighbours, nil
	}
	seen := map[graphstore.NodeID]bool{}
	for i := range contents {
		c := &contents[i]
		if seen[c.ID()] || !r.model.Gathers(RelationIndex(graphstore.Relation(c.Type))) {
			continue
		}
		seen[c.ID()] = true
		n, err := g.Node(c.ID())
		if err != nil {
			return nil, err
		}
		if n == nil {
			n = r.lonely(&graphstore.Node{ID: c.ID(), Type: c.Type, Key: c.Content.Key(), Features: r.contentInput(c)})
		}
		neighbours = append(neighbours, neighbour{graphstore.Relation(c.Type), n})
	}
	return neighbours, nil
}
