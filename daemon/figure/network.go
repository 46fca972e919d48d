package figure

import (
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
)

// Graph is what is drawn as a network: the first of Nodes is whom it is about.
type Graph struct {
	Nodes   []Node
	Edges   []Edge
	Caption string
}

// Node is an artifact.
type Node struct {
	ID, Label string
	// Group is what its colour tells, a culture say; "" is none.
	Group string
}

// Edge joins two Nodes by their places. Score is how alike they are.
type Edge struct {
	A, B  int
	Score float64
}

// groupColours are those of Okabe and Ito, which are told apart by who confuses colours. The last one is for all other groups, and for none.
var groupColours = []color.Color{
	color.RGBA{0xe6, 0x9f, 0x00, 0xff}, color.RGBA{0x56, 0xb4, 0xe9, 0xff}, color.RGBA{0x00, 0x9e, 0x73, 0xff}, color.RGBA{0xcc, 0x79, 0xa7, 0xff},
	color.RGBA{0x00, 0x72, 0xb2, 0xff}, color.RGBA{0xd5, 0x5e, 0x00, 0xff}, color.RGBA{0xf0, 0xe4, 0x42, 0xff}, color.Gray{0xa0},
}

const (
	networkWidth, networkHeight = 170 * vg.Millimeter, 120 * vg.Millimeter
	legendRoom                  = 9 * vg.Millimeter
)

// Network draws artifacts so that those that are alike are near: an edge is the thicker, the more alike they are, the node of whom it is about is the largest.
func Network(g *Graph) *Figure {
	f := &Figure{width: networkWidth, height: networkHeight}
	f.draw = func(p *pen) {
		at := places(g, vg.Point{X: 24 * vg.Millimeter, Y: legendRoom + 10*vg.Millimeter}, vg.Point{X: networkWidth - 24*vg.Millimeter, Y: networkHeight - 8*vg.Millimeter})
		worst, best := scores(g)
		thickest := vg.Length(2.4 * min(1, math.Sqrt(40/float64(len(g.Edges)))))
		for _, e := range g.Edges {
			width := within(e.Score, worst, best, 0.4, thickest)
			p.line(color.Gray{uint8(0xe0 - 0x18*float64(width))}, width, at[e.A], at[e.B])
		}
		groups := groupsOf(g)
		for i, n := range g.Nodes {
			radius := 1.6 * vg.Millimeter
			if i == 0 {
				radius = 2.6 * vg.Millimeter
			}
			p.disc(color.White, at[i], radius+0.4*vg.Millimeter)
			p.disc(groupColours[groups[n.Group]], at[i], radius)
		}
		for i, n := range g.Nodes {
			size, radius := vg.Length(small), 1.6*vg.Millimeter
			if i == 0 {
				size, radius = normal, 2.6*vg.Millimeter
			}
			below := vg.Point{X: at[i].X, Y: at[i].Y - radius - size*0.9}
			label, style := shorten(p.drawable(n.Label, n.ID, fmt.Sprintf("no. %d", i+1)), 28), p.style(size, ink, text.XCenter, text.YCenter)
			half, line := style.Width(label)/2+0.3*vg.Millimeter, size*0.6
			p.fill(color.NRGBA{0xff, 0xff, 0xff, 0xc8}, vg.Point{X: below.X - half, Y: below.Y - line}, vg.Point{X: below.X + half, Y: below.Y - line},
				vg.Point{X: below.X + half, Y: below.Y + line}, vg.Point{X: below.X - half, Y: below.Y + line})
			p.text(style, below, label)
		}
		p.legend(groups)
		p.text(p.style(small, quiet, text.XLeft, text.YBottom), vg.Point{X: margin, Y: margin / 2}, g.Caption)
	}
	return f
}

// groupsOf numbers groups by their colours: the first is that of whom it is about, then those with the most nodes, and the last colour is for the others.
func groupsOf(g *Graph) map[string]int {
	counts := map[string]int{}
	var names []string
	for _, n := range g.Nodes {
		if counts[n.Group]++; counts[n.Group] == 1 && n.Group != "" {
			names = append(names, n.Group)
		}
	}
	if len(names) > 1 {
		rest := names[1:]
		slices.SortStableFunc(rest, func(a, b string) int { return counts[b] - counts[a] })
	}
	out := map[string]int{"": len(groupColours) - 1}
	for i, name := range names {
		out[name] = min(i, len(groupColours)-1)
	}
	return out
}

func (p *pen) legend(groups map[string]int) {
	names := make([]string, len(groupColours))
	for name, place := range groups {
		if place < len(groupColours)-1 {
			names[place] = name
		} else {
			names[place] = "other, or not known"
		}
	}
	x := margin
	for place, name := range names {
		if name == "" {
			continue
		}
		p.disc(groupColours[place], vg.Point{X: x + vg.Millimeter, Y: legendRoom}, vg.Millimeter)
		label, style := shorten(p.drawable(name, fmt.Sprintf("group %d", place+1)), labelRunes), p.style(small, ink, text.XLeft, text.YCenter)
		p.text(style, vg.Point{X: x + 3*vg.Millimeter, Y: legendRoom}, label)
		x += style.Width(label) + 7*vg.Millimeter
	}
}
