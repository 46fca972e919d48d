package demo

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
)

// dye is an index into a culture's colours.
type dye uint8

const (
	dark dye = iota
	ground
	mainDye
	second
	accent
	dyes
)

// Shades of each dye in a picture's palette: as dyed, as another batch of yarn came
// out, and in the shadow between two rows.
const shades = 3

// pixels is the side of a knot in the picture.
const pixels = 2

// cloth is a woven rectangle of knots.
type cloth struct {
	w, h    int
	knots   []dye
	yarn    []uint8 // per row: 0, or 1 for the other batch
	palette color.Palette
}

func newCloth(w, h int) *cloth {
	c := &cloth{w: w, h: h, knots: make([]dye, w*h), yarn: make([]uint8, h)}
	for i := range c.knots {
		c.knots[i] = ground
	}
	return c
}

// layouts of the field.
const (
	medallion = iota // one motif, wide borders
	grid             // two by two
	lattice          // half-dropped rows, cut by the border
	bands            // one row between stripes
	runner           // one above the other
	layouts
)

// weave makes the cloth of a textile or the border piece of a page.
func (w *writer) weave(ordinal int, t *truth) *cloth {
	r := stream(w.opt.Seed, ordinal, forPicture)
	culture := &w.cultures[t.culture]
	layout := r.n(layouts)
	size := [layouts][3]int{medallion: {37, 37, 7}, grid: {48, 48, 3}, lattice: {48, 48, 4}, bands: {48, 35, 2}, runner: {27, 48, 3}}[layout]
	c := newCloth(size[0], size[1])
	edge := size[2]
	border := culture.border
	if r.chance(300) {
		border = r.n(borders)
	}
	m := w.loom.motif(t.motif)
	flip := r.chance(300) // main and second change places
	put := func(cx, cy int, other bool) { c.put(m, cx, cy, edge, flip != other) }
	midX, midY := c.w/2, c.h/2
	const step = motifKnots
	switch layout {
	case medallion:
		put(midX, midY, false)
		c.corners(edge)
	case grid:
		for i := range 4 {
			put(edge+step/2+i%2*step, edge+step/2+i/2*step, i%2 != i/2)
		}
	case lattice:
		for j := -2; j <= 2; j++ {
			for i := -2; i <= 2; i++ {
				put(midX+i*(step+1)+j&1*(step+1)/2, midY+j*(step/2+2), j&1 == 1)
			}
		}
	case bands:
		put(midX-step/2-1, midY, false)
		put(midX+step/2+1, midY, true)
		c.stripes(edge, 5)
	case runner:
		put(midX, midY-step/2-1, false)
		put(midX, midY+step/2+1, true)
	}
	c.hem(edge, border)
	c.age(r, culture)
	return c
}

// put lays the motif's knots around a centre, inside of the border. Its ground lets
// through what lies there.
func (c *cloth) put(m *motif, cx, cy, edge int, swap bool) {
	for y := range motifKnots {
		for x := range motifKnots {
			px, py, d := cx+x-motifKnots/2, cy+y-motifKnots/2, m[y][x]
			if d == ground || px < edge || py < edge || px >= c.w-edge || py >= c.h-edge {
				continue
			}
			switch {
			case swap && d == mainDye:
				d = second
			case swap && d == second:
				d = mainDye
			}
			c.knots[py*c.w+px] = d
		}
	}
}

// fromEdge is how deep a knot lies, and its distance from the middle of that side: the
// same on both halves, so borders meet at the corners in a mirror.
func (c *cloth) fromEdge(x, y int) (depth, along int) {
	ex, ey := min(x, c.w-1-x), min(y, c.h-1-y)
	if ex < ey {
		return ex, (c.h-1)/2 - ey
	}
	return ey, (c.w-1)/2 - ex
}

// corners sets steps into the field's corners.
func (c *cloth) corners(edge int) {
	for y := range c.h {
		for x := range c.w {
			i := y*c.w + x
			ex, ey := min(x, c.w-1-x)-edge, min(y, c.h-1-y)-edge
			if ex >= 0 && ey >= 0 && ex/2+ey/2 < 3 && c.knots[i] == ground {
				c.knots[i] = [...]dye{accent, second, dark}[ex/2+ey/2]
			}
		}
	}
}

