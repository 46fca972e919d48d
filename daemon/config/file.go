package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// entry is a value of the file.
type entry struct {
	text string
	line int
}

// parseFile reads a YAML file: sections are mappings, values are scalars. The
// values that can't be read are noted as faults and left out.
func (l *Loader) parseFile(text []byte) map[string]entry {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		l.fault("config", "", "%s: %s", l.path, yamlMessage(err))
		return nil
	}
	entries := map[string]entry{}
	for i, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if i > 0 {
			l.fault("config", l.at(doc.Body.GetToken().Position.Line), "a second document: want one")
			break
		}
		l.walk("", doc.Body, entries)
	}
	return entries
}

// yamlMessage is the parser's message with its line, without the picture of the place.
func yamlMessage(err error) string {
	var syntax yaml.Error
	if errors.As(err, &syntax) {
		return fmt.Sprintf("line %d: %s", syntax.GetToken().Position.Line, syntax.GetMessage())
	}
	return err.Error()
}

func (l *Loader) walk(path string, node ast.Node, into map[string]entry) {
	line := node.GetToken().Position.Line
	switch n := node.(type) {
	case *ast.MappingNode:
		for _, v := range n.Values {
			l.pair(path, v, into)
		}
	case *ast.MappingValueNode:
		l.pair(path, n, into)
	case *ast.NullNode: // "key:" with nothing behind it leaves the key as it is
	case *ast.CommentGroupNode:
	case *ast.StringNode:
		l.value(path, n.Value, line, into)
	case *ast.LiteralNode:
		l.value(path, n.Value.Value, line, into)
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NanNode, *ast.InfinityNode:
		l.value(path, node.GetToken().Value, line, into)
	case *ast.SequenceNode:
		l.list(path, n, into)
	default:
		l.fault(orRoot(path), l.at(line), "a %s: want a single value", strings.ToLower(node.Type().String()))
	}
}

func (l *Loader) pair(path string, v *ast.MappingValueNode, into map[string]entry) {
	key := v.Key.GetToken().Value
	if path != "" {
		key = path + "." + key
	}
	if !l.isKey(key) && !l.isSection(key) {
		l.fault(key, l.at(v.Key.GetToken().Position.Line), "unknown key; `kilim config` prints those that there are")
		return
	}
	l.walk(key, v.Value, into)
}

func (l *Loader) isKey(path string) bool { _, ok := l.known[path]; return ok }

func (l *Loader) isSection(path string) bool {
	for key := range l.known {
		if strings.HasPrefix(key, path+".") {
			return true
		}
	}
	return false
}

func (l *Loader) value(path, text string, line int, into map[string]entry) {
	f, ok := l.known[path]
	if !ok {
		l.fault(orRoot(path), l.at(line), "%q: want a mapping of keys to values", text)
		return
	}
	if first, twice := into[path]; twice {
		l.fault(path, l.at(line), "given twice, first in line %d", first.line)
		return
	}
	if err := f.try(text); err != nil {
		l.fault(path, l.at(line), "%q: want %s", text, f.kind())
		return
	}
	into[path] = entry{text, line}
}

// list takes the entries of a sequence, where the key is a List.
func (l *Loader) list(path string, seq *ast.SequenceNode, into map[string]entry) {
	line := seq.GetToken().Position.Line
	f, ok := l.known[path]
	if ok {
		_, ok = f.Target.Interface().(List)
	}
	if !ok {
		l.fault(orRoot(path), l.at(line), "a sequence: want a single value")
		return
	}
	var entries []string
	for _, v := range seq.Values {
		s, ok := v.(*ast.StringNode)
		if !ok || strings.Contains(s.Value, ",") {
			l.fault(path, l.at(v.GetToken().Position.Line), "%s: want a text without a comma", v.String())
			return
		}
		entries = append(entries, s.Value)
	}
	l.value(path, List(entries).String(), line, into)
}

func orRoot(path string) string {
	if path == "" {
		return "config"
	}
	return path
}
