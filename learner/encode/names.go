package encode

import (
	"errors"
	"fmt"

	"kilim/consumer/profile"
)

// MostNames is how many encoders' names a state takes from records. They are kept for ever and copied at each commit that has a
// new one, and a record may name any: few archives have vectors of more than a few encoders.
const MostNames = 64

// Names are the lengths of vectors by their encoders' names, as a state keeps them.
type Names interface {
	EncoderDim(name string) (dim int, known bool)
	EncoderDims() map[string]int
	SetEncoderDim(name string, dim int) error
}

// AdmitNames refuses an artifact with a vector of another length than its encoder's vectors have, or with one more name than
// MostNames. Else it notes the names that are new: the first vector of a name says how long its vectors are. That
// does not hold for the encoders in e: nobody else says how long theirs are, whatever the state has noted before they were configured.
func (e Encoders) AdmitNames(a *profile.Artifact, s Names) (*profile.Refusal, error) {
	dim := func(name string) (int, bool) {
		for _, kind := range e.Kinds() {
			id := e.Of(kind).Identity()
			if name == id.Name || name == id.String() {
				return id.Dim, true
			}
		}
		return s.EncoderDim(name)
	}
	if err := a.CheckEmbeddings(dim); err != nil {
		var refusal *profile.Refusal
		if errors.As(err, &refusal) {
			return refusal, nil
		}
		return nil, fmt.Errorf("encode: lengths of vectors: %w", err)
	}
	fresh := map[string]int{}
	for i := range a.Media {
		m := &a.Media[i]
		if _, known := dim(m.Encoder); !known && len(m.Embedding) > 0 {
			fresh[m.Encoder] = len(m.Embedding)
		}
	}
	if len(fresh) == 0 {
		return nil, nil
	}
	if known := len(s.EncoderDims()); known+len(fresh) > MostNames {
		return profile.Refuse(profile.ReasonTooMany, "media", "", "vectors of %d encoders that are not known yet: this state knows %d, and takes %d at most",
			len(fresh), known, MostNames), nil
	}
	for name, dim := range fresh {
		if err := s.SetEncoderDim(name, dim); err != nil {
			return nil, fmt.Errorf("encode: note the length of vectors by %q: %w", name, err)
		}
	}
	return nil, nil
}
