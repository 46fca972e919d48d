package image

import "math"

// textureRadii are the scales of the neighbourhoods, in pixels of the working
// size.
var textureRadii = [...]float64{1.5, 3, 6}

const (
	textureCodes = 256 // one for each pattern of eight bits
	textureDim   = len(textureRadii) * textureCodes
)

// texture writes a histogram of local patterns for each radius. As in local
// binary patterns (Ojala, Pietikäinen, Mäenpää, PAMI 2002) eight neighbours on a
// circle give a bit each; but a bit says whether the neighbour's COLOUR differs
// from the centre's, not whether it is brighter. So a motif has the same codes
// whatever its colours and whichever of two is the figure. What differs is
// measured against the picture's own mean contrast at that radius.
func (p *planes) texture(out []float32) {
	diffs := make([]float32, 8*p.w*p.h)
	for s, radius := range textureRadii {
		var dx, dy [8]int
		for k := range dx {
			a := float64(k) * math.Pi / 4
			dx[k], dy[k] = int(math.Round(radius*math.Cos(a))), int(math.Round(radius*math.Sin(a)))
		}
		var sum float64
		for y := range p.h {
			for x := range p.w {
				i := y*p.w + x
				for k := range dx {
					// Beyond the border the outermost pixels go on.
					nx, ny := min(max(x+dx[k], 0), p.w-1), min(max(y+dy[k], 0), p.h-1)
					d := p.difference(i, ny*p.w+nx)
					diffs[8*i+k] = d
					sum += float64(d)
				}
			}
		}
		threshold := max(float32(sum/float64(len(diffs))), textureFloor)
		hist := out[s*textureCodes:][:textureCodes]
		for i := range p.w * p.h {
			code := 0
			for k, d := range diffs[8*i:][:8] {
				if d > threshold {
					code |= 1 << k
				}
			}
			hist[code]++
		}
		// Even ground is most of many pictures and says nothing of form.
		hist[0] = 0
	}
}

// textureFloor is a colour difference (CIE 1976) that the eye just sees: less is
// no pattern.
const textureFloor = 2.3

// difference is the CIE 1976 colour difference of two pixels.
func (p *planes) difference(i, j int) float32 {
	dl, da, db := p.l[i]-p.l[j], p.a[i]-p.a[j], p.b[i]-p.b[j]
	return float32(math.Sqrt(float64(dl*dl + da*da + db*db)))
}
