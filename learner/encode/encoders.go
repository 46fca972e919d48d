package encode

import (
	"encoding/json"
	"fmt"

	"kilim/consumer/profile"
	"kilim/learner/encode/feature"
	"kilim/learner/encode/text"
)

// Encoders make the vectors of pictures and recordings, and those of texts in place of the
// built-in projection. Where one is nil, nothing does.
type Encoders struct {
	Text, Image, Audio feature.Encoder
	// Spellings are a user's own, nil if there are none. The words of all artifacts are read by them, whoever makes the vectors of texts.
	Spellings *text.Spellings
	// Reach is asked of each URI before it waits to be fetched; nil lets all wait. It is no part of a state's identity.
	Reach Reach
}

// Reach tells what can't be had before anybody tries. A Pass refuses it in the unit of its record: were it a question like others,
// an archive whose pictures are all on a host that is not configured would pay for each with a second unit that changes no features.
type Reach interface {
	// Refuses returns why what is at the URI of a medium of a kind is never fetched, nil if that is not known.
	Refuses(kind, uri string) *feature.Refusal
}

// Of is a modality's encoder, nil if there is none.
func (e Encoders) Of(kind string) feature.Encoder {
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

// Kinds are the modalities that have an encoder.
func (e Encoders) Kinds() []string {
	var out []string
	for _, k := range []string{profile.Text, profile.Image, profile.Audio} {
		if e.Of(k) != nil {
			out = append(out, k)
		}
	}
	return out
}

// Identity names a modality's encoder as rows and vectors do, "" if there is none.
func (e Encoders) Identity(kind string) string {
	enc := e.Of(kind)
	if enc == nil {
		return ""
	}
	return enc.Identity().String()
}

// Identities are those of the encoders that there are, by modality, and of the Spellings.
func (e Encoders) Identities() map[string]feature.Identity {
	ids := map[string]feature.Identity{}
	for _, kind := range e.Kinds() {
		ids[kind] = e.Of(kind).Identity()
	}
	if e.Spellings != nil {
		ids[feature.Spellings] = feature.Identity{Name: e.Spellings.Hash(), Version: text.SpellingsVersion}
	}
	return ids
}

// recordKey is the row with the identities of the encoders whose vectors are in the artifacts' features.
const recordKey = "chain/encoders"

// Settings is where a state notes what it is made with.
type Settings interface {
	EncoderDim(name string) (dim int, known bool)
	SetEncoderDim(name string, dim int) error
	PutMeta(key string, value []byte) error
}

// Record notes in a new state whose vectors it is made of. They are a part of its identity: vectors
// of two encoders are never mixed.
func (e Encoders) Record(s Settings) error {
	for _, kind := range e.Kinds() {
		id := e.Of(kind).Identity()
		// A record with a vector of this encoder and another length is refused.
		if _, known := s.EncoderDim(id.Name); !known {
			if err := s.SetEncoderDim(id.Name, id.Dim); err != nil {
				return fmt.Errorf("encode: note the length of vectors by %q: %w", id.Name, err)
			}
		}
	}
	b, err := json.Marshal(e.Identities())
	if err != nil {
		return fmt.Errorf("encode: write the encoders' identities: %w", err)
	}
	if err := s.PutMeta(recordKey, b); err != nil {
		return fmt.Errorf("encode: note the encoders' identities: %w", err)
	}
	return nil
}

// Notes is where Recorded reads what Record has noted.
type Notes interface {
	Meta(key string) ([]byte, error)
}

// Recorded are the identities of the encoders that a state is made with, by modality; nil for a new
// state. The built-in projection of texts is not among them.
func Recorded(from Notes) (ids map[string]feature.Identity, err error) {
	b, err := from.Meta(recordKey)
	if err == nil && b != nil {
		err = json.Unmarshal(b, &ids)
	}
	if err != nil {
		return nil, fmt.Errorf("encode: read the encoders' identities: %w", err)
	}
	return ids, nil
}
