package image

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	xdraw "golang.org/x/image/draw"
)

// planes is a picture at the working size, upright, in CIELAB (CIE 15:2004, D65,
// 2 degrees): L in 0..100, a and b in about -100..100. Row by row.
type planes struct {
	w, h    int
	l, a, b []float32
	weight  []float32 // see foreground
}

// newPlanes scales a picture once, to a longer side of workSide, keeping its
// proportions, and turns it upright. What is transparent shows white, which is
// what catalogues print on.
func newPlanes(src image.Image, orientation int) *planes {
	b := src.Bounds()
	w, h := fit(b.Dx(), b.Dy())
	small := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(small, small.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	// The kernel widens with the reduction, so it averages and nothing aliases.
	xdraw.BiLinear.Scale(small, small.Bounds(), src, b, draw.Over, nil)

	uw, uh, at := upright(orientation, w, h)
	p := &planes{w: uw, h: uh, l: make([]float32, uw*uh), a: make([]float32, uw*uh), b: make([]float32, uw*uh)}
	linear := linearTable()
	for y := range uh {
		for x := range uw {
			sx, sy := at(x, y)
			px := small.Pix[small.PixOffset(sx, sy):]
			i := y*uw + x
			p.l[i], p.a[i], p.b[i] = lab(linear[px[0]], linear[px[1]], linear[px[2]])
		}
	}
	p.weight = p.foreground()
	return p
}

// fit is the working size of a picture of w x h.
func fit(w, h int) (int, int) {
	long := max(w, h)
	scaled := func(side int) int {
		return min(max(int(math.Round(float64(side)*workSide/float64(long))), minSide), workSide)
	}
	return scaled(w), scaled(h)
}

// linearTable undoes the transfer function of sRGB (IEC 61966-2-1) for 8 bits.
func linearTable() *[256]float64 {
	var t [256]float64
	for i := range t {
		c := float64(i) / 255
		if c <= 0.04045 {
			t[i] = c / 12.92
		} else {
			t[i] = math.Pow((c+0.055)/1.055, 2.4)
		}
	}
	return &t
}

// lab converts linear sRGB in 0..1.
func lab(r, g, b float64) (float32, float32, float32) {
	x := (0.4124564*r + 0.3575761*g + 0.1804375*b) / 0.95047
	y := 0.2126729*r + 0.7151522*g + 0.0721750*b
	z := (0.0193339*r + 0.1191920*g + 0.9503041*b) / 1.08883
	fx, fy, fz := labCurve(x), labCurve(y), labCurve(z)
	return float32(116*fy - 16), float32(500 * (fx - fy)), float32(200 * (fy - fz))
}

func labCurve(t float64) float64 {
	const d = 6.0 / 29
	if t > d*d*d {
		return math.Cbrt(t)
	}
	return t/(3*d*d) + 4.0/29
}
