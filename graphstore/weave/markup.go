package weave

import (
	"html"
	"strings"
)

// rounds bounds how often text that came out of entities is looked through again: records are exported from a system that
// escapes into one that escapes, so that &amp;lt;p&amp;gt; was a paragraph.
const rounds = 3

// Plain is what a person reads of a text that may be HTML: without tags, comments, scripts and styles, and with characters
// in the place of their entities. Where a tag is the end of a line or a cell there is a space, but none within
// a word (K<i>ilim</i>). What only looks like markup stays: a < b, <Athena> of an inscription, R&D.
func Plain(s string) string {
	for range rounds {
		if !strings.ContainsAny(s, "<&") {
			return s
		}
		next := characters(withoutTags(s))
		if next == s {
			return s
		}
		s = next
	}
	return s
}

// longestEntity is that of HTML's names, &CounterClockwiseContourIntegral;, and some room.
const longestEntity = 40

// characters puts characters for entities that end with a semicolon. Without one, AT&TRADE is a name. Most texts with
// an & have no entity, and are not copied.
func characters(s string) string {
	var b strings.Builder
	done := 0 // bytes of s that are in b
	for i := 0; ; {
		at := strings.IndexByte(s[i:], '&')
		if at < 0 {
			break
		}
		at += i
		i = at + 1
		entity := s[at:min(len(s), at+longestEntity)]
		end := strings.IndexByte(entity, ';')
		if end < 0 || strings.LastIndexByte(entity[:end], '&') > 0 {
			continue
		}
		entity = entity[:end+1]
		character := html.UnescapeString(entity)
		if strings.HasSuffix(character, ";") && character != ";" {
			continue // only its beginning is an entity, as in &nothing;, or nothing of it
		}
		b.WriteString(s[done:at])
		b.WriteString(character)
		i = at + len(entity)
		done = i
	}
	if done == 0 {
		return s
	}
	b.WriteString(s[done:])
	return b.String()
}

func withoutTags(s string) string {
	if !strings.Contains(s, "<") {
		return s
	}
	sc := scanner{closings: closingTags(s), unended: make(map[string]bool), budget: 16 * len(s)}
	var b strings.Builder
	for {
		at := strings.IndexByte(s, '<')
		if at < 0 || sc.budget < 0 {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:at])
		s = s[at:]
		m := sc.markupAt(s)
		if m.length == 0 {
			m = markup{1, "<"}
		}
		b.WriteString(m.stands)
		s = s[m.length:]
	}
}

// scanner keeps what was found out about a text, so that looking through it takes time linear in its length.
type scanner struct {
	closings map[string]bool // names of all </name>
	unended  map[string]bool // ends of which there are no more
	budget   int             // of bytes that were looked at and turned out to be no tag
}

// markup is what begins at a <; its length is 0 when it is none.
type markup struct {
	length int
	stands string // what a reader sees in its place
}

func (sc *scanner) markupAt(s string) markup {
	for _, m := range [...]struct{ begin, end string }{{"<!--", "-->"}, {"<![CDATA[", "]]>"}, {"<!doctype", ">"}, {"<?xml", "?>"}} {
		if len(s) < len(m.begin) || !strings.EqualFold(s[:len(m.begin)], m.begin) || sc.unended[m.end] {
			continue
		}
		inside, _, ended := strings.Cut(s[len(m.begin):], m.end)
		if !ended {
			sc.unended[m.end] = true
			return markup{}
		}
		whole := markup{len(m.begin) + len(inside) + len(m.end), " "}
		if m.begin == "<![CDATA[" {
			whole.stands = inside
		}
		return whole
	}
	t, ok := tagAt(s)
	if !ok {
		sc.budget -= t.length
		return markup{}
	}
	if !t.closing && !t.empty && !t.attributes && !sc.closings[t.name] && !alone[t.name] {
		return markup{} // <Athena>
	}
	if unread[t.name] && !t.closing && !sc.unended[t.name] {
		if end := closingTag(s[t.length:], t.name); end >= 0 {
			return markup{t.length + end, " "}
		}
		sc.unended[t.name] = true
	}
	if inline[t.name] {
		return markup{t.length, ""}
	}
	return markup{t.length, " "}
}

