package browse

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
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
	// Holders is the number of artifacts that have it in total or general.
	Holders int `json:"holders"`
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
	// URI is where it is on the web, to be read, missing for one that is elsewhere.
	URI string `json:"uri,omitempty"`
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
	// Learned is how many judged artifacts its order was learned from, 0: it is in the stated order.
	Learned int    `json:"learned,omitempty"`
	Items   []Item `json:"items"`
}

// Item is an entry of a List with what it is; an artifact that can't be read has no card.
type Item struct {
	ID    string  `json:"id"`
	Score float64 `json:"score"`
	// Parts add up to Score.
	Parts map[string]float64 `json:"parts"`
	// Shared are terms of a theme that both are likely to have.
	Shared []string `json:"shared,omitempty"`
	// Holders is the number of artifacts that have it in total or general, as far as that is known.
	Holders int   `json:"holders,omitempty"`
	Card    *Card `json:"card,omitempty"`
}

const (
	textRunes = 100_000
	uriRunes  = 500
	mostTexts = 20
	mostTerms = 64 // of a field
	mostMedia = 64
	mostLinks = 64
)

// Weights are those of the parts of a named list when total is scored by w, nil for one whose score is no sum of them.
func Weights(w rerank.ScoreWeights, list string) *rerank.Parts {
	switch list {
	case rerank.ListTotal:
		return &rerank.Parts{Cosine: w.Cosine, Entities: w.Entities, Words: w.Words, Date: w.Date, Link: w.Link}
	case rerank.ListGeneral:
		return &rerank.Parts{Cosine: 1}
	}
	return nil
}

// ListOf is a list, total or general, with what the parts add to each score when total is scored by weights.
func ListOf(weights rerank.ScoreWeights, list rerank.List) List {
	out := List{Name: list.Name, Items: []Item{}}
	w := Weights(weights, list.Name)
	for _, e := range list.Entries {
		item := Item{ID: e.ID, Score: float64(e.Score), Parts: map[string]float64{}}
		for _, p := range []struct {
			name          string
			weight, value float32
		}{
			{"cosine", w.Cosine, e.Parts.Cosine}, {"entities", w.Entities, e.Parts.Entities}, {"words", w.Words, e.Parts.Words},
			{"date", w.Date, e.Parts.Date}, {"link", w.Link, e.Parts.Link},
		} {
			if part := p.weight * p.value; part != 0 {
				item.Parts[p.name] = float64(part)
			}
		}
		out.Items = append(out.Items, item)
	}
	return out
}

// View is the page of a stored artifact with the lists that it has; the error is an ErrNotFound for another.
func (s *Shelf) View(id string, lists ...List) (*View, error) {
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
	v.Lists = lists
	return v, s.fill(v.Links, v.Lists)
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
			v.Media = append(v.Media, Media{place, m.Kind, webAddress(m.URI)})
		}
	}
	for _, l := range a.Link[:min(len(a.Link), mostLinks)] {
		v.Links = append(v.Links, Link{Type: Readable(l.Type, termRunes), Target: l.Target})
	}
	return v
}

// webAddress is an address on the web as a text, "" for any other.
func webAddress(uri string) string {
	if u, err := url.Parse(uri); err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	return Readable(uri, uriRunes)
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

// fill puts cards to the ids of links and lists.
func (s *Shelf) fill(links []Link, lists []List) error {
	var ids []string
	for i := range links {
		ids = append(ids, links[i].Target)
	}
	for i := range lists {
		for j := range lists[i].Items {
			ids = append(ids, lists[i].Items[j].ID)
		}
	}
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
	for i := range links {
		links[i].Card = card(links[i].Target)
	}
	for i := range lists {
		for j := range lists[i].Items {
			lists[i].Items[j].Card = card(lists[i].Items[j].ID)
		}
	}
	return nil
}

// Fill puts cards to the entries of a list.
func (s *Shelf) Fill(list *List) error { return s.fill(nil, []List{*list}) }
