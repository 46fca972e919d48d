package figure

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
)

// Plane is what is drawn as a map.
type Plane struct {
	Points []Point
	// Groups are what colours tell, the largest first.
	Groups []Group
	// Caption has a line or two.
	Caption []string
}

// Point is an artifact at a place in the unit square, Y downwards. Group is 0 for none, n for the n-th of Groups, and greater than their number for another.
type Point struct {
	X, Y  float64
	Group int
}

// Group is a value, and how many artifacts have it.
type Group struct {
	Label string
	Size  int
}

const (
	mapSide     = 120 * vg.Millimeter
	mapLegend   = 42 * vg.Millimeter
	captionRoom = 11 * vg.Millimeter
	mapRow      = 5 * vg.Millimeter
)

// Map draws artifacts where a map has them, in the colours of the largest groups. Points of no such group are drawn first and grey, so that they hide no other.
func Map(plane *Plane) *Figure {
	f := &Figure{width: margin + mapSide + margin + mapLegend, height: captionRoom + mapSide + margin}
	f.draw = func(p *pen) {
		last := len(groupColours) - 1
		by, others := make([][]Point, last+1), 0
		for _, q := range plane.Points {
			colour := last
			if q.Group > 0 && q.Group <= min(last, len(plane.Groups)) {
				colour = q.Group - 1
			} else {
				others++
			}
			by[colour] = append(by[colour], q)
		}
		// A hundred points are discs that are seen one by one; of more, each is the smaller.
		radius := max(0.2*vg.Millimeter, min(1*vg.Millimeter, mapSide*0.15/vg.Length(math.Sqrt(float64(len(plane.Points)+1)))))
		for _, colour := range append([]int{last}, upTo(last)...) {
			p.discs(groupColours[colour], by[colour], radius)
		}
		y := captionRoom + mapSide - mapRow
		row := func(c color.Color, label string, n int) {
			at := vg.Point{X: margin + mapSide + margin, Y: y}
			p.disc(c, at, vg.Millimeter)
			p.text(p.style(small, ink, text.XLeft, text.YCenter), vg.Point{X: at.X + 2.5*vg.Millimeter, Y: y}, fmt.Sprintf("%s  %d", label, n))
			y -= mapRow
		}
		for i, g := range plane.Groups[:min(last, len(plane.Groups))] {
			row(groupColours[i], shorten(p.drawable(g.Label, fmt.Sprintf("group %d", i+1)), labelRunes), g.Size)
		}
		if others > 0 {
			row(groupColours[last], "other, or not known", others)
		}
		for i, line := range plane.Caption {
			p.text(p.style(small, quiet, text.XLeft, text.YBottom), vg.Point{X: margin, Y: margin/2 + vg.Length(len(plane.Caption)-1-i)*small*1.4}, line)
		}
	}
	return f
}

// discs draws points as one path: of an archive's many each would else bring its colour along.
func (p *pen) discs(c color.Color, points []Point, radius vg.Length) {
	if len(points) == 0 {
		return
	}
	var path vg.Path
	for _, q := range points {
		at := vg.Point{X: margin + vg.Length(q.X)*mapSide, Y: captionRoom + vg.Length(1-q.Y)*mapSide}
		path.Move(vg.Point{X: at.X + radius, Y: at.Y})
		path.Arc(at, radius, 0, 2*math.Pi)
		path.Close()
	}
	p.canvas.SetColor(c)
	p.canvas.Fill(path)
}

func upTo(n int) (out []int) {
	for i := range n {
		out = append(out, i)
	}
	return out
}
