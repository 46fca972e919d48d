package hostile

import (
	"fmt"
	"strings"
	"unicode"
)

// ids are artifacts with strange or long ids. Those that profile allows must be served under them.
func ids(g *Generator, r *Record) {
	own := fmt.Sprintf("%d", r.Seq)
	pad := func(n int, with string) string { return own + strings.Repeat(with, max(0, n-len(own))/len(with)) }
	r.ID = pick(g,
		pad(1022+g.rng.IntN(3), "i"), pad(1025, "i"), pad(1100+g.size(5000), "i"), pad(1023, "é"), pad(1024, "👩"),
		own+"/..", "../"+own, own+"%2F/%00", own+"?x=1#y", own+" \u00a0", "\u202e"+own, own+"\u200b", "ﷺ"+own, own+"e\u0301", own+"\u00e9", own+"\ufeff", own+"\U0010ffff",
		own, own+".0", "-"+own, "{"+own+"}", `"`+own+`"`, "["+own+"]", own+"\\", own+"\\u0041", own+"'\"`", "<b>"+own, own+"|"+own, own+"\t", own+"\x00", own+"\n", own+"\x7f", own+"\u0085", own+"\u2028",
		strings.Repeat("\u0300", 20)+own, own+"\u00ad", " "+own+" ", own+"/similar", own+";", own+"+", own+"&amp;",
	)
	r.Note = "an id of " + fmt.Sprint(len(r.ID)) + " bytes"
	switch {
	case len(r.ID) > 1024, strings.IndexFunc(r.ID, unicode.IsControl) >= 0:
		r.Fate, r.Reason = Refused, "bad_id"
	}
	title := `"title":` + quote(g.words(3))
	id := `"id":` + quote(r.ID) + ","
	switch g.rng.IntN(3) {
	case 0:
		id = ""
	case 1:
		r.Artifact = []byte(`{` + id + title + `}`)
		r.Value = r.Artifact // without a key
		return
	}
	r.Artifact = []byte(`{` + id + title + `}`)
	r.Key, r.Value = []byte(r.ID), r.Artifact
	if first := r.ID[0]; first == '{' || first == '[' || first == '"' {
		// A key of JSON may be read as such; the id within must then say the same.
		r.Fate, r.Reason, r.Loose = Either, "", true
	}
}

// keys are keys that are missing, huge, binary, or another than the artifact's id.
func keys(g *Generator, r *Record) {
	title := `"title":` + quote(g.words(3))
	r.Artifact = []byte(`{"id":` + quote(r.ID) + `,` + title + `}`)
	r.Value = r.Artifact
	n := g.size(700_000)
	pick(g,
		func() { r.Note, r.Fate = "no key", Applied },
		func() { r.Note, r.Key, r.Fate = "an empty key", []byte{}, Either },
		func() {
			r.Note, r.Key, r.Fate = "another key", []byte("poison:another"), Refused
			r.Reason = "id_mismatch"
		},
		func() {
			r.Note, r.Key, r.Fate = "a good artifact's key", []byte("demo:00000001"), Refused
			r.Reason = "id_mismatch"
		},
		func() { r.Note, r.Key, r.Fate = "a long key", []byte(strings.Repeat("k", 2000+n)), Refused },
		func() {
			r.Note, r.Key, r.Fate = "a binary key", append([]byte{0xff}, g.bytes(g.size(2000))...), Refused
		},
		func() {
			r.Note, r.Key, r.Fate = "a long key without an id", []byte(strings.Repeat("k", 2000+n)), Refused
			r.Value = []byte(`{` + title + `}`)
		},
		func() {
			r.Note, r.Key = "a deep key", []byte(strings.Repeat(pick(g, `{"id":`, `[`, `{"schema":{},"payload":`), 1+min(n, 10_000)))
			r.Fate = Refused
		},
		func() {
			r.Note, r.Key = "a key with many fields", []byte(`{"id":`+quote(r.ID)+`,"u":0`+strings.Repeat(",", min(n, 1))+unknown(min(n, 10_000))+`}`)
			r.Fate = Either
		},
		func() {
			r.Note, r.Key, r.Fate = "neither", nil, Refused
			r.Value = []byte(`{` + title + `}`)
			r.Reason = "no_id"
		},
	)()
}

// tombstones delete what is there, what never was, and what can't be.
func tombstones(g *Generator, r *Record) {
	r.Artifact = nil
	switch g.rng.IntN(7) {
	case 5, 6:
		r.ID, r.Note, r.Fate = extremeID(g.rng.IntN(r.Seq+1)), "of an extreme one", Applied
		g.remove(r)
	case 0:
		r.ID = fmt.Sprintf("chain:%d", g.rng.IntN(600))
		r.Note, r.Fate = "of a chain's link", Applied
		g.remove(r)
	case 1:
		r.Note, r.Key, r.Fate = "of what never was", []byte(r.ID), Applied
	case 2:
		r.ID, r.Note, r.Fate = "star:hub", "of the hub", Applied
		g.remove(r)
	case 3:
		r.ID, r.Note, r.Fate, r.Reason = "", "of nothing", Refused, "no_id"
	default:
		r.ID, r.Note, r.Fate = "", "with a bad key", Refused
		r.Key = pick(g, []byte(strings.Repeat("k", 1025+g.size(100_000))), []byte(" "), []byte("\xff\xfe"), []byte("a\nb"))
	}
}
