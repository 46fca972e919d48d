package image

import (
	"image"
	"image/color"
	"math"
	"sync"
	"testing"

	xdraw "golang.org/x/image/draw"
)

func TestVectorIsWhole(t *testing.T) {
	t.Parallel()
	e := encoder(t, Limits{})
	v := vector(t, e, asPNG(t, cloth(motifs()[0], red, cream, 0, 5)))
	if id := e.Identity(); id.Dim != Dim || len(v) != Dim || id.Name == "" || id.Version == 0 {
		t.Errorf("%d numbers, identity %v", len(v), id)
	}
	sum, dim := 0.0, 0
	for i, b := range e.Blocks() {
		var squared, mean float64
		for _, x := range part(t, e, v, b.Name) {
			squared += float64(x) * float64(x)
			mean += float64(x) / float64(b.Dim)
		}
		if math.Abs(squared-e.blocks[i].weight) > 1e-4 || math.Abs(mean) > 1e-5 {
			t.Errorf("%s: squared length %.4f and mean %.6f, want %.4f and 0", b.Name, squared, mean, e.blocks[i].weight)
		}
		sum, dim = sum+squared, dim+b.Dim
	}
	if math.Abs(sum-1) > 1e-4 || dim != Dim {
		t.Errorf("squared length %v, blocks of %d numbers", sum, dim)
	}
}

func TestSameBytesSameVector(t *testing.T) {
	t.Parallel()
	e := encoder(t, Limits{})
	data := asJPEG(t, cloth(motifs()[1], blue, ochre, 3, 10))
	want := vector(t, e, data)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			v, err := e.Encode(data)
			if err != nil {
				t.Error(err)
				return
			}
			for i := range v {
				if v[i] != want[i] {
					t.Errorf("coordinate %d: %v and %v", i, v[i], want[i])
					return
				}
			}
		})
	}
	wg.Wait()
}

// A motif in other colours is nearer than another motif in those colours.
func TestMotifOutlivesItsColours(t *testing.T) {
	t.Parallel()
	e := encoder(t, Limits{})
	for i, a := range motifs() {
		first := vector(t, e, asPNG(t, cloth(a, red, cream, 0, 5)))
		same := cosine(first, vector(t, e, asPNG(t, cloth(a, blue, ochre, 0, 5))))
		swapped := cosine(first, vector(t, e, asPNG(t, cloth(a, ochre, blue, 0, 5))))
		for j, b := range motifs() {
			if i == j {
				continue
			}
			other := cosine(first, vector(t, e, asPNG(t, cloth(b, blue, ochre, 0, 5))))
			if same <= other || swapped <= other {
				t.Errorf("motif %d in other colours %.3f (swapped %.3f), motif %d %.3f", i, same, swapped, j, other)
			}
		}
	}
}

// What a photographer changes leaves a motif nearer to itself than to any other.
func TestMotifOutlivesItsPhotograph(t *testing.T) {
	t.Parallel()
	e := encoder(t, Limits{})
	scaled := func(img image.Image, w, h int) image.Image {
		out := image.NewRGBA(image.Rect(0, 0, w, h))
		xdraw.CatmullRom.Scale(out, out.Bounds(), img, img.Bounds(), xdraw.Src, nil)
		return out
	}
	for i, m := range motifs() {
		plain := cloth(m, red, cream, 0, 4)
		dim := func(c color.RGBA) color.RGBA {
			return color.RGBA{uint8(float64(c.R) * 0.75), uint8(float64(c.G) * 0.75), uint8(float64(c.B) * 0.7), 255}
		}
		first := vector(t, e, asPNG(t, plain))
		nearest := -1.0
		for j, other := range motifs() {
			if i != j {
				nearest = max(nearest, cosine(first, vector(t, e, asPNG(t, cloth(other, red, cream, 0, 4)))))
			}
		}
		for name, data := range map[string][]byte{
			"as a JPEG":        asJPEG(t, plain),
			"in dim light":     asPNG(t, cloth(m, dim(red), dim(cream), 0, 4)),
			"grainy":           asPNG(t, cloth(m, red, cream, 0, 12)),
			"shifted":          asPNG(t, cloth(m, red, cream, 5, 4)),
			"thrice as large":  asPNG(t, scaled(plain, 384, 288)),
			"cropped a little": asPNG(t, plain.SubImage(image.Rect(4, 4, 126, 94))),
		} {
			if c := cosine(first, vector(t, e, data)); c <= nearest {
				t.Errorf("motif %d %s: %.3f, another motif %.3f", i, name, c, nearest)
			}
		}
	}
}

func TestColourIsSeenWhereItIs(t *testing.T) {
	t.Parallel()
	// IEC 61966-2-1 primaries in CIELAB, D65.
	linear := linearTable()
	for _, c := range []struct {
		r, g, b uint8
		want    [3]float64
	}{{255, 0, 0, [3]float64{53.24, 80.09, 67.20}}, {0, 255, 0, [3]float64{87.74, -86.18, 83.18}}, {0, 0, 255, [3]float64{32.30, 79.19, -107.86}},
		{255, 255, 255, [3]float64{100, 0, 0}}, {0, 0, 0, [3]float64{0, 0, 0}}, {119, 119, 119, [3]float64{50.03, 0, 0}}} {
		l, a, b := lab(linear[c.r], linear[c.g], linear[c.b])
		for i, v := range [3]float32{l, a, b} {
			if math.Abs(float64(v)-c.want[i]) > 0.05 {
				t.Errorf("%d %d %d: L a b = %.2f %.2f %.2f, want %.2f", c.r, c.g, c.b, l, a, b, c.want)
				break
			}
		}
	}
}

