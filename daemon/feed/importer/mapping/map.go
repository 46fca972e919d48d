package mapping

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"kilim/consumer/profile"
	"kilim/daemon/feed/importer/tree"
)

// Formats of records.
const (
	Table = "table"
	XML   = "xml"
	JSON  = "json"
)

// Map says what an artifact is made of.
type Map struct {
	Format string
	Record []string // XML: names of the elements that are records
	Nested bool
	// Delimiter of a table; 0 looks for it.
	Delimiter rune

	id      []rule
	deleted tree.Selector
	fields  map[string][]rule
}

// rule is one source of a field.
type rule struct {
	source
	from, label, id, within tree.Selector
	match                   *regexp.Regexp
}

// source is a rule as it is written.
type source struct {
	From   string `yaml:"from"`
	Label  string `yaml:"label"`
	ID     string `yaml:"id"`
	Split  string `yaml:"split"`
	Match  string `yaml:"match"`
	Prefix string `yaml:"prefix"`
	Within string `yaml:"within"`
	Kind   string `yaml:"kind"`
	Type   string `yaml:"type"`
}

// sources may be written as one text, one source or a list of both.
type sources []source

// UnmarshalYAML reads any of the three.
func (s *sources) UnmarshalYAML(text []byte) error {
	var list []yaml.RawMessage
	if yaml.Unmarshal(text, &list) != nil {
		list = []yaml.RawMessage{text}
	}
	for _, one := range list {
		var src source
		var from string
		if yaml.Unmarshal(one, &from) == nil {
			src.From = from
		} else if err := yaml.NewDecoder(bytes.NewReader(one), yaml.DisallowUnknownField()).Decode(&src); err != nil {
			return err
		}
		if src.From == "" {
			return errors.New("a source without from")
		}
		*s = append(*s, src)
	}
	return nil
}

// written is a map as it is written.
type written struct {
	Format    string             `yaml:"format"`
	Record    []string           `yaml:"record"`
	Nested    bool               `yaml:"nested"`
	Delimiter string             `yaml:"delimiter"`
	ID        sources            `yaml:"id"`
	Deleted   string             `yaml:"deleted"`
	Fields    map[string]sources `yaml:"fields"`
}

//go:embed maps/*.yaml
var known embed.FS

// Names are those of the maps that come with kilim.
func Names() []string {
	files, err := fs.Glob(known, "maps/*.yaml")
	if err != nil {
		panic(fmt.Sprintf("mapping: the maps that come with kilim: %v", err)) // a wrong pattern
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(path.Base(f), ".yaml")
	}
	return files
}

// Named is the map of a name; false when there is none.
func Named(name string) (*Map, bool) {
	text, err := known.ReadFile("maps/" + name + ".yaml")
	if err != nil {
		return nil, false
	}
	m, err := Parse(text)
	if err != nil {
		panic(fmt.Sprintf("mapping: %s: %v", name, err)) // TestNamed reads each
	}
	return m, true
}

