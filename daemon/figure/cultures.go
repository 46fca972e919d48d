package figure

import (
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot/palette"
	"gonum.org/v1/plot/palette/moreland"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"

	"kilim/daemon/pipeline/atlas"
)

const (
	cell       = 26 * vg.Millimeter / 3
	margin     = 4 * vg.Millimeter
	labelRoom  = 36 * vg.Millimeter
	labelGap   = 3.5 * vg.Millimeter // whoever shows an SVG may have a wider font
	treeRoom   = 26 * vg.Millimeter
	columnRoom = 19 * vg.Millimeter
	labelRunes = 22
	small      = 6
	normal     = 8
)

// Cultures is the heat map of the contrasts of groups, in the order of the leaves of their dendrogram, which stands beside it.
func Cultures(a *atlas.Answer) *Figure {
	rows := leaves(a)
	side := vg.Length(len(rows)) * cell
	f := &Figure{width: margin + labelRoom + side + treeRoom + margin, height: margin + side + columnRoom + 14*vg.Millimeter}
	f.draw = func(p *pen) {
		left, top := margin+labelRoom, f.height-margin
		contrast := map[[2]string]float64{}
		most := 0.0
		for _, c := range a.Cells {
			contrast[[2]string{c.A, c.B}], contrast[[2]string{c.B, c.A}] = c.Contrast, c.Contrast
			if c.A != c.B {
				most = math.Max(most, math.Abs(c.Contrast))
			}
		}
		most = math.Max(math.Ceil(most*10)/10, 0.1)
		scale := moreland.SmoothBlueRed()
		scale.SetMin(-most)
		scale.SetMax(most)
		for i, row := range rows {
			y := top - vg.Length(i)*cell
			p.text(p.style(normal, ink, text.XRight, text.YCenter), vg.Point{X: left - labelGap, Y: y - cell/2}, p.label(a, row))
			column := p.style(normal, ink, text.XRight, text.YCenter)
			column.Rotation = math.Pi / 4
			x := left + vg.Length(i)*cell
			p.text(column, vg.Point{X: x + cell/2, Y: top - side - 2*vg.Millimeter}, p.name(a, row))
			for j, other := range rows {
				value, ok := contrast[[2]string{row.Key, other.Key}]
				if !ok || i == j { // of a group with itself it is 1
					continue
				}
				x := left + vg.Length(j)*cell
				ground := colour(scale, math.Max(-most, math.Min(most, value)))
				p.fill(ground, vg.Point{X: x, Y: y}, vg.Point{X: x + cell, Y: y}, vg.Point{X: x + cell, Y: y - cell}, vg.Point{X: x, Y: y - cell})
				p.text(p.style(small, readableOn(ground), text.XCenter, text.YCenter), vg.Point{X: x + cell/2, Y: y - cell/2}, fmt.Sprintf("%+.2f", value))
			}
		}
		p.tree(a, vg.Point{X: left + side + 2*vg.Millimeter, Y: top - cell/2}, treeRoom-2*vg.Millimeter, cell)
		p.scale(scale, most, vg.Point{X: left, Y: margin + 5*vg.Millimeter}, side)
		p.text(p.style(small, quiet, text.XLeft, text.YBottom), vg.Point{X: margin, Y: margin / 2},
			fmt.Sprintf("Contrast: the cosine of what sets each apart from the archive's mean. The %d largest of %d; model of epoch %d.", len(rows), a.All, a.Epoch))
	}
	return f
}

// leaves are the groups of a comparison that have cells, in the order of its tree.
func leaves(a *atlas.Answer) (out []atlas.Group) {
	groups := map[string]atlas.Group{}
	for _, g := range a.Groups {
		groups[g.Key] = g
	}
	for _, key := range a.Tree.Leaves {
		out = append(out, groups[key])
	}
	return out
}

func (p *pen) label(a *atlas.Answer, g atlas.Group) string {
	name := p.name(a, g)
	if p.shaped {
		name += "\u200e" // LRM: the number stands behind a name that is written from right to left too
	}
	return fmt.Sprintf("%s (%d)", name, g.Artifacts)
}

// name is what a group is called, its place by size where that can't be shown.
func (p *pen) name(a *atlas.Answer, g atlas.Group) string {
	return shorten(p.drawable(g.Label, g.Key, fmt.Sprintf("%s %d", a.Kind, slices.Index(a.Groups, g)+1)), labelRunes)
}

// scale draws what the colours mean.
func (p *pen) scale(m palette.ColorMap, most float64, at vg.Point, width vg.Length) {
	const steps = 60
	width = vg.Length(math.Min(float64(width), float64(70*vg.Millimeter)))
	height := 3 * vg.Millimeter
	for i := range steps {
		x := at.X + width*vg.Length(i)/steps
		next := at.X + width // what the next steps leave of it: between two that only touch, a line would be seen
		p.fill(colour(m, -most+2*most*(float64(i)+0.5)/steps), vg.Point{X: x, Y: at.Y}, vg.Point{X: next, Y: at.Y}, vg.Point{X: next, Y: at.Y + height}, vg.Point{X: x, Y: at.Y + height})
	}
	p.text(p.style(small, ink, text.XCenter, text.YTop), vg.Point{X: at.X + width/2, Y: at.Y - 0.5*vg.Millimeter}, "0")
	for _, v := range []float64{-most, most} {
		p.text(p.style(small, ink, text.XCenter, text.YTop), vg.Point{X: at.X + width*vg.Length((v+most)/(2*most)), Y: at.Y - 0.5*vg.Millimeter}, fmt.Sprintf("%+.1f", v))
	}
}

// colour is that of a value within a map's range; a map of another range has none, which is white.
func colour(m palette.ColorMap, value float64) color.Color {
	c, err := m.At(value)
	if err != nil {
		return color.White
	}
	return c
}

// readableOn is black or white, whichever is told better from a ground.
func readableOn(ground color.Color) color.Color {
	if y := color.GrayModel.Convert(ground).(color.Gray).Y; y < 0x80 {
		return color.White
	}
	return color.Black
}
