package vocabulary

import (
	"sync"

	"kilim/learner/encode"
	"kilim/learner/encode/text"
	"kilim/learner/model/infer"
	"kilim/learner/tensor/sparse"
)

// Vocabulary makes features of what an artifact says, by the document frequencies of the archive.
type Vocabulary struct {
	Analyzer *text.Encoder
	// Table has the document frequencies. The one unit at work writes it, queries read it meanwhile: see Reading.
	Table *text.Table
	lock  sync.RWMutex
	// foreign is true when texts have an encoder of their own, whose vectors are the features.
	foreign bool
}

// New makes the vocabulary of an empty archive. foreign: texts have an encoder of their own.
func New(cfg text.Config, foreign bool) (*Vocabulary, error) {
	analyzer, err := text.NewEncoder(cfg)
	if err != nil {
		return nil, err
	}
	return &Vocabulary{Analyzer: analyzer, Table: text.NewTable(), foreign: foreign}, nil
}

// Reading is held by who reads Table beside a unit.
func (v *Vocabulary) Reading() sync.Locker { return v.lock.RLocker() }

// Count counts the words of an artifact that arrives (sign 1) or departs (sign -1). delta collects the same.
func (v *Vocabulary) Count(x *Extracted, sign int32, delta map[uint32]int32) {
	v.lock.Lock()
	defer v.lock.Unlock()
	v.Table.Add(x.Doc, int(sign))
	x.Doc.Delta(delta, sign)
}

// Features is a function of what an artifact says, of what its media look and sound like, and
// of the document frequencies. It may be called concurrently.
func (v *Vocabulary) Features(x *Extracted, media encode.Vectors) infer.Features {
	v.lock.RLock()
	defer v.lock.RUnlock()
	f := infer.Features{Facts: x.Facts, Image: encode.MeanDirection(media.Image), Audio: encode.MeanDirection(media.Audio)}
	if v.foreign {
		f.Text = sparse.Of(media.Text)
	} else if len(x.Doc.Words) > 0 {
		text := make([]float32, v.Analyzer.Dim())
		v.Analyzer.Project(x.Doc, v.Table.IDF, text)
		f.Text = sparse.Of(text)
	}
	return f
}
