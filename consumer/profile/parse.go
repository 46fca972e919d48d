package profile

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Parse reads an artifact from its JSON. key is the record's key, the
// artifact's id when the JSON has none; a key that differs from the id is
// refused, because the order of one artifact's records, and its deletion,
// follow the key.
//
// The error is a *Refusal. The artifact's Raw shares memory with raw.
// Parse is safe for concurrent use and depends on nothing but its arguments.
func Parse(raw []byte, key string, lim Limits) (*Artifact, error) {
	lim = lim.withDefaults()
	if r := wellFormed(raw, lim); r != nil {
		return nil, r
	}
	p := &parser{cursor: cursor{b: raw}, lim: lim, a: &Artifact{Raw: raw}}
	if c := p.peek(); c != '{' {
		return nil, Refuse(ReasonNotObject, "record", p.shown(), "an artifact is a JSON object")
	}
	if err := p.object("", p.field); err != nil {
		return nil, err
	}
	if p.fields == 0 && p.others > 0 {
		return nil, p.noFields()
	}
	if err := p.identify(key); err != nil {
		return nil, err
	}
	if p.fields == 0 && !p.identified {
		return nil, p.noFields()
	}
	if n := p.a.edges(); n > p.lim.Edges {
		return nil, Refuse(ReasonTooMany, "record", strconv.Itoa(n), "%d edges (terms, media, links, dates) in all, the limit is %d", n, p.lim.Edges)
	}
	return p.a, nil
}

// Object reads the fields of a JSON object without looking into them, by the
// rules of Parse: for what wraps an artifact. The values share memory with raw.
func Object(raw []byte, lim Limits) (map[string][]byte, *Refusal) {
	if r := wellFormed(raw, lim.withDefaults()); r != nil {
		return nil, r
	}
	p := &parser{cursor: cursor{b: raw}}
	if p.peek() != '{' {
		return nil, Refuse(ReasonNotObject, "record", p.shown(), "want a JSON object")
	}
	fields := make(map[string][]byte)
	err := p.object("", func(name string) error {
		fields[name] = p.skip()
		return nil
	})
	var r *Refusal
	if errors.As(err, &r) {
		return nil, r
	}
	return fields, nil
}

// CheckID says what is wrong with an artifact's id, or nil. field names it in
// the refusal.
func CheckID(field, id string, lim Limits) *Refusal {
	lim = lim.withDefaults()
	switch {
	case id == "":
		return Refuse(ReasonNoID, field, "", "neither an id nor a key")
	case len(id) > lim.IDBytes:
		return Refuse(ReasonBadID, field, id, "%d bytes, the limit is %d", len(id), lim.IDBytes)
	case strings.TrimSpace(id) == "":
		return Refuse(ReasonBadID, field, id, "a blank id")
	case !utf8.ValidString(id):
		return Refuse(ReasonBadID, field, id, "not UTF-8")
	case strings.IndexFunc(id, unicode.IsControl) >= 0:
		return Refuse(ReasonBadID, field, id, "with control characters")
	}
	return nil
}

// CheckEmbeddings refuses an embedding of another length than its encoder's.
// dim gives an encoder's dimension, false for one not seen before. Two
// embeddings of one encoder within the artifact must agree in any case.
// The error is a *Refusal.
func (a *Artifact) CheckEmbeddings(dim func(encoder string) (int, bool)) error {
	for i := range a.Media {
		m := &a.Media[i]
		if len(m.Embedding) == 0 {
			continue
		}
		want, known := dim(m.Encoder)
		for j := 0; !known && j < i; j++ {
			if b := &a.Media[j]; len(b.Embedding) > 0 && b.Encoder == m.Encoder {
				want, known = len(b.Embedding), true
			}
		}
		if known && want != len(m.Embedding) {
			return Refuse(ReasonEmbeddingLength, at("media", i)+".embedding", m.Encoder,
				"%d values, the encoder has %d", len(m.Embedding), want)
		}
	}
	return nil
}

type parser struct {
	cursor
	lim            Limits
	a              *Artifact
	fields, others int // fields of the profile but the id, and those that are none
	identified     bool
}

// field reads one of the artifact's fields; the cursor is at its value.
func (p *parser) field(name string) (err error) {
	a := p.a
	switch {
	case name == "id":
		p.identified = true
	case IsField(name):
		p.fields++
	default:
		p.others++
		p.unread(name)
	}
	switch name {
	case "id":
		a.ID, err = p.id(name)
	case "title":
		a.Title, err = p.text(name)
	case "description":
		a.Description, err = p.text(name)
	case "language":
		a.Language, err = p.text(name)
	case "digitized":
		a.Digitized, err = p.text(name)
	case "creator":
		a.Creator, err = p.terms(name)
	case "culture":
		a.Culture, err = p.terms(name)
	case "period":
		a.Period, err = p.terms(name)
	case "dynasty":
		a.Dynasty, err = p.terms(name)
	case "reign":
		a.Reign, err = p.terms(name)
	case "style":
		a.Style, err = p.terms(name)
	case "place":
		a.Place, err = p.terms(name)
	case "material":
		a.Material, err = p.terms(name)
	case "technique":
		a.Technique, err = p.terms(name)
	case "type":
		a.Type, err = p.terms(name)
	case "subject":
		a.Subject, err = p.terms(name)
	case "collection":
		a.Collection, err = p.terms(name)
	case "date":
		a.Date, err = p.date(name)
	case "location":
		a.Location, err = p.location(name)
	case "media":
		err = p.media(name)
	case "theme":
		err = p.themes(name)
	case "link":
		err = p.links(name)
	default:
		p.skip()
	}
	return err
}

func (p *parser) identify(key string) error {
	a := p.a
	if a.ID == "" {
		a.ID = key
		if r := CheckID("key", key, p.lim); r != nil {
			if key == "" {
				r.Field = "id"
			}
			return r
		}
	} else if r := CheckID("id", a.ID, p.lim); r != nil {
		return r
	}
	if key != "" && key != a.ID {
		return Refuse(ReasonIDMismatch, "id", a.ID, "the record's key is %s", shorten(key))
	}
	for i, l := range a.Link {
		if l.Target == a.ID {
			return Refuse(ReasonBadLink, at("link", i)+".target", l.Target, "a link to the artifact itself")
		}
	}
	return nil
}

// noFields refuses what is no artifact: an object of which no field is known, an id aside, is a row or an envelope
// that nobody has opened. An object of an id alone is an artifact of which nothing is known yet.
func (p *parser) noFields() error {
	return Refuse(ReasonNoFields, "record", string(p.b[:min(len(p.b), 2*valueBytes)]), "no field of an artifact but the id")
}

// ID reads an artifact's id from its JSON, by the rules of Parse; "" for what is none. raw is a value that Object gave.
func ID(raw []byte) string {
	p := &parser{cursor: cursor{b: raw}}
	id, err := p.id("id")
	if err != nil {
		return ""
	}
	return id
}

// Deleted is true when the fields of an object, as Object gives them, say that it is deleted: "__deleted" is true, or
// "true", as Debezium's ExtractNewRecordState writes it.
func Deleted(fields map[string][]byte) bool {
	mark := bytes.TrimSuffix(bytes.TrimPrefix(fields["__deleted"], []byte("[")), []byte("]"))
	mark = bytes.TrimSpace(mark)
	return string(mark) == "true" || string(mark) == `"true"`
}
