package weave

import (
	"cmp"
	"slices"
	"strings"

	"kilim/consumer/profile"
	"kilim/graphstore"
)

// Text is something that can be read of an artifact; the language is empty where the record does
// not say it. It is an alias, so that Texts are those that the learner's text encoder takes without
// either package importing the other.
type Text = struct{ Body, Language string }

// Title is that of an artifact as a person reads it; its Body is empty when it has none.
func Title(a *profile.Artifact) Text { return Text{Body: Plain(a.Title), Language: a.Language} }

// Texts is everything that can be read of an artifact.
func Texts(a *profile.Artifact) []Text {
	var out []Text
	out = appendText(out, a, a.Title, "")
	out = appendText(out, a, a.Description, "")
	for _, f := range fields(a) {
		for _, t := range f.terms {
			out = appendText(out, a, t.Text(), "")
		}
	}
	if a.Date != nil {
		out = appendText(out, a, a.Date.Text, "")
	}
	for _, m := range a.Media {
		out = appendText(out, a, m.Text, m.Language)
	}
	return out
}

// Joined is an artifact's text as an encoder of whole texts reads it.
func Joined(a *profile.Artifact) string {
	var bodies []string
	for _, t := range Texts(a) {
		bodies = append(bodies, t.Body)
	}
	return strings.Join(bodies, "\n")
}

// appendText adds nothing when the body is empty. The text is in the artifact's language when it has none of its own. It is what
// a person reads: markup has no part in what an artifact is like.
func appendText(out []Text, a *profile.Artifact, body, language string) []Text {
	if body = Plain(body); body == "" {
		return out
	}
	return append(out, Text{Body: body, Language: cmp.Or(language, a.Language)})
}

// Piece is what a view of a record shows or hides as a whole: a title, a sentence, a field's
// term, a date, a location.
type Piece struct {
	Texts                []Text
	Edges                []graphstore.EdgeSpec // to entities only
	Begin, End, Lat, Lon *float64
	// Origin says that the piece names where the artifact comes from. A newcomer's record often lacks it.
	Origin bool
}

// origins are the fields that name where an artifact comes from.
var origins = []graphstore.Type{
	graphstore.Culture, graphstore.Period, graphstore.Dynasty, graphstore.Reign, graphstore.Style, graphstore.Place, graphstore.Creator,
}

// WithoutOrigins returns the artifact without the terms that name where it comes from.
func WithoutOrigins(a *profile.Artifact) *profile.Artifact {
	b := *a
	b.Culture, b.Period, b.Dynasty, b.Reign, b.Style, b.Place, b.Creator = nil, nil, nil, nil, nil, nil, nil
	return &b
}

// Pieces are all that an artifact's features and its edges to entities are made of.
func Pieces(a *profile.Artifact) []Piece {
	var out []Piece
	say := func(body, language string) {
		if t := appendText(nil, a, body, language); t != nil {
			out = append(out, Piece{Texts: t})
		}
	}
	say(a.Title, "")
	for _, s := range sentences(Plain(a.Description)) {
		say(s, "")
	}
	for _, f := range fields(a) {
		for _, t := range f.terms {
			out = append(out, Piece{Texts: appendText(nil, a, t.Text(), ""), Edges: entityEdge(f.entity, t.ID, t.Label), Origin: slices.Contains(origins, f.entity)})
		}
	}
	if d := a.Date; d != nil {
		p := Piece{Texts: appendText(nil, a, d.Text, ""), Begin: d.Begin, End: d.End}
		for _, decade := range decades(d) {
			p.Edges = append(p.Edges, entityEdge(graphstore.Decade, "", decade)...)
		}
		out = append(out, p)
	}
	if l := a.Location; l != nil {
		out = append(out, Piece{Lat: &l.Lat, Lon: &l.Lon})
	}
	for _, m := range a.Media {
		say(m.Text, m.Language)
	}
	return out
}

// sentences cuts between words only.
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
