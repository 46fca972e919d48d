package hostile

import (
	"strconv"
	"strings"
)

// vocabulary is what words are drawn from, so that records have some in common.
const vocabulary = 3000

// word is one of the vocabulary, the first ones the most often.
func (g *Generator) word() string {
	n := g.rng.IntN(1 + g.rng.IntN(vocabulary))
	return "w" + strconv.FormatInt(int64(n)*7919, 36)
}

func (g *Generator) words(n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(g.word())
	}
	return b.String()
}

// scripts are pieces of which texts are made: each has something that code may stumble over.
var scripts = []string{
	"織物の文様 ", "قماش منسوج ", "ﷺ", "ﷺ ", "e\u0301\u0327\u0323", "\u0300", "👩‍👩‍👧‍👦", "\u202eright to left\u202c ", "\u200b\u200c\u200d\ufeff",
	"ſtraße ẞ ", "İıIi ", "ΑΣ ς ", "ﬃ ﬁ ", "<b>bold</b>&amp;&#x41;&#0; ", "<![CDATA[x]]> <!-- ", "&lt;script&gt; ", "\x00", "\x01\x1f\x7f\u0085 ",
	"\u2028\u2029", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 ", "１２３ ", "a", " ", "\t\n\r", "0.000000001 ", "\U0010ffff\ufffe", "กำแพง", "한국어 ", "z\u0489\u0489\u0489", "\u1f82\u0345",
}

// text is one of about n bytes.
func (g *Generator) text(n int) string {
	var b strings.Builder
	switch g.rng.IntN(6) {
	case 0: // words that are all different
		for b.Len() < n {
			b.WriteString(strconv.FormatUint(g.rng.Uint64N(1<<30), 36))
			b.WriteByte(' ')
		}
	case 1: // one piece, again and again
		piece := pick(g, scripts...)
		b.WriteString(strings.Repeat(piece, n/len(piece)+1))
	case 2: // one word
		b.WriteString(strings.Repeat("x", n))
	case 3: // markup that does not end
		b.WriteString(strings.Repeat(pick(g, "<", "&", "<a ", "</", "&#", "<!--", "<a href=\"", "&amp", "]]>"), n/3+1))
	default:
		for b.Len() < n {
			if g.one(3) {
				b.WriteString(pick(g, scripts...))
			} else {
				b.WriteString(g.word())
				b.WriteByte(' ')
			}
		}
	}
	return cut(b.String(), n)
}

// cut shortens to n bytes at most, at a character's end.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n]
}

// mostText leaves room for the rest of a record.
const mostText = 1<<20 - 300

// texts are fields that people read, of any length in any script.
func texts(g *Generator, r *Record) {
	field := pick(g, "title", "description", "language", "digitized")
	text := g.text(g.size(mostText / pick(g, 1, 1, 1, 10)))
	r.Note = field + " of " + strconv.Itoa(len(text)) + " bytes"
	fields := []string{`"` + field + `":` + quote(text)}
	if field != "language" && g.one(2) {
		fields = append(fields, `"language":`+quote(g.language()))
	}
	g.send(r, fields...)
}

// language is the name of one, or what some take for it.
func (g *Generator) language() string {
	return pick(g, "en", "EN-gb", "tr", "fa", "he", "zh-Hant-TW-x-private", "und", "tlh", "x", "i-klingon", "-", "en_US.UTF-8", "English", "français",
		"\x00", strings.Repeat("en-", 400), g.text(g.size(300)))
}
