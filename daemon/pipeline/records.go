package pipeline

import (
	"cmp"
	"slices"
	"strings"

	"kilim/consumer/profile"
	"kilim/graphstore"
	"kilim/learner/encode/facts"
	"kilim/learner/encode/text"
	"kilim/learner/model/infer"
	"kilim/learner/train"
)

// piece is what a view of a record in training shows or hides as a whole: a field's term, a sentence, a date.
type piece struct {
	texts                []text.Text
	edges                []graphstore.EdgeSpec
	begin, end, lat, lon *float64
	origin               bool // see train.Part
}

// origins are the fields that name where an artifact comes from.
var origins = []graphstore.Type{
	graphstore.Culture, graphstore.Period, graphstore.Dynasty, graphstore.Reign, graphstore.Style, graphstore.Place, graphstore.Creator,
}

// pieces are all of an artifact that its record's features and its edges to entities are made of.
func pieces(a *profile.Artifact) []piece {
	var out []piece
	saying := func(body, language string) []text.Text {
		if body == "" {
			return nil
		}
		return []text.Text{{Body: body, Language: cmp.Or(language, a.Language)}}
	}
	say := func(body, language string) {
		if t := saying(body, language); t != nil {
			out = append(out, piece{texts: t})
		}
	}
	say(a.Title, "")
	for _, s := range sentences(a.Description) {
		say(s, "")
	}
	for _, f := range termFields(a) {
		for _, t := range f.terms {
			out = append(out, piece{texts: saying(t.Text(), ""), edges: entityEdge(f.t, t.ID, t.Label), origin: slices.Contains(origins, f.t)})
		}
	}
	if d := a.Date; d != nil {
		p := piece{texts: saying(d.Text, ""), begin: d.Begin, end: d.End}
		for _, decade := range decades(d) {
			p.edges = append(p.edges, entityEdge(graphstore.Decade, "", decade)...)
		}
		out = append(out, p)
	}
	if l := a.Location; l != nil {
		out = append(out, piece{lat: &l.Lat, lon: &l.Lon})
	}
	for _, m := range a.Media {
		say(m.Text, m.Language)
	}
	return out
}

// sentences cuts where no word is cut.
func sentences(s string) []string {
	var out []string
	for s != "" {
		at := strings.Index(s, ". ")
		if at < 0 {
			return append(out, s)
		}
		out, s = append(out, s[:at+1]), s[at+2:]
	}
	return out
}

// records encodes pieces as the chain encodes records; it is train.Encoder.
type records struct {
	encoder *text.Encoder
	idf     func(uint32) float32
	cfg     infer.Config
	pieces  []piece
	// foreign are the vectors that another encoder made of whole texts, by node: they can't be made of a part.
	foreign map[int32][]float32
}

// add keeps a piece and returns its number.
func (r *records) add(p piece) int32 {
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
		texts = append(texts, p.texts...)
		if p.begin != nil || p.end != nil {
			begin, end = p.begin, p.end
		}
		if p.lat != nil {
			lat, lon = p.lat, p.lon
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
