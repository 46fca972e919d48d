package browse

import (
	"strings"
	"unicode/utf8"

	"kilim/consumer/profile"
	"kilim/graphstore/weave"
)

// Card is an artifact in a few words.
type Card struct {
	ID    string `json:"id"`
	Title string `json:"title"` // of the record; the beginning of another text where it has none, and then empty where it has no text
	// Language is a BCP 47 tag, as in the record.
	Language string `json:"language,omitempty"`
	Culture  string `json:"culture,omitempty"`
	Period   string `json:"period,omitempty"`
	Type     string `json:"type,omitempty"`
	Date     string `json:"date,omitempty"`
	// Picture is the place of the first picture among the record's media; Sound and Text tell that there are recordings and texts.
	Picture *int `json:"picture,omitempty"`
	Sound   bool `json:"sound,omitempty"`
	Text    bool `json:"text,omitempty"`
}

const (
	titleRunes = 200
	termRunes  = 80
)

// CardOf makes the card of an artifact.
func CardOf(a *profile.Artifact) Card {
	c := Card{
		ID: a.ID, Title: Readable(weave.Title(a).Body, titleRunes), Language: tag(a.Language),
		Culture: first(a.Culture), Period: first(a.Period), Type: first(a.Type),
	}
	if a.Date != nil {
		c.Date = Readable(a.Date.Text, termRunes)
	}
	if c.Title == "" {
		if texts := weave.Texts(a); len(texts) > 0 {
			c.Title = Readable(texts[0].Body, termRunes)
		}
	}
	for place := range a.Media {
		m := &a.Media[place]
		seen := len(m.Data) > 0 || m.URI != "" // and not its vector alone
		switch {
		case m.Kind == profile.Image && seen && c.Picture == nil:
			c.Picture = &place
		case m.Kind == profile.Audio && seen:
			c.Sound = true
		case m.Kind == profile.Text:
			c.Text = true
		}
	}
	return c
}

func first(terms []profile.Term) string {
	if len(terms) == 0 {
		return ""
	}
	return Readable(terms[0].Text(), termRunes)
}

// tag is a language as it can stand in an attribute, nothing where it is no tag.
func tag(language string) string {
	if len(language) > 35 || strings.ContainsFunc(language, func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) {
		return ""
	}
	return language
}

// Readable is a text of a record in at most so many runes. The controls of bidirectional text are left out: a browser keeps
// texts apart that it is told to, but within one they show it in another order than it is written in, and no catalogue needs them.
func Readable(text string, most int) string {
	var out strings.Builder
	n := 0
	for _, r := range text {
		if turns(r) || r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r == utf8.RuneError {
			continue
		}
		if n++; n > most {
			return out.String() + "…"
		}
		out.WriteRune(r)
	}
	return out.String()
}

// turns tells the embeddings, overrides and isolates of bidirectional text (Unicode annex 9); its marks (LRM, RLM, ALM) only order what is
// there, and are used.
func turns(r rune) bool { return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 }