// tag is <name>, <name a="b">, <name/> or </name>.
type tag struct {
	name                       string // in lower case
	length                     int    // of what is no tag, how much of it was looked at
	closing, empty, attributes bool
}

// tagAt reads the tag at the beginning of s, which is a <. An attribute without a value is not taken: <b and c> are no attributes.
func tagAt(s string) (t tag, ok bool) {
	i := 1
	if i < len(s) && s[i] == '/' {
		t.closing = true
		i++
	}
	begin := i
	for i < len(s) && isName(s[i], i == begin) {
		i++
	}
	t.length = i
	if i == begin {
		return t, false
	}
	t.name = strings.ToLower(s[begin:i])
	for {
		gap := i
		for i < len(s) && isBlank(s[i]) {
			i++
		}
		switch {
		case i >= len(s):
			return t, false
		case s[i] == '>':
			t.length = i + 1
			return t, true
		case s[i] == '/' && i+1 < len(s) && s[i+1] == '>':
			t.empty, t.length = true, i+2
			return t, true
		case gap == i || t.closing:
			return t, false
		}
		end := attributeEnd(s, i)
		if end < 0 {
			return t, false
		}
		i, t.length, t.attributes = end, end, true
	}
}

// attributeEnd is the index behind the attribute at s[i], -1 when there is none.
func attributeEnd(s string, i int) int {
	begin := i
	for i < len(s) && isName(s[i], false) {
		i++
	}
	if i == begin {
		return -1
	}
	for i < len(s) && isBlank(s[i]) {
		i++
	}
	if i >= len(s) || s[i] != '=' {
		return -1
	}
	for i++; i < len(s) && isBlank(s[i]); i++ {
	}
	if i >= len(s) {
		return -1
	}
	if q := s[i]; q == '"' || q == '\'' {
		end := strings.IndexByte(s[i+1:], q)
		if end < 0 {
			return -1
		}
		return i + 1 + end + 1
	}
	begin = i
	for i < len(s) && !isBlank(s[i]) && s[i] != '>' && s[i] != '<' {
		i++
	}
	if i == begin {
		return -1
	}
	if s[i-1] == '/' && i < len(s) && s[i] == '>' {
		i-- // <br class=x/>
	}
	return i
}

func isBlank(c byte) bool { return c == ' ' || c-'\t' < 5 }

func isName(c byte, first bool) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
		return true
	}
	return !first && (c >= '0' && c <= '9' || c == ':' || c == '-' || c == '_' || c == '.')
}

// closingTags are the names of all </name> of a text.
func closingTags(s string) map[string]bool {
	var names map[string]bool
	for {
		_, rest, found := strings.Cut(s, "</")
		if !found {
			return names
		}
		if t, ok := tagAt("</" + rest[:min(len(rest), 80)]); ok {
			if names == nil {
				names = make(map[string]bool)
			}
			names[t.name] = true
		}
		s = rest
	}
}

// closingTag is the index behind the first </name> in s; -1 when there is none.
func closingTag(s, name string) int {
	for at := 0; ; {
		next := strings.Index(s[at:], "</")
		if next < 0 {
			return -1
		}
		at += next
		if t, ok := tagAt(s[at:]); ok && t.name == name {
			return at + t.length
		}
		at += 2
	}
}

// What elements of HTML are to the words around their tags. All others part words.
var (
	// inline elements stand within words.
	inline = namesOf(`a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd mark nobr q rp rt ruby s samp small span
		strike strong sub sup time tt u var wbr`)
	// unread elements have a content that nobody reads either.
	unread = namesOf(`script style template`)
	// alone are those that are often not closed, or are where a text was cut. The name of any other element may be a word that an
	// editor has put in brackets, and needs a closing tag, an attribute or a slash.
	alone = namesOf(`b br dd div dt em hr i img li p span strong sub sup td th tr u wbr`)
)

func namesOf(list string) map[string]bool {
	names := make(map[string]bool)
	for _, name := range strings.Fields(list) {
		names[name] = true
	}
	return names
}
