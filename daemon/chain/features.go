package chain

import "kilim/learner/feature"

// features are what an artifact has of each modality; nil: nothing, or nothing yet.
type features struct{ text, image, audio []float32 }

// encoded are the vectors that encoders have made of an artifact's media.
type encoded struct{ image, audio [][]float32 }

// featuresOf is a function of what an artifact says, of what its media look and sound like, and
// of the document frequencies. It may be called concurrently while nobody writes these.
func (e *Engine) featuresOf(w *woven, media encoded) features {
	f := features{image: centre(media.image), audio: centre(media.audio)}
	if len(w.doc.Words) > 0 {
		f.text = make([]float32, e.encoder.Dim())
		e.encoder.Project(w.doc, e.table.IDF, f.text)
	}
	return f
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