// An object before an even, unevenly lit backdrop counts, the backdrop does not.
func TestBackdropCountsLittle(t *testing.T) {
	t.Parallel()
	img := image.NewRGBA(image.Rect(0, 0, 128, 128))
	for y := range 128 {
		for x := range 128 {
			grey := uint8(200 + y/8)
			img.SetRGBA(x, y, color.RGBA{grey, grey, grey, 255})
			if x >= 40 && x < 88 && y >= 40 && y < 88 {
				img.SetRGBA(x, y, red)
			}
		}
	}
	p := newPlanes(img, 1)
	if in, out := p.weight[64*128+64], p.weight[10*128+64]; in < 0.99 || out > 0.01 {
		t.Errorf("the object weighs %v, the backdrop %v", in, out)
	}
	for i, w := range newPlanes(cloth(motifs()[3], red, cream, 0, 0), 1).weight {
		if w != 1 {
			t.Fatalf("a cloth that fills the picture: pixel %d weighs %v", i, w)
		}
	}
}

func grey(w, h int, at func(x, y int) float64) *planes {
	p := &planes{w: w, h: h, l: make([]float32, w*h), a: make([]float32, w*h), b: make([]float32, w*h)}
	for y := range h {
		for x := range w {
			p.l[y*w+x] = float32(at(x, y))
		}
	}
	return p
}

func TestSymmetryIsFound(t *testing.T) {
	t.Parallel()
	const w, h = 64, 48
	var out [mirrorDim]float32
	// L, relative to the mean, changes its sign from left to right and keeps it from top to bottom.
	grey(w, h, func(x, y int) float64 {
		return 50 + (float64(x)-(w-1)/2.0)*(1+math.Abs(float64(y)-(h-1)/2.0)/10)/3
	}).mirrors(out[:])
	for i, want := range []float32{-1, 1, -1} {
		if math.Abs(float64(out[i]-want)) > 1e-3 {
			t.Errorf("reflection %d: %v, want %v", i, out[i], want)
		}
	}
	clear(out[:])
	grey(w, h, func(int, int) float64 { return 42 }).mirrors(out[:])
	if out != [mirrorDim]float32{} {
		t.Errorf("an even picture: %v", out)
	}
}

// The strongest repetition of a frieze is at its period, and the same as by the plain sum.
func TestRepetitionIsFoundAtItsPeriod(t *testing.T) {
	t.Parallel()
	const w, h, period = 128, 128, 32 // 16 at half the size: lag cell 16*2*8/64 = 4
	p := grey(w, h, func(x, y int) float64 {
		if x%period < period/2 {
			return 80
		}
		return 20
	})
	var out [repeatDim]float32
	p.repeats(out[:])
	const wide = 2*lagCells - 1
	row := out[:wide]
	for i, v := range row {
		lag := i - (lagCells - 1) // in cells of 4 pixels
		switch {
		case lag%4 == 0 && v < 0.9:
			t.Errorf("lag cell %d: %v, want about 1", lag, v)
		case lag > 0 && lag%4 == 2 && v > 0:
			t.Errorf("lag cell %d, between two periods: %v", lag, v)
		}
	}
	// A dull oracle of one lag: half size, mean removed, mean product over the overlap.
	at := func(x int) float64 { return float64(p.l[2*x]+p.l[2*x+1])/2 - 50 }
	var sum, power float64
	for x := range w/2 - 16 {
		sum += at(x) * at(x+16) / float64(w/2-16)
	}
	for x := range w / 2 {
		power += at(x) * at(x) / (w / 2)
	}
	if got := float64(row[lagCells-1+4]); math.Abs(got-sum/power) > 1e-3 {
		t.Errorf("lag of a period: %v, by the plain sum %v", got, sum/power)
	}
}

// The gradient of a slope points up it; a picture of one slope has one orientation.
func TestHOGSeesTheOrientation(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]func(x, y int) float64{
		"rising to the right": func(x, _ int) float64 { return float64(x) / 2 },
		"rising downwards":    func(_, y int) float64 { return float64(y) / 2 },
	} {
		var out [hogDim]float32
		grey(128, 128, at).hog(out[:])
		var bins [hogBins]float64
		for i, v := range out {
			bins[i%hogBins] += float64(v)
		}
		most := 0
		for i, v := range bins {
			if v > bins[most] {
				most = i
			}
		}
		// A bin is 20 degrees wide; one that an angle lies between gets its share.
		angle := 180 * (float64(most) + 0.5) / hogBins
		want := 0.0
		if name == "rising downwards" {
			want = 90
		}
		if d := math.Abs(math.Remainder(angle-want, 180)); d > 20 || bins[most] <= 0 {
			t.Errorf("%s: most at %.0f degrees, want %.0f; bins %.3f", name, angle, want, bins)
		}
	}
}
