package pipeline

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"kilim/consumer/profile"
	"kilim/graphstore"
	"kilim/learner/encode/text"
	"kilim/rerank"
)

// woven is what the chain makes of an artifact before it touches the graph.
type woven struct {
	doc      *text.Doc
	edges    []graphstore.EdgeSpec
	evidence *rerank.Evidence
	facts    []float32
}

// weave is a pure function of the artifact. Theme labels are training targets:
// they become neither words nor edges.
func weave(enc *text.Encoder, a *profile.Artifact) *woven {
	w := &woven{doc: enc.AnalyzeTexts(texts(a)), edges: edges(a), facts: factsOf(a)}
	ev := &rerank.Evidence{ID: a.ID, Node: uint64(graphstore.ID(graphstore.Artifact, a.ID)), Begin: math.NaN(), End: math.NaN()}
	for _, e := range w.edges {
		id := uint64(graphstore.ID(e.Type, e.Key))
		switch e.Rel {
		case graphstore.RelMedia:
		case graphstore.RelLink:
			ev.Links = append(ev.Links, id)
		default:
			ev.Entities = append(ev.Entities, id)
		}
	}
	slices.Sort(ev.Links)
	ev.Links = slices.Compact(ev.Links)
	slices.Sort(ev.Entities)
	ev.Entities = slices.Compact(ev.Entities)
	for _, t := range w.doc.Words {
		ev.Words = append(ev.Words, rerank.Word{Bucket: t.Bucket, Count: t.Count})
	}
	if d := a.Date; d != nil {
		if d.Begin != nil {
			ev.Begin = *d.Begin
		}
		if d.End != nil {
			ev.End = *d.End
		}
	}
	w.evidence = ev
	return w
}

// termFields pairs the catalogue's fields with the types of their entities.
func termFields(a *profile.Artifact) []struct {
	t     graphstore.Type
	terms []profile.Term
} {
	return []struct {
		t     graphstore.Type
		terms []profile.Term
	}{
		{graphstore.Culture, a.Culture}, {graphstore.Period, a.Period}, {graphstore.Dynasty, a.Dynasty},
		{graphstore.Reign, a.Reign}, {graphstore.Style, a.Style}, {graphstore.Creator, a.Creator},
		{graphstore.Place, a.Place}, {graphstore.Material, a.Material}, {graphstore.Technique, a.Technique},
		{graphstore.Kind, a.Type}, {graphstore.Subject, a.Subject}, {graphstore.Collection, a.Collection},
	}
}

// texts is everything a reader could read of an artifact.
func texts(a *profile.Artifact) []text.Text {
	var out []text.Text
	add := func(body, language string) {
		if body != "" {
			out = append(out, text.Text{Body: body, Language: cmp.Or(language, a.Language)})
		}
	}
	add(a.Title, "")
	add(a.Description, "")
	for _, f := range termFields(a) {
		for _, t := range f.terms {
			add(t.Text(), "")
		}
	}
	if a.Date != nil {
		add(a.Date.Text, "")
	}
	for _, m := range a.Media {
		add(m.Text, m.Language)
	}
	return out
}

// entityEdge leads to the entity of a term; a term that says nothing has none.
func entityEdge(t graphstore.Type, uri, label string) []graphstore.EdgeSpec {
	key := uri
	if key == "" {
		key = graphstore.NormalizeLabel(label)
	}
	if label == "" {
		label = uri
	}
	if key == "" {
		return nil
	}
	return []graphstore.EdgeSpec{{Type: t, Rel: graphstore.Relation(t), Key: key, Label: label}}
}

func edges(a *profile.Artifact) []graphstore.EdgeSpec {
	var out []graphstore.EdgeSpec
	for _, f := range termFields(a) {
		for _, t := range f.terms {
			out = append(out, entityEdge(f.t, t.ID, t.Label)...)
		}
	}
	for _, d := range decades(a.Date) {
		out = append(out, entityEdge(graphstore.Decade, "", d)...)
	}
	for i, m := range a.Media {
		out = append(out, graphstore.EdgeSpec{Type: mediaType(m.Kind), Rel: graphstore.RelMedia, Key: a.ID + "\x00" + strconv.Itoa(i), Label: m.URI})
	}
	for _, l := range a.Link {
		out = append(out, graphstore.EdgeSpec{Type: graphstore.Artifact, Rel: graphstore.RelLink, Key: l.Target, LinkType: l.Type})
	}
	return out
}

func mediaType(kind string) graphstore.Type {
	switch kind {
	case "image":
		return graphstore.Image
	case "audio":
		return graphstore.Audio
	default:
		return graphstore.Text
	}
}

// decades are those of the first and the last year: an object dated by
// centuries shares entities with its neighbours in time without being joined
// to every decade between.
func decades(d *profile.Date) []string {
	if d == nil {
		return nil
	}
	var out []string
	for _, y := range []*float64{d.Begin, d.End} {
		if y == nil {
			continue
		}
		label := fmt.Sprintf("%ds", int64(math.Floor(*y/10))*10)
		if !slices.Contains(out, label) {
			out = append(out, label)
		}
	}
	return out
}

// rarest orders entities by how few artifacts share them, then by id.
func rarest(nodes []*graphstore.Node) {
	slices.SortFunc(nodes, func(a, b *graphstore.Node) int {
		return cmp.Or(cmp.Compare(a.Members, b.Members), cmp.Compare(a.ID, b.ID))
	})
}

// labeler is the text encoder as refresh.Labeler: plain weights, so that a label's
// features never drift.
type labeler struct{ enc *text.Encoder }

func (l labeler) Dim() int { return l.enc.Dim() }

func (l labeler) Label(label string, out []float32) {
	l.enc.ProjectPlain(l.enc.Analyze(strings.TrimSpace(label)), out)
}
