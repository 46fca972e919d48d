package tree

import (
	"fmt"
	"strconv"

	"github.com/antchfx/xpath"
)

// Selector chooses what a field is taken from.
type Selector interface {
	// Select gives the nodes within a record, or within a part of one. What an expression computes is a node of its own.
	Select(from *Node) []*Node
}

// Column is the Selector of a table: the column of that name.
type Column string

// Select gives the cells of the column.
func (c Column) Select(from *Node) (found []*Node) {
	for _, n := range from.Children {
		if n.Name == string(c) {
			found = append(found, n)
		}
	}
	return found
}

// XPath is the Selector of a tree: an expression of XPath 1.0, whose context is the record. Names are without prefixes.
type XPath struct{ expr *xpath.Expr }

// CompileXPath refuses what is no expression.
func CompileXPath(text string) (*XPath, error) {
	expr, err := xpath.Compile(text)
	if err != nil {
		return nil, fmt.Errorf("XPath %q: %w", text, err)
	}
	return &XPath{expr}, nil
}

// Select evaluates the expression. One that is not of nodes gives its text, or nothing when that is empty.
func (x *XPath) Select(from *Node) []*Node {
	var text string
	switch v := x.expr.Evaluate(&navigator{from}).(type) {
	case *xpath.NodeIterator:
		var found []*Node
		for v.MoveNext() {
			found = append(found, v.Current().(*navigator).at)
		}
		return found
	case string:
		text = v
	case float64:
		text = strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		if v {
			text = "true"
		}
	}
	if text == "" {
		return nil
	}
	return []*Node{{Kind: Text, Text: text}}
}

// navigator is a Node as package xpath walks it.
type navigator struct{ at *Node }

func (n *navigator) NodeType() xpath.NodeType {
	switch n.at.Kind {
	case Attribute:
		return xpath.AttributeNode
	case Text:
		return xpath.TextNode
	}
	if n.at.Parent == nil && n.at.Name == "" {
		return xpath.RootNode
	}
	return xpath.ElementNode
}

func (n *navigator) LocalName() string         { return n.at.Name }
func (n *navigator) Prefix() string            { return "" }
func (n *navigator) Value() string             { return n.at.Value() }
func (n *navigator) Copy() xpath.NodeNavigator { return &navigator{n.at} }
func (n *navigator) String() string            { return n.at.Value() }
func (n *navigator) MoveTo(o xpath.NodeNavigator) bool {
	n.at = o.(*navigator).at
	return true
}

func (n *navigator) MoveToRoot() {
	for n.MoveToParent() {
	}
}

func (n *navigator) MoveToParent() bool { return n.move(n.at.Parent) }

func (n *navigator) MoveToChild() bool {
	for _, c := range n.at.Children {
		if c.Kind != Attribute {
			return n.move(c)
		}
	}
	return false
}

func (n *navigator) MoveToNextAttribute() bool {
	if n.at.Kind == Attribute {
		return n.sibling(1, true)
	}
	if len(n.at.Children) > 0 && n.at.Children[0].Kind == Attribute {
		return n.move(n.at.Children[0])
	}
	return false
}

func (n *navigator) MoveToFirst() bool {
	if n.at.Kind == Attribute || !n.sibling(-1, false) {
		return false
	}
	for n.sibling(-1, false) {
	}
	return true
}

func (n *navigator) MoveToNext() bool     { return n.at.Kind != Attribute && n.sibling(1, false) }
func (n *navigator) MoveToPrevious() bool { return n.at.Kind != Attribute && n.sibling(-1, false) }

// sibling moves by so many places, to a node that is an attribute or is none. A record within a record has no siblings:
// its parent does not hold it.
func (n *navigator) sibling(by int, attribute bool) bool {
	p := n.at.Parent
	if p == nil || n.at.place >= len(p.Children) || p.Children[n.at.place] != n.at {
		return false
	}
	to := n.at.place + by
	return to >= 0 && to < len(p.Children) && (p.Children[to].Kind == Attribute) == attribute && n.move(p.Children[to])
}

func (n *navigator) move(to *Node) bool {
	if to == nil {
		return false
	}
	n.at = to
	return true
}
