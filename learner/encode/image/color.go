package image

import "math"

// Bins of the colour histogram at the levels of its pyramid.
const (
	wholeL, wholeAB = 6, 6 // L x a x b of the whole picture
	cellL, cellAB   = 4, 4 // of each cell of the finer level
	colorCells      = 3    // a side

	colorDim = wholeL*wholeAB*wholeAB + colorCells*colorCells*cellL*cellAB*cellAB
)

// abRange is the chroma that the outermost bins begin at: pigments and clays
// rarely exceed it, and the tails go to the last bin.
const abRange = 60

// colors writes CIELAB histograms over a two-level pyramid (Lazebnik et al.,
// "Beyond Bags of Features", CVPR 2006): one of the whole picture and one of each
// cell. A pixel is shared among the eight nearest bins, so that a small change of
// light changes little.
func (p *planes) colors(out []float32) {
	whole, cells := out[:wholeL*wholeAB*wholeAB], out[wholeL*wholeAB*wholeAB:]
	const size = cellL * cellAB * cellAB
	for y := range p.h {
		cy := y * colorCells / p.h
		for x := range p.w {
			i := y*p.w + x
			cell := cells[(cy*colorCells+x*colorCells/p.w)*size:]
			addColor(whole, wholeL, wholeAB, p.weight[i], p.l[i], p.a[i], p.b[i])
			addColor(cell[:size], cellL, cellAB, p.weight[i], p.l[i], p.a[i], p.b[i])
		}
	}
}

func addColor(hist []float32, nl, nab int, weight, l, a, b float32) {
	li, lf := bin(l/100, nl)
	ai, af := bin(a/(2*abRange)+0.5, nab)
	bi, bf := bin(b/(2*abRange)+0.5, nab)
	for k := range 8 {
		w := weight
		il, ia, ib := li, ai, bi
		if k&1 != 0 {
			il, w = il+1, w*lf
		} else {
			w *= 1 - lf
		}
		if k&2 != 0 {
			ia, w = ia+1, w*af
		} else {
			w *= 1 - af
		}
		if k&4 != 0 {
			ib, w = ib+1, w*bf
		} else {
			w *= 1 - bf
		}
		if w > 0 {
			hist[(il*nab+ia)*nab+ib] += w
		}
	}
}

// bin is the bin whose centre lies at or below t (0..1 over n bins), and how far
// t is on the way to the next; beyond the outer centres the share is 0.
func bin(t float32, n int) (int, float32) {
	at := min(max(float64(t)*float64(n)-0.5, 0), float64(n-1))
	i := math.Floor(at)
	if int(i) == n-1 {
		return n - 1, 0
	}
	return int(i), float32(at - i)
}
