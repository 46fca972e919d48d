package image

import (
	"math"
	"slices"
)

const (
	// groundShare of the border's pixels must agree before the border is taken
	// for a backdrop rather than for a part of what is shown.
	groundShare = 0.75
	// groundNear and groundFar, CIE 1976 colour differences, are where a pixel
	// begins to differ from the backdrop and where it certainly does.
	groundNear, groundFar = 6, 18
)

// foreground gives each pixel a weight of 0..1: how likely it shows the object
// and not the photographer's backdrop. Backdrops are lit unevenly but keep their
// hue, so lightness counts a third. Where the border has no one colour (a scan, a
// cloth that fills the picture) all weights are 1.
func (p *planes) foreground() []float32 {
	weights := make([]float32, p.w*p.h)
	for i := range weights {
		weights[i] = 1
	}
	border := p.border()
	median := func(c []float32) float32 {
		v := make([]float32, len(border))
		for k, i := range border {
			v[k] = c[i]
		}
		slices.Sort(v)
		return v[len(v)/2]
	}
	l, a, b := median(p.l), median(p.a), median(p.b)
	distance := func(i int) float64 {
		dl, da, db := float64(p.l[i]-l)/3, float64(p.a[i]-a), float64(p.b[i]-b)
		return math.Sqrt(dl*dl + da*da + db*db)
	}
	agree := 0
	for _, i := range border {
		if distance(i) < groundFar/2 {
			agree++
		}
	}
	if float64(agree) < groundShare*float64(len(border)) {
		return weights
	}
	var sum float64
	for i := range weights {
		weights[i] = float32(min(max((distance(i)-groundNear)/(groundFar-groundNear), 0), 1))
		sum += float64(weights[i])
	}
	// Nothing but backdrop: an empty page is what is shown.
	if sum < 0.01*float64(len(weights)) {
		for i := range weights {
			weights[i] = 1
		}
	}
	return weights
}

// border are the indexes of the outermost pixels, two deep.
func (p *planes) border() []int {
	var out []int
	for y := range p.h {
		for x := range p.w {
			if x < 2 || y < 2 || x >= p.w-2 || y >= p.h-2 {
				out = append(out, y*p.w+x)
			}
		}
	}
	return out
}
