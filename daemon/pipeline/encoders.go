package pipeline

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"kilim/consumer/profile"
	"kilim/graphstore"
	"kilim/graphstore/weave"
	"kilim/learner/encode"
	"kilim/learner/encode/feature"
)

// Encoders make the vectors of pictures and recordings, and those of texts in place of the
// built-in projection. nil: nothing does.
type Encoders struct{ Text, Image, Audio feature.Encoder }

func (e Encoders) of(kind string) feature.Encoder {
	switch kind {
	case profile.Text:
		return e.Text
	case profile.Image:
		return e.Image
	case profile.Audio:
		return e.Audio
	}
	return nil
}

// kinds are those that have an encoder.
func (e Encoders) kinds() []string {
	var out []string
	for _, k := range []string{profile.Text, profile.Image, profile.Audio} {
		if e.of(k) != nil {
			out = append(out, k)
		}
	}
	return out
}

// Identities are those of the encoders that there are, by modality.
func (e Encoders) Identities() map[string]feature.Identity {
	ids := map[string]feature.Identity{}
	for _, kind := range e.kinds() {
		ids[kind] = e.of(kind).Identity()
	}
	return ids
}

// target is the identity of the configured encoder, "" if there is none.
func (e *Engine) target(kind string) string {
	enc := e.cfg.Encoders.of(kind)
	if enc == nil {
		return ""
	}
	return enc.Identity().String()
}

// encodersKey is the row with the identities of the encoders whose vectors are in the artifacts' features.
const encodersKey = "chain/encoders"

// adoptEncoders writes whose vectors a new state is made of. They are a part of its identity: vectors of two encoders are never
// mixed.
func (e *Engine) adoptEncoders(tx *graphstore.Tx) error {
	ids := e.cfg.Encoders.Identities()
	for _, id := range ids {
		// A record with a vector of this encoder and another length is refused.
		if _, known := tx.EncoderDim(id.Name); !known {
			if err := tx.SetEncoderDim(id.Name, id.Dim); err != nil {
				return fmt.Errorf("pipeline: %w", err)
			}
		}
	}
	b, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	return tx.PutMeta(encodersKey, b)
}

// Encoders are those that make the vectors of this state.
func (e *Engine) Encoders() Encoders { return e.cfg.Encoders }

// EncodersOf are the identities of the encoders that a state was made with, by modality. The built-in encoder of texts is
// not among them.
func EncodersOf(store *graphstore.Store) (ids map[string]feature.Identity, err error) {
	err = store.View(func(r *graphstore.Reader) error {
		b, err := r.Meta(encodersKey)
		if err != nil || b == nil {
			return err
		}
		return json.Unmarshal(b, &ids)
	})
	if err != nil {
		return nil, fmt.Errorf("pipeline: read the encoders' identities: %w", err)
	}
	return ids, nil
}

// medium is something of an artifact that an encoder is asked about.
type medium struct {
	node graphstore.NodeID
	kind string
	// ordinal is the place among the record's media; an artifact's text has none.
	ordinal int
	uri     string // empty when the bytes are in the record
	// content is zero when the bytes have to be fetched.
	content graphstore.Content
	// given is the vector that came with the record.
	given []float32
}

// media lists what encoders are asked about an artifact, in its order. Text among the media counts as
// the artifact's own text; text behind a URI is not read.
func (e *Engine) media(a *profile.Artifact, edges []graphstore.EdgeSpec) []medium {
	var out []medium
	if enc := e.cfg.Encoders.Text; enc != nil {
		m := medium{node: graphstore.ID(graphstore.Artifact, a.ID), kind: profile.Text}
		for i := range a.Media {
			if a.Media[i].Kind == profile.Text && encode.Made(enc, a.Media[i].Encoder, a.Media[i].Embedding) {
				m.given = a.Media[i].Embedding
				break
			}
		}
		if text := weave.Joined(a); m.given != nil {
			m.content = contentOfVector(m.given)
			out = append(out, m)
		} else if text != "" {
			m.content = graphstore.ContentOf([]byte(text))
			out = append(out, m)
		}
	}
	i := -1
	for _, edge := range edges {
		if edge.Rel != graphstore.RelMedia {
			continue
		}
		i++
		item := &a.Media[i]
		enc := e.cfg.Encoders.of(item.Kind)
		if enc == nil || item.Kind == profile.Text {
			continue
		}
		m := medium{node: graphstore.ID(edge.Type, edge.Key), kind: item.Kind, ordinal: i}
		switch {
		case encode.Made(enc, item.Encoder, item.Embedding):
			m.given = item.Embedding
			m.content = contentOfVector(m.given)
		case len(item.Data) > 0:
			m.content = graphstore.ContentOf(item.Data)
		case strings.TrimSpace(item.URI) != "":
			m.uri = item.URI
		default:
			continue // nothing that this encoder could be asked about
		}
		out = append(out, m)
	}
	return out
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
