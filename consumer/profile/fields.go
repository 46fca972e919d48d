package profile

import (
	"encoding/base64"
	"math"
	"strings"
)

func (p *parser) date(path string) (*Date, error) {
	d := &Date{}
	var spare string // what stood in a year's place and is no number
	present, err := p.optional(path, func(name string) (err error) {
		switch name {
		case "begin":
			d.Begin, err = p.year(path+".begin", &spare)
		case "end":
			d.End, err = p.year(path+".end", &spare)
		case "text":
			d.Text, err = p.text(path + ".text")
		default:
			p.skip()
		}
		return err
	})
	if err != nil || !present {
		return nil, err
	}
	if spare != "" {
		p.unread(path)
	}
	if d.Text == "" {
		d.Text = spare
	}
	if d.Begin != nil && d.End != nil && *d.Begin > *d.End {
		d.Begin, d.End = d.End, d.Begin
	}
	if *d == (Date{}) {
		return nil, nil
	}
	return d, nil
}

// year reads a year as a number, or as a string that holds one or an ISO 8601 date. Any other
// string goes to spare, if that is free.
func (p *parser) year(path string, spare *string) (year *float64, err error) {
	err = p.single(path, "year", func() error {
		var v float64
		shown := p.shown()
		switch {
		case p.null():
			return nil
		case p.peek() == '"':
			s := strings.TrimSpace(p.str())
			n, ok := yearOf(s)
			if !ok {
				if *spare == "" {
					*spare = s
				}
				return nil
			}
			v = n
		case p.atNumber():
			n, err := p.number(path)
			if err != nil {
				return err
			}
			v = n
		default:
			return p.wrongType(path, "a year")
		}
		if math.Abs(v) > p.lim.Year {
			return Refuse(ReasonOutOfRange, path, shown, "a year beyond ±%g", p.lim.Year)
		}
		year = &v
		return nil
	})
	return year, err
}

func (p *parser) location(path string) (*Location, error) {
	l := Location{Lat: math.NaN(), Lon: math.NaN()}
	degrees := func(name string, limit float64, out *float64) error {
		name = join(path, name)
		return p.single(name, "number of degrees", func() error {
			if p.null() {
				return nil
			}
			if !p.atNumber() {
				return p.wrongType(name, "a number of degrees")
			}
			shown := p.shown()
			v, err := p.number(name)
			if err != nil {
				return err
			}
			if math.Abs(v) > limit {
				return Refuse(ReasonOutOfRange, name, shown, "beyond ±%g degrees", limit)
			}
			*out = v
			return nil
		})
	}
	present, err := p.optional(path, func(name string) error {
		switch name {
		case "lat":
			return degrees(name, 90, &l.Lat)
		case "lon":
			return degrees(name, 180, &l.Lon)
		}
		p.skip()
		return nil
	})
	if err != nil || !present {
		return nil, err
	}
	noLat, noLon := math.IsNaN(l.Lat), math.IsNaN(l.Lon)
	switch {
	case noLat && noLon:
		return nil, nil
	case noLat:
		return nil, Refuse(ReasonWrongType, path+".lat", "", "lon without lat")
	case noLon:
		return nil, Refuse(ReasonWrongType, path+".lon", "", "lat without lon")
	}
	return &l, nil
}

func (p *parser) themes(path string) error {
	_, err := p.optional(path, func(name string) error {
		sub := join(path, shorten(name))
		if strings.TrimSpace(name) == "" || len(name) > p.lim.NameBytes {
			return Refuse(ReasonOutOfRange, sub, name, "a theme's name has 1..%d bytes", p.lim.NameBytes)
		}
		if len(p.a.Theme) >= p.lim.Items {
			return Refuse(ReasonTooMany, path, "", "more than %d themes", p.lim.Items)
		}
		labels, err := p.strings(sub)
		if err != nil || len(labels) == 0 {
			return err
		}
		if p.a.Theme == nil {
			p.a.Theme = make(map[string][]string)
		}
		p.a.Theme[name] = labels
		return nil
	})
	return err
}

