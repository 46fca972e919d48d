package pipeline

import (
	"kilim/consumer/profile"
	"kilim/graphstore"
	"kilim/learner/encode/facts"
	"kilim/learner/encode/feature"
	"kilim/learner/model/infer"
)

// encoded are the vectors that encoders have made of an artifact's media, and of its text if that is not left to the
// built-in projection.
type encoded struct {
	text         []float32
	image, audio [][]float32
}

// encodedOf reads the vectors by which an artifact is known now, those of its media in the order of their nodes.
func (e *Engine) encodedOf(g mediaGraph, id graphstore.NodeID) (encoded, error) {
	var out encoded
	if e.cfg.Encoders.Text != nil {
		v, err := e.vectorOf(g, id, profile.Text)
		if err != nil {
			return out, err
		}
		out.text = v
	}
	var nodes []graphstore.NodeID
	if err := g.EdgesOf(id, graphstore.RelMedia, func(edge graphstore.Edge) bool {
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
		v, err := e.vectorOf(g, node, kindOf(n))
		switch {
		case err != nil:
			return out, err
		case v == nil:
		case n.Type == graphstore.Image:
			out.image = append(out.image, v)
		default:
			out.audio = append(out.audio, v)
		}
	}
	return out, nil
}

// vectorOf is what a modality's encoder has made of a medium, nil if there is nothing.
func (e *Engine) vectorOf(g mediaReader, node graphstore.NodeID, kind string) ([]float32, error) {
	if e.cfg.Encoders.of(kind) == nil {
		return nil, nil
	}
	row, err := g.Media(node)
	if err != nil || row == nil || row.State != graphstore.MediaEncoded {
		return nil, err
	}
	return g.MediaVector(row.Content, row.Encoder)
}

// mediaReader is what is read of media: in a unit's transaction, or of what is committed.
type mediaReader interface {
	Media(graphstore.NodeID) (*graphstore.Media, error)
	MediaVector(c graphstore.Content, encoder string) ([]float32, error)
}

// featuresOf is a function of what an artifact says, of what its media look and sound like, and
// of the document frequencies. It may be called concurrently while nobody writes these.
func (e *Engine) featuresOf(w *extracted, media encoded) infer.Features {
	f := infer.Features{Facts: w.facts, Image: centre(media.image), Audio: centre(media.audio)}
	if e.cfg.Encoders.Text != nil {
		f.Text = media.text
	} else if len(w.doc.Words) > 0 {
		f.Text = make([]float32, e.encoder.Dim())
		e.encoder.Project(w.doc, e.table.IDF, f.Text)
	}
	return f
}

// factsOf are when and where, in numbers.
func factsOf(a *profile.Artifact) []float32 {
	var begin, end, lat, lon *float64
	if d := a.Date; d != nil {
		begin, end = d.Begin, d.End
	}
	if l := a.Location; l != nil {
		lat, lon = &l.Lat, &l.Lon
	}
	out := make([]float32, facts.Dim)
	facts.Encode(begin, end, lat, lon, out)
	return out
}

// centre is the mean of vectors, brought to length 1; nil if there is none. They are added in their
// order.
func centre(vectors [][]float32) []float32 {
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

// mediaGraph is mediaReader with the way from an artifact to its media.
type mediaGraph interface {
	mediaReader
	Node(graphstore.NodeID) (*graphstore.Node, error)
	EdgesOf(graphstore.NodeID, graphstore.Relation, func(graphstore.Edge) bool) error
}
