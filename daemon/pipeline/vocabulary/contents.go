package vocabulary

import (
	"kilim/graphstore"
	"kilim/learner/encode"
	"kilim/learner/model/infer"
	"kilim/learner/refresh"
	"kilim/learner/train/dataset"
)

// Contents are what an artifact holds, with the model's features of each: what Features makes one vector of, one by one.
func Contents(media encode.Vectors) []refresh.Content {
	out := make([]refresh.Content, len(media.Contents))
	for i, c := range media.Contents {
		out[i] = refresh.Content{Held: c.Held, Features: infer.Features{Image: c.Vector}}
		if c.Type == graphstore.Recording {
			out[i].Features = infer.Features{Audio: c.Vector}
		}
	}
	return out
}

// Archive is what a dataset reads of a committed state.
type Archive struct {
	*graphstore.Reader
	Encoders *encode.Encoders
}

// Vectors implements dataset.Reader.
func (a Archive) Vectors(artifact graphstore.NodeID) (dataset.Vectors, error) {
	media, err := a.Encoders.Vectors(a.Reader, artifact)
	out := dataset.Vectors{Text: media.Text, Image: encode.MeanDirection(media.Image), Audio: encode.MeanDirection(media.Audio)}
	for _, c := range media.Contents {
		out.Contents = append(out.Contents, dataset.Content(c))
	}
	return out, err
}
