package image

import "math"

const (
	hogBins  = 9
	hogCells = 8 // a side

	hogDim = hogCells * hogCells * hogBins
)

// hog writes histograms of oriented gradients (Dalal and Triggs, CVPR 2005,
// section 6): unsigned orientations, the strongest of the three colour channels'
// gradients, bilinear shares in space and orientation, blocks of 2 x 2 cells with
// clipped norm. A cell's four block norms are averaged (Felzenszwalb et al., PAMI
// 2010, section 6.2) instead of repeating the cell.
func (p *planes) hog(out []float32) {
	var cells [hogCells * hogCells * hogBins]float64
	sx, sy := hogCells/float64(p.w), hogCells/float64(p.h)
	for y := range p.h {
		for x := range p.w {
			magnitude, angle := p.gradient(x, y)
			if magnitude == 0 {
				continue
			}
			o := angle / math.Pi * hogBins
			o0 := int(o)
			of := o - float64(o0)
			cx, cy := (float64(x)+0.5)*sx-0.5, (float64(y)+0.5)*sy-0.5
			x0, y0 := math.Floor(cx), math.Floor(cy)
			fx, fy := cx-x0, cy-y0
			for k := range 4 {
				px, py := int(x0)+k&1, int(y0)+k>>1
				if px < 0 || py < 0 || px >= hogCells || py >= hogCells {
					continue
				}
				w := magnitude * lerp(fx, k&1) * lerp(fy, k>>1)
				cell := cells[(py*hogCells+px)*hogBins:][:hogBins]
				cell[o0%hogBins] += w * (1 - of)
				cell[(o0+1)%hogBins] += w * of
			}
		}
	}
	normalizeCells(&cells, out)
}

func lerp(f float64, side int) float64 {
	if side == 0 {
		return 1 - f
	}
	return f
}

// gradient is the steepest change of colour at a pixel by central differences,
// and its direction in 0..pi.
func (p *planes) gradient(x, y int) (magnitude, angle float64) {
	l, r := y*p.w+max(x-1, 0), y*p.w+min(x+1, p.w-1)
	u, d := max(y-1, 0)*p.w+x, min(y+1, p.h-1)*p.w+x
	var gx, gy, best float32
	for _, c := range [...][]float32{p.l, p.a, p.b} {
		cx, cy := c[r]-c[l], c[d]-c[u]
		if s := cx*cx + cy*cy; s > best {
			gx, gy, best = cx, cy, s
		}
	}
	if best == 0 {
		return 0, 0
	}
	angle = math.Atan2(float64(gy), float64(gx))
	if angle < 0 {
		angle += math.Pi
	}
	if angle >= math.Pi {
		angle = 0
	}
	return math.Sqrt(float64(best)), angle
}

func normalizeCells(cells *[hogDim]float64, out []float32) {
	const clip = 0.2
	var energy [hogCells][hogCells]float64
	for y := range hogCells {
		for x := range hogCells {
			for _, v := range cells[(y*hogCells+x)*hogBins:][:hogBins] {
				energy[y][x] += v * v
			}
		}
	}
	at := func(y, x int) float64 {
		if y < 0 || x < 0 || y >= hogCells || x >= hogCells {
			return 0
		}
		return energy[y][x]
	}
	for y := range hogCells {
		for x := range hogCells {
			base := (y*hogCells + x) * hogBins
			for _, dy := range [...]int{-1, 0} {
				for _, dx := range [...]int{-1, 0} {
					norm := math.Sqrt(at(y+dy, x+dx)+at(y+dy, x+dx+1)+at(y+dy+1, x+dx)+at(y+dy+1, x+dx+1)) + hogFloor
					for o := range hogBins {
						out[base+o] += float32(min(cells[base+o]/norm, clip) / 4)
					}
				}
			}
		}
	}
}

// hogFloor, in units of L summed over a cell, keeps sensor noise in an even
// background from being blown up to texture.
const hogFloor = 20