// Parse reads a map, and refuses what is not understood in it.
func Parse(text []byte) (*Map, error) {
	var w written
	if err := yaml.NewDecoder(bytes.NewReader(text), yaml.DisallowUnknownField()).Decode(&w); err != nil {
		return nil, fmt.Errorf("the map: %w", err)
	}
	m := &Map{Format: w.Format, Record: w.Record, Nested: w.Nested, fields: map[string][]rule{}}
	if d := []rune(w.Delimiter); len(d) == 1 {
		m.Delimiter = d[0]
	}
	switch {
	case w.Format != Table && w.Format != XML && w.Format != JSON:
		return nil, fmt.Errorf("the map: format %q: want %s, %s or %s", w.Format, Table, XML, JSON)
	case (w.Format == XML) != (len(w.Record) > 0):
		return nil, errors.New("the map: record: the names of the elements that are records, in xml and nowhere else")
	case w.Delimiter != "" && (w.Format != Table || m.Delimiter == 0 || strings.ContainsRune("\r\n\"\ufffd", m.Delimiter)):
		return nil, fmt.Errorf("the map: delimiter %q: want one character, of a table, that is no quote and no end of a line", w.Delimiter)
	case len(w.ID) == 0:
		return nil, errors.New("the map: id: want what an artifact's id is taken from")
	case len(w.Fields) == 0:
		return nil, errors.New("the map: fields: want at least one")
	}
	var err error
	if m.id, err = m.compile("id", w.ID); err != nil {
		return nil, err
	}
	if w.Deleted != "" {
		if m.deleted, err = m.selector(w.Deleted); err != nil {
			return nil, fmt.Errorf("the map: deleted: %w", err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(w.Fields)) {
		if !isField(name) {
			hint := ""
			if meant := profile.Suggest(name); meant != "" {
				hint = fmt.Sprintf(": did you mean %q?", meant)
			}
			return nil, fmt.Errorf("the map: %q is no field of an artifact%s", name, hint)
		}
		if m.fields[name], err = m.compile(name, w.Fields[name]); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *Map) compile(field string, list sources) (rules []rule, err error) {
	for _, s := range list {
		r := rule{source: s}
		for _, part := range []struct {
			text string
			into *tree.Selector
		}{{s.From, &r.from}, {s.Label, &r.label}, {s.ID, &r.id}, {s.Within, &r.within}} {
			if part.text == "" {
				continue
			}
			if *part.into, err = m.selector(part.text); err != nil {
				return nil, fmt.Errorf("the map: %s: %w", field, err)
			}
		}
		if s.Match != "" {
			if r.match, err = regexp.Compile(s.Match); err == nil && r.match.NumSubexp() != 1 {
				err = errors.New("want one group, which is what is taken")
			}
			if err != nil {
				return nil, fmt.Errorf("the map: %s: match %q: %w", field, s.Match, err)
			}
		}
		base, _, _ := strings.Cut(field, ".")
		switch {
		case s.Label != "" && m.Format == Table:
			return nil, fmt.Errorf("the map: %s: label is for xml and json: a table's is the column itself", field)
		case (s.Label != "" || s.ID != "") && !slices.Contains(lists, field):
			return nil, fmt.Errorf("the map: %s has no terms with label and id", field)
		case s.Split != "" && !slices.Contains(lists, field) && field != "media" && field != "link" && base != "theme":
			return nil, fmt.Errorf("the map: %s is one text: it can't be split", field)
		case (s.Prefix != "" || s.Within != "") && field != "id" && field != "link":
			return nil, fmt.Errorf("the map: %s: prefix and within are for ids and links", field)
		case (s.Kind != "") != (field == "media"):
			return nil, fmt.Errorf("the map: %s: media want a kind (image, audio or text), other fields none", field)
		case s.Kind != "" && s.Kind != profile.Image && s.Kind != profile.Audio && s.Kind != profile.Text:
			return nil, fmt.Errorf("the map: media: kind %q: want image, audio or text", s.Kind)
		case (s.Type != "") != (field == "link"):
			return nil, fmt.Errorf("the map: %s: links want a type, other fields none", field)
		}
		rules = append(rules, r)
	}
	return rules, nil
}

func (m *Map) selector(text string) (tree.Selector, error) {
	if m.Format == Table {
		return tree.Column(text), nil
	}
	return tree.CompileXPath(text)
}

// Columns are those of a table that the map takes an id from, and all that it takes something from.
func (m *Map) Columns() (id, all []string) {
	var names []string
	add := func(rules []rule) {
		for _, r := range rules {
			for _, name := range []string{r.From, r.ID, r.Within} {
				if name != "" && !slices.Contains(names, name) {
					names = append(names, name)
				}
			}
		}
	}
	add(m.id)
	id = slices.Clone(names)
	for _, field := range slices.Sorted(maps.Keys(m.fields)) {
		add(m.fields[field])
	}
	return id, names
}
