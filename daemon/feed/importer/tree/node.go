package tree

import (
	"fmt"
	"strings"
)

// Kind says what a Node is.
type Kind int

// Kinds of Node.
const (
	Element Kind = iota
	Attribute
	Text
)

// Node is a record, or a part of one.
type Node struct {
	Kind     Kind
	Name     string // without a prefix; of a Text, nothing
	Text     string // of an Attribute or a Text
	Line     int    // of a record: where it begins in the input
	Parent   *Node
	Children []*Node // those of Kind Attribute come first
	used     bool
	place    int // among the parent's children
}

// Add appends a node. A record that stands within another record knows its parent and is not added to it.
func (n *Node) Add(child *Node) {
	child.Parent, child.place = n, len(n.Children)
	n.Children = append(n.Children, child)
}

// AddText appends text as XPath's text().
func (n *Node) AddText(text string) {
	n.Add(&Node{Kind: Text, Text: text})
}

// Value is all text in the node, in its order.
func (n *Node) Value() string {
	switch {
	case n.Kind != Element:
		return n.Text
	case len(n.Children) == 1 && n.Children[0].Kind == Text:
		return n.Children[0].Text
	}
	var b strings.Builder
	n.value(&b)
	return b.String()
}

func (n *Node) value(b *strings.Builder) {
	for _, c := range n.Children {
		switch c.Kind {
		case Text:
			b.WriteString(c.Text)
		case Element:
			c.value(b)
		}
	}
}

// Use notes that the value of the node has been taken.
func (n *Node) Use() { n.used = true }

// Unused calls fn with the path below n and the text of each element and attribute whose value nobody has taken.
func (n *Node) Unused(fn func(path, text string)) { n.unused("", fn) }

func (n *Node) unused(path string, fn func(path, text string)) {
	if n.used {
		return
	}
	for _, c := range n.Children {
		switch {
		case c.used || c.Kind == Text && strings.TrimSpace(c.Text) == "":
		case c.Kind == Text:
			fn(path, c.Text)
		case c.Kind == Attribute:
			fn(join(path, "@"+c.Name), c.Text)
		default:
			c.unused(join(path, c.Name), fn)
		}
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "/" + name
}

// Broken says why a record can't be read. Those behind it can.
type Broken struct {
	Line int
	Err  error
}

func (b *Broken) Error() string { return fmt.Sprintf("line %d: %v", b.Line, b.Err) }
func (b *Broken) Unwrap() error { return b.Err }
