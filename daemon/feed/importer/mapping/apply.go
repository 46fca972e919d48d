package mapping

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"kilim/daemon/feed/importer/tree"
)

var (
	// lists are the fields that hold terms.
	lists = []string{"creator", "culture", "period", "dynasty", "reign", "style", "place", "material", "technique", "type", "subject", "collection"}
	// texts are those that hold one text.
	texts = []string{"title", "description", "language", "digitized"}
	// parts are those that stand within an object of the artifact, but for themes.
	parts = []string{"date", "date.begin", "date.end", "date.text", "location.lat", "location.lon", "media", "link"}
)

func isField(name string) bool {
	theme, isTheme := strings.CutPrefix(name, "theme.")
	return slices.Contains(lists, name) || slices.Contains(texts, name) || slices.Contains(parts, name) || isTheme && theme != ""
}

// term is one of an artifact's terms.
type term struct {
	ID    string `json:"id,omitempty"`
	Label string `json:"label,omitempty"`
}

// errNoID is of a record that can't be told from others.
var errNoID = errors.New("no id: nothing stands where the map takes it from")

// Apply makes an artifact's JSON of a record, and counts in the report. The error is a *tree.Broken.
func (m *Map) Apply(record *tree.Node, report *Report) ([]byte, error) {
	id := ""
	for _, r := range m.id {
		if v := r.values(record); len(v) > 0 {
			id = r.named(v[0], record)
			break
		}
	}
	if id == "" {
		return nil, &tree.Broken{Line: record.Line, Err: errNoID}
	}
	a := map[string]any{"id": id}
	if m.deleted != nil {
		if v := m.deleted.Select(record); len(v) > 0 && v[0].Value() != "" {
			a["__deleted"] = true
			return encoded(a)
		}
	}
	for _, field := range slices.Sorted(maps.Keys(m.fields)) {
		if put(a, field, m.fields[field], record) {
			report.mapped(field)
		}
	}
	report.unmapped(record)
	return encoded(a)
}

// named is the id of an artifact that a record calls so.
func (r *rule) named(id string, record *tree.Node) string {
	if r.within != nil {
		for _, n := range r.within.Select(record) {
			return r.Prefix + strings.TrimSpace(n.Value()) + "/" + id
		}
	}
	return r.Prefix + id
}

// encoded is JSON of one line, as short as it can be.
func encoded(a map[string]any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(a); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// put is true when there was something for the field.
func put(a map[string]any, field string, rules []rule, record *tree.Node) bool {
	base, part, _ := strings.Cut(field, ".")
	var found any
	switch {
	case slices.Contains(lists, field):
		found = terms(rules, record)
	case base == "description":
		found = strings.Join(all(rules, record), "\n\n")
	case base == "media":
		found = media(rules, record)
	case base == "link":
		found = links(rules, record, a["id"].(string))
	case base == "theme":
		found = all(rules, record)
	case base == "location":
		if n, err := strconv.ParseFloat(first(rules, record), 64); err == nil {
			found = n
		}
	case field == "date":
		return putDate(a, first(rules, record))
	default:
		found = first(rules, record)
	}
	if isEmpty(found) {
		return false
	}
	if part == "" {
		a[field] = found
		return true
	}
	inner, ok := a[base].(map[string]any)
	if !ok {
		inner = map[string]any{}
		a[base] = inner
	}
	inner[part] = found
	return true
}

func isEmpty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []string:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return false
}

// putDate keeps the text, and its years where it has any. A source of its own for a part is stronger: "date" is put before
// "date.begin".
func putDate(a map[string]any, text string) bool {
	if text == "" {
		return false
	}
	date := map[string]any{"text": text}
	if begin, end, ok := years(text); ok {
		date["begin"], date["end"] = begin, end
	}
	a["date"] = date
	return true
}

// values are the texts that the rule finds, split, without white space at their ends.
func (r *rule) values(record *tree.Node) (found []string) {
	for _, n := range r.from.Select(record) {
		n.Use()
		for _, v := range r.cut(n.Value()) {
			if v != "" {
				found = append(found, v)
			}
		}
	}
	return found
}

