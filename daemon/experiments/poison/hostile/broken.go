package hostile

import (
	"fmt"
	"strconv"
	"strings"

	"kilim/consumer/consumertest"
)

// brokenJSON is JSON at its edges and beyond.
func brokenJSON(g *Generator, r *Record) {
	head := `{"id":` + quote(r.ID) + `,"title":"` + r.ID + `"`
	whole := head + `,"subject":["a","b"]}`
	n := g.size(20_000)
	form := func(note, reason, value string) func() {
		return func() {
			r.Note, r.Key, r.Value, r.Artifact = note, []byte(r.ID), []byte(value), []byte(value)
			if reason != "" {
				r.Fate, r.Reason = Refused, reason
			}
		}
	}
	deep := pick(g, 1, 62, 63, 64, 65, 500, 100_000)
	pick(g,
		form("a field twice", "duplicate_field", head+`,"title":"again"}`),
		form("a field twice within", "duplicate_field", head+`,"date":{"begin":1,"begin":2}}`),
		form("an unknown field twice within an unknown one", "", head+`,"x":{"a":1,"a":2}}`),
		form(fmt.Sprintf("%d unknown fields", n), "", head+strings.Repeat(",", min(n, 1))+unknown(n)+"}"),
		form(fmt.Sprintf("%d brackets", deep), "", head+`,"x":`+strings.Repeat("[", deep)+strings.Repeat("]", deep)+`}`),
		form(fmt.Sprintf("%d braces that don't end", deep), "", head+`,"x":`+strings.Repeat(`{"a":`, deep)),
		form("an unknown number", "", head+`,"x":`+g.number()+`}`),
		form("an unknown number of many digits", "", head+`,"x":1`+strings.Repeat("0", min(50*n, 900_000))+`}`),
		form("bytes that are no UTF-8", "not_utf8", head+`,"description":"`+pick(g, "\xff", "\xc3\x28", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc0\xaf")+`"}`),
		form("a lone surrogate", "not_utf8", head+`,"description":"`+pick(g, `\ud83d`, `\ude00`, `\ude00\ud83d`, `\ud83dx`)+`"}`),
		form("NUL, escaped", "", head+`,"description":"\u0000\u0000","culture":["a\u0000b"]}`),
		form("NUL bytes", "not_json", head+",\"description\":\"\x00\"}"),
		form("zeros only", "", strings.Repeat("\x00", n)),
		form("a byte order mark", "not_json", "\ufeff"+whole),
		form("cut off", "", whole[:g.rng.IntN(len(whole))]),
		form("something behind it", "", whole+pick(g, "{}", ",", "x", "\x00", " \n\t", whole)),
		form("white space", "", strings.Repeat(pick(g, " ", "\n", "\t"), min(60*n, 1<<20))+whole),
		form("escapes only", "", head+`,"description":"`+strings.Repeat(`\u0061`, min(8*n, 170_000))+`"}`),
		form("no JSON", "", pick(g, "", "x", "null", "[]", "7", `"x"`, "<a/>", "id;title\n1;2", "---\nid: x")),
		form("random bytes", "", string(g.bytes(n))),
		form("no field that is known", "no_fields", `{"id":`+quote(r.ID)+`,"unknown":`+quote(g.words(3))+`}`),
	)()
}

// unknown are n fields that the profile does not know.
func unknown(n int) string {
	fields := make([]string, n)
	for i := range fields {
		fields[i] = `"u` + strconv.Itoa(i) + `":` + strconv.Itoa(i)
	}
	return strings.Join(fields, ",")
}

func (g *Generator) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(g.rng.Uint32())
	}
	return b
}

// known are records of which the tests of package consumer know that and why they are refused.
func known(g *Generator, r *Record) {
	all := consumertest.Hostile()
	bad := all[g.rng.IntN(len(all))]
	m := bad.Message()
	r.Note, r.Fate, r.Reason = bad.Name, Refused, bad.Reason
	r.ID, r.Key, r.Value, r.Headers = "", m.Key, m.Value, m.Headers
}

// packed are values of one letter, which packs a thousandfold: near the limit of a record, and far beyond.
func packed(g *Generator, r *Record) {
	r.Artifact = []byte(`{"id":` + quote(r.ID) + `,"title":"` + strings.Repeat("x", g.rng.IntN(max(g.opt.Unpacked, 1))) + `"}`)
	r.Note = fmt.Sprintf("%d bytes that pack well", len(r.Artifact))
	r.Key, r.Value = []byte(r.ID), r.Artifact
	r.Fate = Applied
	if len(r.Value) > 1<<20 {
		r.Fate, r.Reason = Refused, "too_large"
	}
}
