package browse

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"kilim/consumer/profile"
	"kilim/graphstore"
	"kilim/graphstore/weave"
	"kilim/rerank"
)

// View is an artifact's page.
type View struct {
	Card        Card    `json:"card"`
	Description *Text   `json:"description,omitempty"`
	Texts       []Text  `json:"texts"`
	Fields      []Field `json:"fields"`
	Media       []Media `json:"media"`
	Links       []Link  `json:"links"`
	Lists       []List  `json:"lists"`
}

// Text is a text with its language, a BCP 47 tag or nothing.
type Text struct {
	Body     string `json:"body"`
	Language string `json:"language,omitempty"`
}

// Field is what the record says under one name.
type Field struct {
	Name  string `json:"name"`
	Terms []Term `json:"terms"`
}

// Term is one of a Field's.
type Term struct {
	Label string `json:"label"`
	// Artifacts is the number of artifacts that have it too, 0 where that is not counted.
	Artifacts uint32 `json:"artifacts,omitempty"`
}

// Media is a picture or recording of the record, by its place among its media.
type Media struct {
	Place int    `json:"place"`
	Kind  string `json:"kind"`
}

// Link leads to another artifact, which need not be stored: then it has no card.
type Link struct {
	Type   string `json:"type"`
	Target string `json:"target"`
	Card   *Card  `json:"card,omitempty"`
}

// List is one of an artifact's lists.
type List struct {
	Name string `json:"name"`
	// Weights are those by which the parts of its entries add up to their scores; a list whose score is no such sum has none.
	Weights *rerank.Parts `json:"weights,omitempty"`
	Items   []Item        `json:"items"`
}

// Item is an entry of a List with what it is; an artifact that can't be read has no card.
type Item struct {
	rerank.Entry
	Card *Card `json:"card,omitempty"`
}

const (
	textRunes = 100_000
	mostTexts = 20
	mostTerms = 64 // of a field
	mostMedia = 64
	mostLinks = 64
)

// Weights are those of the parts of a named list, nil for one whose score is no sum of them.
func Weights(list string) *rerank.Parts {
	switch list {
	case rerank.ListTotal:
		w := rerank.DefaultScoreWeights()
		return &rerank.Parts{Cosine: w.Cosine, Entities: w.Entities, Words: w.Words, Date: w.Date, Link: w.Link}
	case rerank.ListGeneral:
		return &rerank.Parts{Cosine: 1}
	}
	return nil
}

// View is the page of a stored artifact with the lists that it has; the error is an ErrNotFound for another.
func (s *Shelf) View(id string, lists []rerank.List) (*View, error) {
	var v *View
	err := s.archive.View(func(r *graphstore.Reader) (err error) {
		_, a, err := weave.Read(r, id)
		if errors.Is(err, weave.ErrNoDocument) {
			return fmt.Errorf("%w: artifact %q", ErrNotFound, id)
		}
		if err != nil {
			return fmt.Errorf("browse: %w", err)
		}
		v = viewOf(a)
		v.Fields, err = fieldsOf(r, a)
		return err
	})
	if err != nil {
		return nil, err
	}
	return v, s.fill(v, lists)
}

func viewOf(a *profile.Artifact) *View {
	v := &View{Card: CardOf(a), Texts: []Text{}, Media: []Media{}, Links: []Link{}, Lists: []List{}}
	if body := Readable(weave.Plain(a.Description), textRunes); body != "" {
		v.Description = &Text{body, tag(a.Language)}
	}
	for place := range a.Media {
		m := &a.Media[place]
		if m.Kind == profile.Text {
			if body := Readable(weave.Plain(m.Text), textRunes); body != "" && len(v.Texts) < mostTexts {
				language := m.Language
				if language == "" {
					language = a.Language
				}
				v.Texts = append(v.Texts, Text{body, tag(language)})
			}
			continue
		}
		if (len(m.Data) > 0 || m.URI != "") && len(v.Media) < mostMedia {
			v.Media = append(v.Media, Media{place, m.Kind})
		}
	}
	for _, l := range a.Link[:min(len(a.Link), mostLinks)] {
		v.Links = append(v.Links, Link{Type: Readable(l.Type, termRunes), Target: l.Target})
	}
	return v
}

// fieldsOf are the terms of an artifact by the types of their entities, in the record's order, with the date and the labels of themes behind.
func fieldsOf(r *graphstore.Reader, a *profile.Artifact) ([]Field, error) {
	fields := []Field{}
	at := map[string]int{}
	add := func(name string, t Term) {
		i, ok := at[name]
		if !ok {
			i = len(fields)
			at[name] = i
			fields = append(fields, Field{Name: name})
		}
		if len(fields[i].Terms) < mostTerms && t.Label != "" {
			fields[i].Terms = append(fields[i].Terms, t)
		}
	}
	for _, edge := range weave.Edges(a) {
		if !edge.Type.IsEntity() || edge.Type == graphstore.Decade {
			continue
		}
		n, err := r.Node(graphstore.ID(edge.Type, edge.Key))
		if err != nil {
			return nil, fmt.Errorf("browse: %w", err)
		}
		t := Term{Label: Readable(edge.Label, titleRunes)}
		if n != nil {
			t.Artifacts = n.Members
		}
		add(edge.Type.String(), t)
	}
	if a.Date != nil {
		add("date", Term{Label: Readable(dated(a.Date), titleRunes)})
	}
	for _, theme := range slices.Sorted(maps.Keys(a.Theme)) {
		for _, label := range a.Theme[theme] {
			add("theme: "+Readable(theme, termRunes), Term{Label: Readable(label, titleRunes)})
		}
	}
	return slices.DeleteFunc(fields, func(f Field) bool { return len(f.Terms) == 0 }), nil
}

// dated is a date as the record writes it, else by its years.
func dated(d *profile.Date) string {
	if d.Text != "" {
		return d.Text
	}
	var years []string
	for _, y := range []*float64{d.Begin, d.End} {
		if y != nil {
			years = append(years, fmt.Sprintf("%.0f", *y))
		}
	}
	return strings.Join(slices.Compact(years), " to ")
}

// fill puts cards to the ids of a view.
func (s *Shelf) fill(v *View, lists []rerank.List) error {
	var ids []string
	for i := range v.Links {
		ids = append(ids, v.Links[i].Target)
	}
	rerank.Lists(lists).Members(func(id string) { ids = append(ids, id) })
	cards, err := s.Cards(ids)
	if err != nil {
		return err
	}
	card := func(id string) *Card {
		if c, ok := cards[id]; ok {
			return &c
		}
		return nil
	}
	for i := range v.Links {
		v.Links[i].Card = card(v.Links[i].Target)
	}
	for i := range lists {
		out := List{Name: lists[i].Name, Weights: Weights(lists[i].Name), Items: []Item{}}
		for _, e := range lists[i].Entries {
			out.Items = append(out.Items, Item{e, card(e.ID)})
		}
		v.Lists = append(v.Lists, out)
	}
	return nil
}
