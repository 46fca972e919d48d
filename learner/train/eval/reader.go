package eval

import (
	"encoding/json"
	"fmt"
	"math"
)

// reader makes a Truth line by line.
type reader struct {
	Truth
	most        bounds
	ids         map[string]bool // of labels
	told        map[pair]bool   // with A before B
	terms, kept int
}

func newReader(most bounds) *reader {
	return &reader{most: most, ids: map[string]bool{}, told: map[pair]bool{}}
}

func (t *reader) add(line []byte) error {
	var row struct {
		A     *string         `json:"a"`
		B     *string         `json:"b"`
		Grade *float64        `json:"grade"`
		ID    *string         `json:"id"`
		Theme json.RawMessage `json:"theme"`
	}
	if err := json.Unmarshal(line, &row); err != nil {
		return err
	}
	if row.A == nil && row.B == nil {
		return t.addLabel(row.ID, row.Theme)
	}
	if len(t.labels) > 0 {
		return fmt.Errorf("a pair (a, b) among lines of ids: a file has one kind")
	}
	p := pair{}
	switch {
	case row.A == nil || *row.A == "":
		return fmt.Errorf("a: is missing")
	case row.B == nil || *row.B == "":
		return fmt.Errorf("b: is missing")
	case *row.A == *row.B:
		return fmt.Errorf("a and b are both %q", *row.A)
	case row.Grade == nil || !(*row.Grade > 0) || math.IsInf(*row.Grade, 0):
		return fmt.Errorf("grade: want a number above 0")
	}
	p.A, p.B, p.Grade = *row.A, *row.B, *row.Grade
	if len(row.Theme) > 0 {
		if err := json.Unmarshal(row.Theme, &p.Theme); err != nil {
			return fmt.Errorf("theme: want a name: %w", err)
		}
	}
	return t.addPair(p)
}

func (t *reader) addPair(p pair) error {
	key := p
	if key.A > key.B {
		key.A, key.B = key.B, key.A
	}
	if t.told[key] {
		return nil
	}
	if len(t.pairs) == t.most.pairs {
		return fmt.Errorf("%w: more than %d pairs", ErrTooLarge, t.most.pairs)
	}
	t.told[key] = true
	t.pairs = append(t.pairs, p)
	return t.keep(len(p.A) + len(p.B) + len(p.Theme))
}

func (t *reader) addLabel(id *string, themes json.RawMessage) error {
	if len(t.pairs) > 0 {
		return fmt.Errorf("an id among pairs: a file has one kind")
	}
	if id == nil || *id == "" {
		return fmt.Errorf("id: is missing (or a and b)")
	}
	if t.ids[*id] {
		return fmt.Errorf("id %q: comes twice", *id)
	}
	if len(t.labels) == t.most.labels {
		return fmt.Errorf("%w: more than %d ids", ErrTooLarge, t.most.labels)
	}
	t.ids[*id] = true
	var byName map[string][]string
	if len(themes) > 0 {
		if err := json.Unmarshal(themes, &byName); err != nil {
			return fmt.Errorf("theme: want {name: [terms]}: %w", err)
		}
	}
	size := len(*id)
	for name, terms := range byName {
		t.terms += len(terms)
		size += len(name)
		for _, term := range terms {
			size += len(term)
		}
	}
	if t.terms > t.most.terms {
		return fmt.Errorf("%w: more than %d terms", ErrTooLarge, t.most.terms)
	}
	t.labels = append(t.labels, labelled(*id, byName))
	return t.keep(size)
}

// keep counts the bytes of texts that stay in memory.
func (t *reader) keep(n int) error {
	if t.kept += n; t.kept > t.most.kept {
		return fmt.Errorf("%w: ids, themes and terms have more than %d bytes", ErrTooLarge, t.most.kept)
	}
	return nil
}
