package xmltree

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"kilim/daemon/feed/importer/tree"
)

const (
	maxDepth = 200
	maxNodes = 100_000
	// maxAround bounds what is kept of elements that are in no record.
	maxAround = 10_000
)

// Reader reads records.
type Reader struct {
	dec     *xml.Decoder
	bound   *tree.Bounded
	names   []string // of the elements that are records
	nested  bool
	open    []*tree.Node // the elements that are not closed, outermost first
	records []*inner     // those of them that are records
	around  int          // nodes kept of what is in no record
}

// inner is a record that is being read.
type inner struct {
	node   *tree.Node
	depth  int // of open, with the record itself
	nodes  int
	broken error
}

// New reads the elements with these local names as records, of at most so many bytes each. When they may be nested, one within another is a record
// of its own, given before the outer one, and knows what stands around it as its parent.
func New(in io.Reader, names []string, nested bool, bytes int) *Reader {
	bound := tree.NewBounded(transform.NewReader(in, unicode.BOMOverride(transform.Nop)), bytes)
	r := &Reader{dec: xml.NewDecoder(bound), bound: bound, names: names, nested: nested}
	r.dec.Entity = xml.HTMLEntity
	r.dec.CharsetReader = func(label string, in io.Reader) (io.Reader, error) {
		if strings.HasPrefix(strings.ToLower(label), "utf-16") {
			return in, nil // by its byte order mark it is UTF-8 by now
		}
		return charset.NewReaderLabel(label, in)
	}
	return r
}

// Next gives the next record that is closed; io.EOF after the last.
func (r *Reader) Next() (*tree.Node, error) {
	for {
		token, err := r.dec.Token()
		line, _ := r.dec.InputPos()
		switch {
		case errors.Is(err, io.EOF) && len(r.open) == 0:
			return nil, io.EOF
		case errors.Is(err, io.EOF):
			return nil, fmt.Errorf("line %d: the document ends within <%s>", line, r.open[len(r.open)-1].Name)
		case err != nil:
			return nil, r.failed(line, err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			r.start(t, line)
		case xml.CharData:
			r.text(t)
		case xml.EndElement:
			if done := r.end(); done != nil {
				if done.broken != nil {
					return nil, &tree.Broken{Line: done.node.Line, Err: done.broken}
				}
				return done.node, nil
			}
		}
		if len(r.records) == 0 {
			r.bound.Reset()
		}
	}
}

// failed tells at which record the document can't be read on.
func (r *Reader) failed(line int, err error) error {
	var syntax *xml.SyntaxError
	if errors.As(err, &syntax) {
		err = errors.New(syntax.Msg) // which has no line then
	}
	if len(r.records) > 0 {
		record := r.records[len(r.records)-1].node
		return fmt.Errorf("line %d: in the <%s> that begins in line %d: %w", line, record.Name, record.Line, err)
	}
	return fmt.Errorf("line %d: %w", line, err)
}

func (r *Reader) start(t xml.StartElement, line int) {
	n := &tree.Node{Name: t.Name.Local}
	isRecord := slices.Contains(r.names, n.Name) && (r.nested || len(r.records) == 0)
	var parent *tree.Node
	if len(r.open) > 0 {
		parent = r.open[len(r.open)-1]
	}
	n.Parent = parent
	r.open = append(r.open, n)
	if isRecord {
		n.Line = line
		r.records = append(r.records, &inner{node: n, depth: len(r.open)})
	}
	if !r.keep(1 + len(t.Attr)) {
		return
	}
	for _, a := range t.Attr {
		if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" && a.Name.Local != "schemaLocation" {
			n.Add(&tree.Node{Kind: tree.Attribute, Name: a.Name.Local, Text: a.Value})
		}
	}
	if parent != nil && !isRecord {
		parent.Add(n)
	}
}

// keep is true when so many nodes more may be held.
func (r *Reader) keep(nodes int) bool {
	if len(r.records) == 0 {
		if len(r.open) > maxDepth {
			return false
		}
		r.around += nodes
		return r.nested && r.around <= maxAround
	}
	in := r.records[len(r.records)-1]
	in.nodes += nodes
	switch {
	case in.broken != nil:
	case len(r.open)-in.depth >= maxDepth:
		in.broken = fmt.Errorf("more than %d elements in one another", maxDepth)
	case in.nodes > maxNodes:
		in.broken = fmt.Errorf("more than %d elements, attributes and texts", maxNodes)
	default:
		return true
	}
	in.node.Children = nil
	return false
}

func (r *Reader) text(t xml.CharData) {
	if len(r.open) == 0 || len(strings.TrimSpace(string(t))) == 0 || !r.keep(1) {
		return
	}
	r.open[len(r.open)-1].AddText(string(t))
}

// end closes an element, and gives it when it is a record.
func (r *Reader) end() *inner {
	depth := len(r.open)
	r.open = r.open[:depth-1]
	if n := len(r.records); n > 0 && r.records[n-1].depth == depth {
		done := r.records[n-1]
		r.records = r.records[:n-1]
		r.bound.Reset()
		return done
	}
	return nil
}
