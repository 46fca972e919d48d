package pipeline

import (
	"sync"

	"kilim/consumer/profile"
	"kilim/learner/encode"
	"kilim/learner/encode/text"
	"kilim/learner/model/infer"
	"kilim/learner/tensor/sparse"
)

// vocabulary makes features of what an artifact says, by the document frequencies of the archive.
type vocabulary struct {
	analyzer *text.Encoder
	// foreign is true when texts have an encoder of their own, whose vectors are the features.
	foreign bool
	// table is written by units and read by queries.
	lock  sync.RWMutex
	table *text.Table
}

func newVocabulary(cfg text.Config, foreign bool) (*vocabulary, error) {
	analyzer, err := text.NewEncoder(cfg)
	if err != nil {
		return nil, err
	}
	return &vocabulary{analyzer: analyzer, foreign: foreign, table: text.NewTable()}, nil
}

func (v *vocabulary) extract(a *profile.Artifact) *extracted { return extract(v.analyzer, a) }

// count counts the words of an artifact that arrives (sign 1) or departs (sign -1). delta collects the same.
func (v *vocabulary) count(x *extracted, sign int32, delta map[uint32]int32) {
	v.lock.Lock()
	defer v.lock.Unlock()
	v.table.Add(x.doc, int(sign))
	x.doc.Delta(delta, sign)
}

// features is a function of what an artifact says, of what its media look and sound like, and
// of the document frequencies. It may be called concurrently while nobody writes these.
func (v *vocabulary) features(x *extracted, media encode.Vectors) infer.Features {
	f := infer.Features{Facts: x.facts, Image: encode.MeanDirection(media.Image), Audio: encode.MeanDirection(media.Audio)}
	if v.foreign {
		f.Text = sparse.Of(media.Text)
	} else if len(x.doc.Words) > 0 {
		text := make([]float32, v.analyzer.Dim())
		v.analyzer.Project(x.doc, v.table.IDF, text)
		f.Text = sparse.Of(text)
	}
	return f
}
