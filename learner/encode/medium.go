package encode

import (
	"encoding/binary"
	"math"
	"strings"

	"kilim/consumer/profile"
	"kilim/graphstore"
	"kilim/graphstore/weave"
)

// Medium is something of an artifact that an encoder is asked about.
type Medium struct {
	Node graphstore.NodeID
	Kind string
	// Place is that among the record's media; an artifact's text has none.
	Place int
	URI   string // empty when the bytes are in the record
	// Content is zero when the bytes have to be fetched.
	Content graphstore.Content
	// Precomputed is the vector that came with the record.
	Precomputed []float32
}

// MediaOf lists what the encoders are asked about an artifact, its text first, then by place; edges
// are those of weave.Edges. Text among the media counts as the artifact's own text; text
// behind a URI is not read.
func (e Encoders) MediaOf(a *profile.Artifact, edges []graphstore.EdgeSpec) []Medium {
	var out []Medium
	if m, ok := e.textOf(a); ok {
		out = append(out, m)
	}
	place := -1
	for _, edge := range edges {
		if edge.Rel != graphstore.RelMedia {
			continue
		}
		place++
		item := &a.Media[place]
		enc := e.Of(item.Kind)
		if enc == nil || item.Kind == profile.Text {
			continue
		}
		m := Medium{Node: graphstore.ID(edge.Type, edge.Key), Kind: item.Kind, Place: place}
		switch {
		case madeBy(enc, item.Encoder, item.Embedding):
			m.Precomputed, m.Content = item.Embedding, contentOfVector(item.Embedding)
		case len(item.Data) > 0:
			m.Content = graphstore.ContentOf(item.Data)
		case strings.TrimSpace(item.URI) != "":
			m.URI = item.URI
		default:
			continue // nothing that this encoder could be asked about
		}
		out = append(out, m)
	}
	return out
}

// textOf is an artifact's text as a Medium, if it has one and an encoder for it.
func (e Encoders) textOf(a *profile.Artifact) (m Medium, ok bool) {
	if e.Text == nil {
		return m, false
	}
	m = Medium{Node: graphstore.ID(graphstore.Artifact, a.ID), Kind: profile.Text}
	for i := range a.Media {
		if item := &a.Media[i]; item.Kind == profile.Text && madeBy(e.Text, item.Encoder, item.Embedding) {
			m.Precomputed, m.Content = item.Embedding, contentOfVector(item.Embedding)
			return m, true
		}
	}
	text := weave.Joined(a)
	if text == "" {
		return m, false
	}
	m.Content = graphstore.ContentOf([]byte(text))
	return m, true
}

// contentOfVector names a vector that came without the bytes that it was made of.
func contentOfVector(v []float32) graphstore.Content {
	b := make([]byte, 0, 16+4*len(v))
	b = append(b, "vector\x00"...)
	for _, x := range v {
		b = binary.BigEndian.AppendUint32(b, math.Float32bits(x))
	}
	return graphstore.ContentOf(b)
}
