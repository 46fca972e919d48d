package profile

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// wellFormed checks everything about the bytes that does not depend on the
// profile. Afterwards a cursor may walk them without looking for faults.
func wellFormed(b []byte, lim Limits) *Refusal {
	if len(b) > lim.RecordBytes {
		return Refuse(ReasonTooLarge, "record", "", "%d bytes, the limit is %d", len(b), lim.RecordBytes)
	}
	if !utf8.Valid(b) {
		return Refuse(ReasonNotUTF8, "record", firstInvalid(b), "bytes that are not UTF-8")
	}
	// Before json.Valid, whose own limit on nesting is far above ours.
	if r := nesting(b, lim.Depth); r != nil {
		return r
	}
	if !json.Valid(b) {
		var v json.RawMessage
		return Refuse(ReasonNotJSON, "record", string(b[:min(len(b), 2*valueBytes)]), "%v", json.Unmarshal(b, &v))
	}
	return nil
}

func firstInvalid(b []byte) string {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return string(b[i:min(len(b), i+8)])
		}
		i += n
	}
	return ""
}

// nesting looks for brackets nested too deeply and for escapes of lone
// surrogates, which are no characters: encoding/json would replace them, and
// two different ids would become one. It does not care whether b is JSON.
func nesting(b []byte, limit int) *Refusal {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '{', '[':
			if depth++; depth > limit {
				return Refuse(ReasonTooDeep, "record", "", "nested deeper than %d", limit)
			}
		case '}', ']':
			depth--
		case '"':
			end := stringEnd(b, i)
			if bytes.IndexByte(b[i:end], '\\') >= 0 && loneSurrogate(b[i:end]) {
				return Refuse(ReasonNotUTF8, "record", string(b[i:end]), "a lone surrogate")
			}
			i = end - 1
		}
	}
	return nil
}

// stringEnd is the index after the string that starts at b[i], or len(b).
func stringEnd(b []byte, i int) int {
	for i++; i < len(b); i++ {
		switch b[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
	return len(b)
}

func loneSurrogate(s []byte) bool {
	for i := 0; i+1 < len(s); i++ {
		if s[i] != '\\' {
			continue
		}
		u, ok := escape(s[i:])
		switch {
		case !ok || u < 0xD800 || u > 0xDFFF:
			i++ // also over the second byte of \\ and \"
		case u >= 0xDC00:
			return true
		default:
			low, ok := escape(s[min(len(s), i+6):])
			if !ok || low < 0xDC00 || low > 0xDFFF {
				return true
			}
			i += 11
		}
	}
	return false
}

// escape reads a \uXXXX at the beginning of s.
func escape(s []byte) (u uint32, ok bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	for _, c := range s[2:6] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		u = u<<4 | uint32(c)
	}
	return u, true
}

// cursor walks over bytes that wellFormed has accepted.
type cursor struct {
	b []byte
	i int
}

// peek is the first byte of the value at the cursor: one of { [ " t f n, a
// digit or a minus.
func (c *cursor) peek() byte {
	for c.i < len(c.b) {
		switch c.b[c.i] {
		case ' ', '\t', '\r', '\n':
			c.i++
		default:
			return c.b[c.i]
		}
	}
	return 0
}

// skip moves over one value and gives its bytes.
func (c *cursor) skip() []byte {
	first := c.peek()
	start := c.i
	switch first {
	case '"':
		c.i = stringEnd(c.b, c.i)
	case '{', '[':
		for depth := 0; c.i < len(c.b); c.i++ {
			switch c.b[c.i] {
			case '{', '[':
				depth++
			case '}', ']':
				depth--
			case '"':
				c.i = stringEnd(c.b, c.i) - 1
			}
			if depth == 0 {
				c.i++
				break
			}
		}
	default:
		for c.i < len(c.b) && !endsScalar(c.b[c.i]) {
			c.i++
		}
	}
	return c.b[start:c.i]
}

func endsScalar(b byte) bool {
	switch b {
	case ' ', '\t', '\r', '\n', ',', ']', '}':
		return true
	}
	return false
}

// null moves over a null, if there is one.
func (c *cursor) null() bool {
	if c.peek() != 'n' {
		return false
	}
	c.i += len("null")
	return true
}

// str reads the string at the cursor.
func (c *cursor) str() string {
	start := c.i
	c.i = stringEnd(c.b, c.i)
	quoted := c.b[start:c.i]
	if bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted[1 : len(quoted)-1])
	}
	var s string
	if err := json.Unmarshal(quoted, &s); err != nil {
		panic("profile: cursor on a string that encoding/json refuses: " + err.Error())
	}
	return s
}

// array calls each with the index of every element; each must consume it.
func (c *cursor) array(each func(i int) error) error {
	c.i++ // [
	for i := 0; ; i++ {
		switch c.peek() {
		case ']':
			c.i++
			return nil
		case ',':
			c.i++
			c.peek()
		}
		if err := each(i); err != nil {
			return err
		}
	}
}

// object calls each with the name of every field; each must consume the value
// at the cursor. A name that comes twice is refused: readers differ on which
// of the two counts.
func (c *cursor) object(path string, each func(name string) error) error {
	var names nameSet
	c.i++ // {
	for {
		switch c.peek() {
		case '}':
			c.i++
			return nil
		case ',':
			c.i++
			c.peek()
		}
		name := c.str()
		if !names.add(name) {
			return Refuse(ReasonDuplicateField, join(path, name), "", "given twice")
		}
		c.peek()
		c.i++ // :
		c.peek()
		if err := each(name); err != nil {
			return err
		}
	}
}

// nameSet is a small set of names: a list, until that would be slow.
type nameSet struct {
	few  [24]string
	n    int
	many map[string]struct{}
}

func (s *nameSet) add(name string) bool {
	if s.many != nil {
		_, there := s.many[name]
		s.many[name] = struct{}{}
		return !there
	}
	for _, have := range s.few[:s.n] {
		if have == name {
			return false
		}
	}
	if s.n < len(s.few) {
		s.few[s.n] = name
		s.n++
		return true
	}
	s.many = make(map[string]struct{}, 4*len(s.few))
	for _, have := range s.few {
		s.many[have] = struct{}{}
	}
	s.many[name] = struct{}{}
	return true
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