func (p *parser) links(path string) error {
	return p.list(path, func(i int) error {
		var l Link
		sub := at(path, i)
		if p.peek() != '{' {
			return p.wrongType(sub, `{"type", "target"}`)
		}
		err := p.object(sub, func(name string) (err error) {
			switch name {
			case "type":
				l.Type, err = p.text(sub + ".type")
			case "target":
				l.Target, err = p.id(sub + ".target")
			default:
				p.skip()
			}
			return err
		})
		if err != nil {
			return err
		}
		for _, part := range []struct{ name, value string }{{"type", l.Type}, {"target", l.Target}} {
			if r := CheckID(join(sub, part.name), part.value, p.lim); r != nil {
				r.Reason = ReasonBadLink
				if part.value == "" {
					r.Detail = "a link needs a type and a target"
				}
				return r
			}
		}
		p.a.Link = append(p.a.Link, l)
		return nil
	})
}

func (p *parser) media(path string) error {
	return p.list(path, func(i int) error {
		sub := at(path, i)
		if p.peek() != '{' {
			return p.wrongType(sub, "an object")
		}
		var m Media
		err := p.object(sub, func(name string) (err error) {
			switch name {
			case "kind":
				m.Kind, err = p.text(sub + ".kind")
			case "uri":
				m.URI, err = p.text(sub + ".uri")
			case "text":
				m.Text, err = p.text(sub + ".text")
			case "media_type":
				m.MediaType, err = p.text(sub + ".media_type")
			case "language":
				m.Language, err = p.text(sub + ".language")
			case "encoder":
				m.Encoder, err = p.text(sub + ".encoder")
			case "data":
				m.Data, err = p.data(sub + ".data")
			case "embedding":
				m.Embedding, err = p.embedding(sub + ".embedding")
			default:
				p.skip()
			}
			return err
		})
		if err != nil {
			return err
		}
		if err := p.checkMedia(sub, &m); err != nil {
			return err
		}
		p.a.Media = append(p.a.Media, m)
		return nil
	})
}

func (p *parser) checkMedia(path string, m *Media) error {
	switch m.Kind {
	case Text, Image, Audio:
	default:
		return Refuse(ReasonMediaKind, path+".kind", m.Kind, "want text, image or audio")
	}
	if len(m.Embedding) > 0 && strings.TrimSpace(m.Encoder) == "" {
		return Refuse(ReasonNoEncoder, path+".encoder", "", "an embedding needs its encoder's name")
	}
	if len(m.Encoder) > p.lim.NameBytes {
		return Refuse(ReasonTooLarge, path+".encoder", m.Encoder, "%d bytes, the limit is %d", len(m.Encoder), p.lim.NameBytes)
	}
	if len(m.Embedding) == 0 && len(m.Data) == 0 && strings.TrimSpace(m.URI) == "" && strings.TrimSpace(m.Text) == "" {
		return Refuse(ReasonMediaEmpty, path, "", "none of uri, data, text and embedding")
	}
	return nil
}

// data decodes base64 of the standard or the URL alphabet, padded or not, line
// breaks ignored (RFC 4648, sections 4 and 5).
func (p *parser) data(path string) ([]byte, error) {
	s, err := p.text(path)
	if err != nil || s == "" {
		return nil, err
	}
	enc := base64.RawStdEncoding
	if strings.ContainsAny(s, "-_") {
		enc = base64.RawURLEncoding
	}
	if strings.Contains(s[max(0, len(s)-4):], "=") {
		enc = enc.WithPadding(base64.StdPadding)
	}
	b, err := enc.DecodeString(s)
	if err != nil {
		return nil, Refuse(ReasonBadBase64, path, s, "%v", err)
	}
	return b, nil
}
