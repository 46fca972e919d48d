package weave

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"kilim/consumer/profile"
	"kilim/graphstore"
)

// field is a field of the catalogue whose terms are entities of one type.
type field struct {
	entity graphstore.Type
	terms  []profile.Term
}

// fields pairs the catalogue's fields with the types of their entities.
func fields(a *profile.Artifact) []field {
	return []field{
		{graphstore.Culture, a.Culture}, {graphstore.Period, a.Period}, {graphstore.Dynasty, a.Dynasty},
		{graphstore.Reign, a.Reign}, {graphstore.Style, a.Style}, {graphstore.Creator, a.Creator},
		{graphstore.Place, a.Place}, {graphstore.Material, a.Material}, {graphstore.Technique, a.Technique},
		{graphstore.Kind, a.Type}, {graphstore.Subject, a.Subject}, {graphstore.Collection, a.Collection},
	}
}

// Edges are those that an artifact asks for, to entities, media and linked artifacts, in the order of
// its record. Two fields may ask for the same edge.
func Edges(a *profile.Artifact) []graphstore.EdgeSpec {
	var out []graphstore.EdgeSpec
	for _, f := range fields(a) {
		for _, t := range f.terms {
			out = append(out, entityEdge(f.entity, t.ID, t.Label)...)
		}
	}
	for _, d := range decades(a.Date) {
		out = append(out, entityEdge(graphstore.Decade, "", d)...)
	}
	for i, m := range a.Media {
		out = append(out, graphstore.EdgeSpec{Type: mediaType(m.Kind), Rel: graphstore.RelMedia, Key: mediaKey(a.ID, i), Label: m.URI})
	}
	for _, l := range a.Link {
		out = append(out, graphstore.EdgeSpec{Type: graphstore.Artifact, Rel: graphstore.RelLink, Key: l.Target, LinkType: l.Type})
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

func mediaType(kind string) graphstore.Type {
	switch kind {
	case profile.Image:
		return graphstore.Image
	case profile.Audio:
		return graphstore.Audio
	default:
		return graphstore.Text
	}
}

// A media node has no identity of its own: its key is its artifact's id and its place among
// the record's media.
func mediaKey(artifact string, place int) string { return artifact + "\x00" + strconv.Itoa(place) }

// Owner is the id of the artifact that a media node belongs to; an artifact's node belongs to
// that artifact.
func Owner(n *graphstore.Node) string {
	id, _, _ := strings.Cut(n.Key, "\x00")
	return id
}

// Place is that of a media node among the media of its artifact's record, from 0.
func Place(n *graphstore.Node) (int, error) {
	_, place, _ := strings.Cut(n.Key, "\x00")
	i, err := strconv.Atoi(place)
	if err != nil {
		return 0, fmt.Errorf("weave: media node %q: no place among its artifact's media: %w", n.Key, err)
	}
	return i, nil
}
