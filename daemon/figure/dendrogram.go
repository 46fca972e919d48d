package figure

import (
	"fmt"
	"math"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"

	"kilim/daemon/pipeline/atlas"
)

// Dendrogram is the tree of groups: two meet where they are as far apart as their contrast lacks of 1, on the average.
func Dendrogram(a *atlas.Answer) *Figure {
	rows := leaves(a)
	const row, room = 6 * vg.Millimeter, 90 * vg.Millimeter
	f := &Figure{width: margin + labelRoom + room + 2*margin, height: vg.Length(len(rows))*row + 18*vg.Millimeter}
	f.draw = func(p *pen) {
		left, top := margin+labelRoom, f.height-margin
		for i, g := range rows {
			p.text(p.style(normal, ink, text.XRight, text.YCenter), vg.Point{X: left - labelGap, Y: top - row/2 - vg.Length(i)*row}, p.label(a, g))
		}
		most := p.tree(a, vg.Point{X: left, Y: top - row/2}, room, row)
		axis := top - vg.Length(len(rows))*row - vg.Millimeter
		p.line(quiet, 0.5, vg.Point{X: left, Y: axis}, vg.Point{X: left + room, Y: axis})
		for step, i := niceStep(most), 0; float64(i)*step <= most+1e-9; i++ {
			x := left + room*vg.Length(float64(i)*step/most)
			p.line(quiet, 0.5, vg.Point{X: x, Y: axis}, vg.Point{X: x, Y: axis - vg.Millimeter})
			p.text(p.style(small, ink, text.XCenter, text.YTop), vg.Point{X: x, Y: axis - 1.5*vg.Millimeter}, fmt.Sprintf("%.1f", float64(i)*step))
		}
		p.text(p.style(small, quiet, text.XLeft, text.YBottom), vg.Point{X: margin, Y: margin / 2},
			fmt.Sprintf("1 less contrast, by average linkage. The %d largest of %d; model of epoch %d.", len(rows), a.All, a.Epoch))
	}
	return f
}

// niceStep divides an axis from 0 to most into few steps.
func niceStep(most float64) float64 {
	for _, step := range []float64{0.1, 0.2, 0.5} {
		if most/step <= 8 {
			return step
		}
	}
	return 1
}

// tree draws the tree of a comparison to the right of its leaves, the first of which is at a point and each other one row below. It returns the height
// that is as wide as the tree.
func (p *pen) tree(a *atlas.Answer, first vg.Point, width, row vg.Length) (most float64) {
	n := len(a.Tree.Leaves)
	type place struct{ x, y vg.Length }
	places := make([]place, n, n+len(a.Tree.Merges))
	for i := range n {
		places[i] = place{first.X, first.Y - vg.Length(i)*row}
	}
	for _, m := range a.Tree.Merges {
		most = math.Max(most, m.Height)
	}
	if most == 0 {
		most = 1
	}
	for _, m := range a.Tree.Merges {
		x := first.X + width*vg.Length(math.Max(0, m.Height)/most)
		one, other := places[m.A], places[m.B]
		p.line(ink, 0.8, vg.Point{X: one.x, Y: one.y}, vg.Point{X: x, Y: one.y}, vg.Point{X: x, Y: other.y}, vg.Point{X: other.x, Y: other.y})
		places = append(places, place{x, (one.y + other.y) / 2})
	}
	return most
}