func (r *rule) cut(text string) []string {
	pieces := []string{text}
	switch {
	case r.match != nil:
		pieces = nil
		for _, m := range r.match.FindAllStringSubmatch(text, -1) {
			pieces = append(pieces, m[1])
		}
	case r.Split != "":
		pieces = strings.Split(text, r.Split)
	}
	for i, p := range pieces {
		pieces[i] = strings.Join(strings.Fields(p), " ")
	}
	return pieces
}

// first is the first text of the first rule that has one.
func first(rules []rule, record *tree.Node) string {
	for _, r := range rules {
		if v := r.values(record); len(v) > 0 {
			return v[0]
		}
	}
	return ""
}

// all are the texts of all rules, each once.
func all(rules []rule, record *tree.Node) (found []string) {
	for _, r := range rules {
		for _, v := range r.values(record) {
			if !slices.Contains(found, v) {
				found = append(found, v)
			}
		}
	}
	return found
}

func media(rules []rule, record *tree.Node) (found []any) {
	seen := map[string]bool{}
	for _, r := range rules {
		for _, v := range r.values(record) {
			if !seen[v] {
				seen[v] = true
				place := "uri"
				if r.Kind == "text" {
					place = "text"
				}
				found = append(found, map[string]string{"kind": r.Kind, place: v})
			}
		}
	}
	return found
}

// links leaves out those to the artifact itself.
func links(rules []rule, record *tree.Node, self string) (found []any) {
	seen := map[[2]string]bool{}
	for _, r := range rules {
		for _, v := range r.values(record) {
			if to := r.named(v, record); to != self && !seen[[2]string{r.Type, to}] {
				seen[[2]string{r.Type, to}] = true
				found = append(found, map[string]string{"type": r.Type, "target": to})
			}
		}
	}
	return found
}

func terms(rules []rule, record *tree.Node) (found []any) {
	seen := map[term]bool{}
	for _, r := range rules {
		for _, t := range r.terms(record) {
			if t == (term{}) || seen[t] {
				continue
			}
			seen[t] = true
			if t.ID == "" {
				found = append(found, t.Label)
			} else {
				found = append(found, t)
			}
		}
	}
	return found
}

// isURI is true for what has a scheme. A number of one vocabulary is another term in the next: as the id of a term it would
// make two of them one.
func isURI(id string) bool {
	scheme, rest, ok := strings.Cut(id, ":")
	return ok && rest != "" && scheme != "" && strings.Trim(strings.ToLower(scheme), "abcdefghijklmnopqrstuvwxyz0123456789+.-") == ""
}

func (r *rule) terms(record *tree.Node) (found []term) {
	for _, n := range r.from.Select(record) {
		if r.label == nil {
			n.Use()
		}
		var ids []string
		within := n
		if _, isColumn := r.id.(tree.Column); isColumn {
			within = record
		}
		if r.id != nil {
			for _, id := range r.id.Select(within) {
				if found := r.cut(id.Value()); slices.ContainsFunc(found, isURI) {
					id.Use()
					ids = append(ids, found...)
				}
			}
		}
		var labels []string
		if r.label == nil {
			labels = r.cut(n.Value())
		} else {
			for _, label := range r.label.Select(n)[:min(1, len(r.label.Select(n)))] {
				label.Use()
				labels = append(labels, r.cut(label.Value())...)
			}
		}
		// Terms in other languages and ids of other vocabularies stand beside the first: one term has one of each.
		if r.Split == "" && r.match == nil {
			ids, labels = ids[:min(1, len(ids))], labels[:min(1, len(labels))]
		}
		if len(labels) == 0 {
			labels = make([]string, len(ids))
		}
		for i, label := range labels {
			t := term{Label: label}
			if len(ids) == len(labels) && isURI(ids[i]) {
				t.ID = ids[i]
			}
			found = append(found, t)
		}
	}
	return found
}
