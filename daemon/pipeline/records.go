package pipeline

import (
	"kilim/graphstore"
	"kilim/graphstore/weave"
	"kilim/learner/encode/facts"
	"kilim/learner/encode/text"
	"kilim/learner/model/infer"
	"kilim/learner/train"
)

// records encodes pieces as the chain encodes records; it is train.Encoder.
type records struct {
	encoder *text.Encoder
	idf     func(uint32) float32
	cfg     infer.Config
	pieces  []weave.Piece
	// foreign are the vectors that another encoder made of whole texts, by node: they can't be made of a part.
	foreign map[int32][]float32
}

// add keeps a piece and returns its number.
func (r *records) add(p weave.Piece) int32 {
	r.pieces = append(r.pieces, p)
	return int32(len(r.pieces) - 1)
}

// width is the number of features of a record.
func (r *records) width() int { return r.cfg.Text + r.cfg.Facts + r.cfg.Types }

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
	if v, ok := r.foreign[node]; ok {
		copy(out, v)
	} else if doc := r.encoder.AnalyzeTexts(texts); len(doc.Words) > 0 {
		r.encoder.Project(doc, r.idf, out[:r.cfg.Text])
	}
	facts.Encode(begin, end, lat, lon, out[r.cfg.Text:r.cfg.Text+r.cfg.Facts])
	out[r.cfg.Text+r.cfg.Facts+int(graphstore.Artifact)] = 1
}

// node is the record of an entity.
func (r *records) node(label string, t graphstore.Type) []float32 {
	out := make([]float32, r.width())
	labeler{r.encoder}.Label(label, out[:r.cfg.Text])
	out[r.cfg.Text+r.cfg.Facts+int(t)] = 1
	return out
}
