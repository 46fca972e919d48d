package encode

import (
	"kilim/consumer/profile"
	"kilim/graphstore"
	"kilim/learner/encode/feature"
)

// Rows is what is kept of media: in the graph of a unit, of what is committed, or of another state.
type Rows interface {
	// Media is the row about a medium, nil if there is none. It may not be modified.
	Media(graphstore.NodeID) (*graphstore.Media, error)
	// MediaVector is what the encoder of that identity made of a content, nil if nobody has asked it yet.
	MediaVector(c graphstore.Content, encoder string) ([]float32, error)
}

// Reader is Rows with the way from an artifact to its media.
type Reader interface {
	Rows
	// Node returns nil for an unknown id. The node may not be modified.
	Node(graphstore.NodeID) (*graphstore.Node, error)
	// EdgesOf calls fn for each edge of one relation, by target, until fn returns false.
	EdgesOf(id graphstore.NodeID, rel graphstore.Relation, fn func(graphstore.Edge) bool) error
}

// Vectors are those by which an artifact is known: what encoders have made of its media, in the order of
// their nodes, and of its text where that is not left to the built-in projection.
type Vectors struct {
	Text         []float32
	Image, Audio [][]float32
	// Contents are what the vectors of Image and Audio were made of.
	Contents []Content
}

// Content is the bytes of a picture or a recording, with what the encoder of the state made of them.
type Content struct {
	graphstore.Held
	Vector []float32
}

// add takes in what a modality's encoder made of one medium.
func (v *Vectors) add(kind string, of graphstore.Content, vector []float32) {
	content := func(t graphstore.Type) {
		v.Contents = append(v.Contents, Content{graphstore.Held{Type: t, Content: of}, vector})
	}
	switch {
	case vector == nil:
	case kind == profile.Text:
		v.Text = vector
	case kind == profile.Image:
		v.Image = append(v.Image, vector)
		content(graphstore.Picture)
	default:
		v.Audio = append(v.Audio, vector)
		content(graphstore.Recording)
	}
}

// Vectors reads those by which an artifact is known now.
func (e Encoders) Vectors(g Reader, artifact graphstore.NodeID) (Vectors, error) {
	var out Vectors
	if err := e.addTo(&out, g, artifact, profile.Text); err != nil {
		return out, err
	}
	var nodes []graphstore.NodeID
	if err := g.EdgesOf(artifact, graphstore.RelMedia, func(edge graphstore.Edge) bool {
		nodes = append(nodes, edge.To)
		return true
	}); err != nil {
		return out, err
	}
	for _, node := range nodes {
		n, err := g.Node(node)
		if err != nil {
			return out, err
		}
		if n == nil || n.Type == graphstore.Text {
			continue // text among the media counts as the artifact's own
		}
		if err := e.addTo(&out, g, node, kindOf(n)); err != nil {
			return out, err
		}
	}
	return out, nil
}

// addTo adds to out what a modality's encoder has made of a medium, if there is something.
func (e Encoders) addTo(out *Vectors, g Rows, node graphstore.NodeID, kind string) error {
	if e.Of(kind) == nil {
		return nil
	}
	row, err := g.Media(node)
	if err != nil || row == nil || row.State != graphstore.MediaEncoded {
		return err
	}
	v, err := g.MediaVector(row.Content, row.Encoder)
	if err != nil {
		return err
	}
	out.add(kind, row.Content, v)
	return nil
}

// kindOf is the modality of what a node's row is about: an artifact's is about its text.
func kindOf(n *graphstore.Node) string {
	if n.Type == graphstore.Artifact {
		return profile.Text
	}
	return n.Type.String()
}

// MeanDirection is the mean of vectors, brought to length 1; nil if there is none. They are added in
// their order, on which the last bits depend.
func MeanDirection(vectors [][]float32) []float32 {
	if len(vectors) == 0 {
		return nil
	}
	sum := make([]float32, len(vectors[0]))
	for _, v := range vectors {
		for i, x := range v {
			sum[i] += x
		}
	}
	feature.Scale(sum, 1)
	return sum
}
