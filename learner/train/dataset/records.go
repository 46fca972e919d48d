package dataset

import (
	"kilim/graphstore"
	"kilim/graphstore/weave"
	"kilim/learner/encode/facts"
	"kilim/learner/encode/text"
	"kilim/learner/train"
)

// records encodes pieces as the daemon encodes records: text, facts, and the type of the node. It is the Set's
// train.Encoder.
type records struct {
	words  *text.Encoder
	idf    func(bucket uint32) float32
	width  int
	pieces []weave.Piece
	// textVectors are another encoder's vectors of whole texts, by node: of a part of a text there is none.
	textVectors map[int32][]float32
}

// add adds a piece and returns its number.
func (r *records) add(p weave.Piece) int32 {
	r.pieces = append(r.pieces, p)
	return int32(len(r.pieces) - 1)
}

// Encode writes the features of the parts of an artifact's record that are shown.
func (r *records) Encode(node int32, parts []train.Part, out []float32) {
	clear(out)
	var texts []text.Text
	var begin, end, lat, lon *float64
	for _, part := range parts {
		p := &r.pieces[part.Content]
		texts = append(texts, p.Texts...)
		if p.Begin != nil || p.End != nil {
			begin, end = p.Begin, p.End
		}
		if p.Lat != nil {
			lat, lon = p.Lat, p.Lon
		}
	}
	words, numbers, kind := r.split(out)
	if v, ok := r.textVectors[node]; ok {
		copy(words, v)
	} else if doc := r.words.AnalyzeTexts(texts); len(doc.Words) > 0 {
		r.words.Project(doc, r.idf, words)
	}
	facts.Encode(begin, end, lat, lon, numbers)
	kind[graphstore.Artifact] = 1
}

// entity returns the features of an entity's record.
func (r *records) entity(label string, t graphstore.Type) []float32 {
	out := make([]float32, r.width)
	words, _, kind := r.split(out)
	r.words.Label(label).Scatter(words)
	kind[t] = 1
	return out
}

// split returns the sections of a record's features.
func (r *records) split(out []float32) (words, numbers, kind []float32) {
	dim := r.words.Dim()
	return out[:dim], out[dim : dim+facts.Dim], out[dim+facts.Dim:]
}
