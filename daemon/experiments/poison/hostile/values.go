package hostile

import (
	"strconv"
	"strings"
)

// numbers are those of JSON, and some that are none.
func (g *Generator) number() string {
	return pick(g, "0", "-0", "1", "-1", "0.5", "1e7", "-1e7", "10000000.0000001", "1e-999", "-1e-999", "1e999", "-1e999", "1e308", "4.9e-324", "1.7976931348623157e308",
		"9007199254740993", "18446744073709551616", strings.Repeat("9", 1+g.size(5000)), "0."+strings.Repeat("0", g.size(5000))+"1", "1E+2", "01", "+1", ".5", "1.", "0x10", "NaN", "-",
		"90", "-90", "90.0000000001", "180", "-180", "181", "123456789012345678901234567890.5", "1e38", "3.5e38", "1_000")
}

func (g *Generator) year() string {
	return pick(g, g.number(), quote(g.number()), `"1899-06-20"`, `"-0043-03-15"`, `"+999999999-12-31"`, `"0000-00-00"`, `"18990620T10"`, `"no date"`, `"Infinity"`, `"1e7"`, `null`, `[]`, `[1900]`,
		`[[1900]]`, `"`+strings.Repeat("1", g.size(3000))+`"`, quote(g.text(g.size(200))))
}

func (g *Generator) date() string {
	return `{"begin":` + g.year() + `,"end":` + g.year() + `,"text":` + quote(g.text(g.size(100))) + `}`
}

func dates(g *Generator, r *Record) {
	date := g.date()
	if len(date) < 100 {
		r.Note = date
	}
	g.send(r, `"date":`+pick(g, date, date, date, `[`+date+`]`, `[`+date+`,`+date+`]`))
}

func (g *Generator) location() string {
	switch g.rng.IntN(6) {
	case 0:
		return `{"lat":` + g.number() + `}`
	case 1:
		return `[{"lat":[` + g.number() + `],"lon":[` + g.number() + `]}]`
	}
	return `{"lat":` + g.number() + `,"lon":` + g.number() + `}`
}

func locations(g *Generator, r *Record) {
	location := g.location()
	if len(location) < 100 {
		r.Note = location
	}
	g.send(r, `"location":`+location)
}

// value is JSON of any type.
func (g *Generator) value() string {
	return pick(g, "null", "true", "false", "0", "-1.5", `""`, `" "`, `"x"`, "[]", "{}", "[null]", `[""]`, "[[]]", `["a","b"]`, `{"id":"x"}`, `{"label":{}}`, `{"id":null,"label":null}`,
		`{"kind":"image"}`, `{"type":"a","target":"b"}`, `{"":""}`, `[{"id":5}]`, "1e999", quote(g.text(g.size(200))))
}

// profileFields are those of package profile.
var profileFields = append([]string{"title", "description", "language", "digitized", "date", "location", "media", "theme", "link"}, catalogue...)

// types are fields of other types than theirs.
func types(g *Generator, r *Record) {
	field := pick(g, profileFields...)
	value := g.value()
	if g.one(3) {
		value = list(1+g.rng.IntN(5), func(int) string { return g.value() })
	}
	r.Note = field + ": " + cut(value, 60)
	parts := []string{`"` + field + `":` + value}
	if field != "title" && g.one(3) {
		parts = append(parts, `"unknown":`+g.value(), `"`+strconv.Itoa(g.rng.IntN(1000))+`":`+g.value())
	}
	g.send(r, parts...)
}
