package jsontree

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"kilim/daemon/feed/importer/tree"
)

const (
	maxDepth = 200
	maxNodes = 100_000
)

// Parse reads one value, which is to be an object.
func Parse(value []byte) (*tree.Node, error) {
	p := &parser{dec: json.NewDecoder(bytes.NewReader(value))}
	p.dec.UseNumber()
	root := &tree.Node{Name: "record"}
	t, err := p.dec.Token()
	if err != nil {
		return nil, torn(err)
	}
	if t != json.Delim('{') {
		return nil, fmt.Errorf("want an object, not %.40q", value)
	}
	if err := p.object(root, 1); err != nil {
		return nil, torn(err)
	}
	if _, err := p.dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something stands behind the object")
	}
	return root, nil
}

func torn(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// parser reads by tokens: what is nested too deep is refused before it is in memory.
type parser struct {
	dec   *json.Decoder
	nodes int
}

// object reads the fields of an object whose brace is read. Attributes come first, whatever their place is.
func (p *parser) object(into *tree.Node, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("more than %d values in one another", maxDepth)
	}
	var fields, attributes []*tree.Node
	for p.dec.More() {
		t, err := p.dec.Token()
		if err != nil {
			return err
		}
		name := t.(string) // the decoder takes nothing else for a name
		isAttribute := strings.HasPrefix(name, "@")
		name = name[strings.LastIndexAny(name, "@:")+1:]
		found, err := p.value(name, depth)
		if err != nil {
			return err
		}
		for _, n := range found {
			if isAttribute && len(n.Children) == 1 && n.Children[0].Kind == tree.Text {
				attributes = append(attributes, &tree.Node{Kind: tree.Attribute, Name: name, Text: n.Children[0].Text})
			} else {
				fields = append(fields, n)
			}
		}
	}
	for _, n := range append(attributes, fields...) {
		into.Add(n)
	}
	_, err := p.dec.Token()
	return err
}

// value reads a value as elements of a name: one for each element of an array.
func (p *parser) value(name string, depth int) (found []*tree.Node, err error) {
	if p.nodes++; p.nodes > maxNodes {
		return nil, fmt.Errorf("more than %d values", maxNodes)
	}
	if depth > maxDepth {
		return nil, fmt.Errorf("more than %d values in one another", maxDepth)
	}
	t, err := p.dec.Token()
	if err != nil {
		return nil, err
	}
	n := &tree.Node{Name: name}
	switch t {
	case nil:
		return nil, nil
	case json.Delim('{'):
		return []*tree.Node{n}, p.object(n, depth+1)
	case json.Delim('['):
		for p.dec.More() {
			more, err := p.value(name, depth+1)
			if err != nil {
				return nil, err
			}
			found = append(found, more...)
		}
		_, err := p.dec.Token()
		return found, err
	}
	n.AddText(fmt.Sprint(t))
	return []*tree.Node{n}, nil
}
