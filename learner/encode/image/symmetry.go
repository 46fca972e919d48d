package image

import "gonum.org/v1/gonum/dsp/fourier"

const (
	lagCells = 8 // a side, over lags of 0..half the side

	mirrorDim   = 3 * (1 + 4)
	repeatDim   = (2*lagCells - 1) * lagCells
	symmetryDim = mirrorDim + repeatDim
)

// symmetry writes how the picture corresponds to itself: reflected and turned
// (the point groups), and shifted (the translations of friezes and wallpapers;
// Liu, Collins and Tsin, "A computational model for periodic pattern perception
// based on frieze and wallpaper groups", PAMI 2004).
func (p *planes) symmetry(out []float32) {
	p.mirrors(out[:mirrorDim])
	p.repeats(out[mirrorDim:])
}

// mirrors: the correlation of L with itself reflected left-right, top-bottom, and
// turned by half, for the picture and for its quarters.
func (p *planes) mirrors(out []float32) {
	regions := [5][4]int{{0, 0, p.w, p.h}}
	hx, hy := p.w/2, p.h/2
	for q := range 4 {
		regions[q+1] = [4]int{q & 1 * hx, q >> 1 * hy, hx, hy}
	}
	for i, r := range regions {
		x0, y0, w, h := r[0], r[1], r[2], r[3]
		var mean float64
		for y := range h {
			for x := range w {
				mean += float64(p.l[(y0+y)*p.w+x0+x])
			}
		}
		mean /= float64(w * h)
		var power, lr, tb, turned float64
		for y := range h {
			for x := range w {
				v := float64(p.l[(y0+y)*p.w+x0+x]) - mean
				power += v * v
				lr += v * (float64(p.l[(y0+y)*p.w+x0+w-1-x]) - mean)
				tb += v * (float64(p.l[(y0+h-1-y)*p.w+x0+x]) - mean)
				turned += v * (float64(p.l[(y0+h-1-y)*p.w+x0+w-1-x]) - mean)
			}
		}
		if power > flat*float64(w*h) {
			out[3*i], out[3*i+1], out[3*i+2] = float32(lr/power), float32(tb/power), float32(turned/power)
		}
	}
}

// repeats: the strongest autocorrelation of L, at half the working size, within
// each cell of lags, from the power spectrum (Wiener and Khinchin). The picture is
// padded with its mean, so that it does not meet itself around the border.
func (p *planes) repeats(out []float32) {
	const n = workSide // twice the halved side
	grid := make([]complex128, n*n)
	w, h := p.w/2, p.h/2
	var mean float64
	for y := range h {
		for x := range w {
			i := 2*y*p.w + 2*x
			v := float64(p.l[i]+p.l[i+1]+p.l[i+p.w]+p.l[i+p.w+1]) / 4
			grid[y*n+x] = complex(v, 0)
			mean += v / float64(w*h)
		}
	}
	for y := range h {
		for x := range w {
			grid[y*n+x] -= complex(mean, 0)
		}
	}
	transform(grid, n, false)
	for i, c := range grid {
		grid[i] = complex(real(c)*real(c)+imag(c)*imag(c), 0)
	}
	transform(grid, n, true)
	variance := real(grid[0]) / float64(n*n*w*h)
	if variance < flat {
		return
	}
	variance = real(grid[0]) / float64(w*h)
	for i := range out {
		out[i] = -1
	}
	for ly := range h / 2 {
		for lx := -(w/2 - 1); lx < w/2; lx++ {
			// Less and less of the picture overlaps itself; the mean is over what does.
			overlap := float64((w - abs(lx)) * (h - ly))
			v := float32(real(grid[ly*n+(lx+n)%n]) / overlap / variance)
			cx := min(max(lagCells-1+lx*2*lagCells/w, 0), 2*lagCells-2)
			cy := min(ly*2*lagCells/h, lagCells-1)
			if c := &out[cy*(2*lagCells-1)+cx]; v > *c {
				*c = v
			}
		}
	}
}

// flat is the variance of L below which a region is even: it is symmetric in all
// ways, and none of them says anything.
const flat = 0.25

func abs(x int) int { return max(x, -x) }

// transform is the two-dimensional Fourier transform of an n x n grid, in place;
// the inverse is not scaled.
func transform(grid []complex128, n int, inverse bool) {
	fft := fourier.NewCmplxFFT(n)
	line := make([]complex128, n)
	run := func(v []complex128) {
		if inverse {
			fft.Sequence(v, v)
		} else {
			fft.Coefficients(v, v)
		}
	}
	for y := range n {
		run(grid[y*n : (y+1)*n])
	}
	for x := range n {
		for y := range n {
			line[y] = grid[y*n+x]
		}
		run(line)
		for y := range n {
			grid[y*n+x] = line[y]
		}
	}
}
