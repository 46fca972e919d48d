package figure

import (
	"fmt"
	"image/color"
	"io"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/font/liberation"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Formats are those that Figure.Write knows.
func Formats() []string { return []string{"svg", "png"} }

// Figure is a drawing of a size.
type Figure struct {
	width, height vg.Length
	draw          func(p *pen)
}

const dotsPerInch = 300

// Write writes a Figure in one of Formats. It returns the labels that the format could not show.
func (f *Figure) Write(w io.Writer, format string) (missing []string, err error) {
	var canvas interface {
		vg.CanvasSizer
		io.WriterTo
	}
	switch format {
	case "svg":
		canvas = vgsvg.New(f.width, f.height)
	case "png":
		canvas = vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(f.width, f.height), vgimg.UseDPI(dotsPerInch))}
	default:
		return nil, fmt.Errorf("figure: format %q: want one of %q", format, Formats())
	}
	p := &pen{canvas: draw.New(canvas), fonts: font.NewCache(liberation.Collection()), shaped: format == "svg"}
	p.fill(color.White, vg.Point{}, vg.Point{X: f.width}, vg.Point{X: f.width, Y: f.height}, vg.Point{Y: f.height})
	f.draw(p)
	if _, err := canvas.WriteTo(w); err != nil {
		return nil, fmt.Errorf("figure: %w", err)
	}
	return p.missing, nil
}

var (
	ink   = color.Gray{0x20}
	quiet = color.Gray{0x70}
)

// pen draws on a canvas.
type pen struct {
	canvas draw.Canvas
	fonts  *font.Cache
	// shaped: whoever shows the figure shapes its texts.
	shaped  bool
	missing []string
}

func (p *pen) fill(c color.Color, corners ...vg.Point) { p.canvas.FillPolygon(c, corners) }

func (p *pen) line(c color.Color, width vg.Length, through ...vg.Point) {
	p.canvas.StrokeLines(draw.LineStyle{Color: c, Width: width}, through)
}

func (p *pen) disc(c color.Color, at vg.Point, radius vg.Length) {
	var path vg.Path
	path.Move(vg.Point{X: at.X + radius, Y: at.Y})
	path.Arc(at, radius, 0, 2*math.Pi)
	path.Close()
	p.canvas.SetColor(c)
	p.canvas.Fill(path)
}

// style is that of a text of a size in points.
func (p *pen) style(size vg.Length, c color.Color, x text.XAlignment, y text.YAlignment) text.Style {
	return text.Style{
		Color: c, Font: font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}, XAlign: x, YAlign: y, Handler: text.Plain{Fonts: p.fonts},
	}
}

// text writes a text at a point, which is its middle or its end.
func (p *pen) text(style text.Style, at vg.Point, what string) {
	if style.YAlign == text.YCenter && style.Rotation == 0 {
		at.Y += style.Font.Size / 12 // most of a line is above the middle of its font
	}
	p.canvas.FillText(style, at, what)
}

// drawable is a label that the figure can show, otherwise the first that it can of those that may stand for it.
func (p *pen) drawable(label string, otherwise ...string) string {
	if label != "" && !p.knows(label) && !slices.Contains(p.missing, label) {
		p.missing = append(p.missing, label)
	}
	for _, other := range append([]string{label}, otherwise...) {
		if other != "" && p.knows(other) {
			return other
		}
	}
	return ""
}

// knows tells whether all letters of a text are those of the font, or whoever shows the figure has fonts.
func (p *pen) knows(text string) bool {
	return p.shaped || !strings.ContainsFunc(text, func(r rune) bool { return r > 0x5ff && (r < 0x1e00 || r > 0x20ff) })
}

// shorten cuts a text at so many runes.
func shorten(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}
