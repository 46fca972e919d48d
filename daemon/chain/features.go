package chain

import (
	"kilim/consumer/profile"
	"kilim/learner/facts"
	"kilim/learner/feature"
	"kilim/learner/serve"
)

// encoded are the vectors that encoders have made of an artifact's media.
type encoded struct{ image, audio [][]float32 }

// featuresOf is a function of what an artifact says, of what its media look and sound like, and
// of the document frequencies. It may be called concurrently while nobody writes these.
func (e *Engine) featuresOf(w *woven, media encoded) serve.Features {
	f := serve.Features{Facts: w.facts, Image: centre(media.image), Audio: centre(media.audio)}
	if len(w.doc.Words) > 0 {
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
// order, which is that of the artifact's media: the same media give the same bits.
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
