package feed

import (
	"bytes"
	"encoding/json"
	"net/url"
	"path/filepath"
	"strings"
)

// absolute returns the line with each relative uri of its media as a file: URI, relative to base or from the
// root, and all other bytes as they are. A line without such a uri is returned itself, as is one that is not
// JSON of that form: the daemon tells what is wrong with it.
func absolute(line []byte, base string) []byte {
	// Most lines have no uri and are done here. A backslash may hide the name: "\u0075ri".
	if base == "" || !bytes.Contains(line, []byte(`"uri"`)) && !bytes.ContainsRune(line, '\\') {
		return line
	}
	var out []byte
	done := 0 // bytes of the line that are in out
	for _, s := range mediaURIs(line) {
		name, ok := fileName(s.uri)
		if !ok {
			continue
		}
		if !filepath.IsAbs(name) {
			name = filepath.Join(base, name)
		}
		out = append(out, line[done:s.start]...)
		out = append(out, '"')
		out = append(out, fileURI(name)...) // has nothing that JSON escapes
		out = append(out, '"')
		done = s.end
	}
	if done == 0 {
		return line
	}
	return append(out, line[done:]...)
}

// fileName is the name of a file that a relative uri means. The uri is a reference (RFC 3986,
// section 4.1), so its percent escapes are read; one that is none, such as "100% silk.jpg", is
// taken as it is written, and so are ? and #, since files have no queries.
func fileName(uri string) (name string, relative bool) {
	if uri == "" || strings.HasPrefix(uri, "//") || strings.ContainsRune(uri, 0) {
		return "", false
	}
	if scheme, _, ok := strings.Cut(uri, ":"); ok && isScheme(scheme) {
		return "", false
	}
	name, err := url.PathUnescape(uri)
	if err != nil || strings.ContainsRune(name, 0) {
		name = uri
	}
	return filepath.FromSlash(name), true
}

// isScheme tells whether what stands before a colon is a scheme (RFC 3986, section 3.1).
func isScheme(s string) bool {
	for i, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || !(r >= '0' && r <= '9' || r == '+' || r == '-' || r == '.')) {
			return false
		}
	}
	return s != ""
}

func fileURI(path string) string {
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(path)}).String()
}

// span is a string of a line, quotes included.
type span struct {
	start, end int
	uri        string
}

// mediaURIs finds the texts of media[].uri, and of media.uri where media is a single object. There
// are none in what is not JSON.
func mediaURIs(line []byte) []span {
	var found []span
	item := func(value []byte, at int) error {
		return eachField(value, at, func(name string, value []byte, at int) error {
			var uri string
			if name == "uri" && value[0] == '"' && json.Unmarshal(value, &uri) == nil {
				found = append(found, span{at, at + len(value), uri})
			}
			return nil
		})
	}
	err := eachField(line, 0, func(name string, value []byte, at int) error {
		switch {
		case name != "media":
			return nil
		case value[0] == '[':
			return eachElement(value, at, item)
		}
		return item(value, at)
	})
	if err != nil {
		return nil
	}
	return found
}

// eachField gives the fields of an object that stands at a place of the line, with their places. Of
// what is no object there are none.
func eachField(object []byte, at int, do func(name string, value []byte, at int) error) error {
	dec := json.NewDecoder(bytes.NewReader(object))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return err
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return err
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return err
		}
		// The decoder takes nothing but texts for names.
		if err := do(name.(string), value, at+int(dec.InputOffset())-len(value)); err != nil {
			return err
		}
	}
	_, err := dec.Token()
	return err
}

// eachElement gives the elements of an array in the same way.
func eachElement(array []byte, at int, do func(value []byte, at int) error) error {
	dec := json.NewDecoder(bytes.NewReader(array))
	if _, err := dec.Token(); err != nil {
		return err
	}
	for dec.More() {
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return err
		}
		if err := do(value, at+int(dec.InputOffset())-len(value)); err != nil {
			return err
		}
	}
	return nil
}