// stripes runs lines above and below the field's middle.
func (c *cloth) stripes(edge, deep int) {
	for y := range c.h {
		d := min(y, c.h-1-y) - edge
		if d < 0 || d >= deep {
			continue
		}
		for x := edge; x < c.w-edge; x++ {
			c.knots[y*c.w+x] = [...]dye{second, mainDye, dark, accent, second}[d]
		}
	}
}

// borders is how many patterns of border there are, one preferred by each culture.
const borders = 8

// hem weaves the border: a line outside, the pattern, a line inside.
func (c *cloth) hem(edge, kind int) {
	for y := range c.h {
		for x := range c.w {
			depth, along := c.fromEdge(x, y)
			if depth >= edge {
				continue
			}
			d := dark
			if inner := depth - 1; edge < 4 || inner >= 0 && depth < edge-1 {
				d = borderKnot(kind, max(inner, 0), max(along, 0))
			}
			c.knots[y*c.w+x] = d
		}
	}
}

func borderKnot(kind, depth, along int) dye {
	of := func(on bool, yes, no dye) dye {
		if on {
			return yes
		}
		return no
	}
	saw := along % 6
	tooth := max(saw-3, 3-saw)
	switch kind {
	case 0: // teeth
		return of(depth%4 >= tooth, mainDye, dark)
	case 1: // dots
		return of(depth%2 == 1 && along%3 == 0, accent, second)
	case 2: // barber's pole
		return of((along+depth)%4 < 2, mainDye, second)
	case 3: // running water
		return of((along/3+depth/2)%2 == 0, second, mainDye)
	case 4: // lines
		return [...]dye{mainDye, dark, accent, second}[depth%4]
	case 5: // checks
		return of((along/2+depth/2)%2 == 0, mainDye, dark)
	case 6: // small lozenges
		return of(tooth+max(depth%5-2, 2-depth%5) <= 2, accent, dark)
	default: // battlements
		return of(along%4 < 2 != (depth%2 == 0), accent, mainDye)
	}
}

// age gives the cloth its dyes, its batches of yarn and its worn knots.
func (c *cloth) age(r *rng, of *culture) {
	for y, batch := 0, 0; y < c.h; y++ {
		if r.chance(90) {
			batch = 1 - batch
		}
		c.yarn[y] = uint8(batch)
	}
	for range c.w * c.h / 60 {
		c.knots[r.n(len(c.knots))] = dye(r.n(int(dyes)))
	}
	c.palette = make(color.Palette, shades*dyes)
	for d := range dyes {
		var rgb [3]int
		fade := r.in(-6, 18)
		for i := range rgb {
			rgb[i] = int(of.dyes[d]>>(16-8*i)&0xff) + fade + r.in(-7, 7)
		}
		for s, by := range [shades]int{100, 91, 82} {
			c.palette[s*int(dyes)+int(d)] = color.RGBA{tone(rgb[0], by), tone(rgb[1], by), tone(rgb[2], by), 0xff}
		}
	}
}

func tone(v, percent int) uint8 { return uint8(min(max(v*percent/100, 0), 255)) }

// loom draws cloths; it keeps what pictures share. It is for one goroutine.
type loom struct {
	motifs []*motif
	spare  *png.EncoderBuffer
	out    bytes.Buffer
}

func (l *loom) motif(family int) *motif {
	if l.motifs == nil {
		for _, rows := range motifPatterns() {
			l.motifs = append(l.motifs, unfold(rows))
		}
	}
	return l.motifs[family]
}

// Get and Put make the loom a png.EncoderBufferPool: compressing needs much more
// memory than a picture has.
func (l *loom) Get() *png.EncoderBuffer  { return l.spare }
func (l *loom) Put(b *png.EncoderBuffer) { l.spare = b }

// picture is the cloth as a PNG of sixteen colours at most, some 1 to 2 KB.
func (l *loom) picture(c *cloth) ([]byte, error) {
	img := image.NewPaletted(image.Rect(0, 0, c.w*pixels, c.h*pixels), c.palette)
	for i := range img.Pix {
		x, y := i%img.Stride, i/img.Stride
		shade := c.yarn[y/pixels]
		if y%pixels == pixels-1 {
			shade = shades - 1
		}
		img.Pix[i] = shade*uint8(dyes) + uint8(c.knots[y/pixels*c.w+x/pixels])
	}
	l.out.Reset()
	e := png.Encoder{CompressionLevel: png.BestCompression, BufferPool: l}
	if err := e.Encode(&l.out, img); err != nil {
		return nil, fmt.Errorf("drawing a picture: %w", err)
	}
	return bytes.Clone(l.out.Bytes()), nil
}
