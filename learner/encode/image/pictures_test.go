package image

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

func encoder(t testing.TB, lim Limits) *Encoder {
	t.Helper()
	e, err := New(lim)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func vector(t testing.TB, e *Encoder, data []byte) []float32 {
	t.Helper()
	v, err := e.Encode(data)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func cosine(a, b []float32) float64 {
	var dot, aa, bb float64
	for i := range a {
		dot += float64(a[i]) * float64(b[i])
		aa += float64(a[i]) * float64(a[i])
		bb += float64(b[i]) * float64(b[i])
	}
	return dot / math.Sqrt(aa*bb)
}

// part is a block of a vector.
func part(t testing.TB, e *Encoder, v []float32, name string) []float32 {
	t.Helper()
	for _, b := range e.Blocks() {
		if b.Name == name {
			return v[:b.Dim]
		}
		v = v[b.Dim:]
	}
	t.Fatalf("no block %q", name)
	return nil
}

// motifs are drawn on 8 x 8 knots.
func motifs() [][]string {
	return [][]string{
		{"...##...", "..#..#..", ".#....#.", "#......#", "#......#", ".#....#.", "..#..#..", "...##..."},
		{"########", "#......#", "#.####.#", "#.#..#.#", "#.#.##.#", "#.#....#", "#.######", "#......."},
		{"#...#...", ".#...#..", "..#...#.", "...#...#", "#...#...", ".#...#..", "..#...#.", "...#...#"},
		{"...##...", "...##...", "...##...", "########", "########", "...##...", "...##...", "...##..."},
	}
}

// cloth repeats a motif 4 x 3 times, 4 pixels a knot, shifted and with noise.
func cloth(motif []string, figure, ground color.RGBA, shift int, noise float64) *image.RGBA {
	const w, h = 128, 96
	rng := rand.New(rand.NewPCG(7, uint64(shift)))
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := ground
			if motif[(y+shift)/4%8][(x+shift)/4%8] == '#' {
				c = figure
			}
			n := noise * rng.NormFloat64()
			bend := func(v uint8) uint8 { return uint8(min(max(float64(v)+n, 0), 255)) }
			img.SetRGBA(x, y, color.RGBA{bend(c.R), bend(c.G), bend(c.B), 255})
		}
	}
	return img
}

var (
	red, cream  = color.RGBA{160, 30, 30, 255}, color.RGBA{235, 225, 200, 255}
	blue, ochre = color.RGBA{30, 50, 120, 255}, color.RGBA{200, 150, 60, 255}
)

func written(t testing.TB, write func(*bytes.Buffer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asPNG(t testing.TB, img image.Image) []byte {
	t.Helper()
	return written(t, func(b *bytes.Buffer) error { return png.Encode(b, img) })
}

func asJPEG(t testing.TB, img image.Image) []byte {
	t.Helper()
	return written(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, img, &jpeg.Options{Quality: 95}) })
}

// sample is one picture in each format that is read. The WebPs were written by cwebp from
// the same cloth.
func sample(t testing.TB) map[string][]byte {
	t.Helper()
	img := cloth(motifs()[0], red, cream, 0, 0)
	dyed := image.NewPaletted(img.Bounds(), color.Palette{red, cream})
	draw.Draw(dyed, dyed.Bounds(), img, image.Point{}, draw.Src)
	out := map[string][]byte{
		"PNG":  asPNG(t, img),
		"JPEG": asJPEG(t, img),
		"GIF":  written(t, func(b *bytes.Buffer) error { return gif.Encode(b, dyed, nil) }),
		"BMP":  written(t, func(b *bytes.Buffer) error { return bmp.Encode(b, img) }),
		"TIFF": written(t, func(b *bytes.Buffer) error { return tiff.Encode(b, img, &tiff.Options{Compression: tiff.Deflate}) }),
	}
	for name, file := range map[string]string{"WebP": "lossy.webp", "WebP lossless": "lossless.webp"} {
		data, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		out[name] = data
	}
	return out
}

// pngChunk is a chunk with its checksum.
func pngChunk(kind string, body []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	b = append(append(b, kind...), body...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

// same wants the vector of a changed file to be that of the good one, to the last bit. Where pixels and orientation are the same it
// is, for a vector is made of nothing else, and takes longer to make than all the rest.
func same(t *testing.T, e *Encoder, name string, good, changed []byte) {
	t.Helper()
	if pixels, format, err := decode(afterPadding(changed), e.lim); err == nil {
		want, is, err := decode(good, e.lim)
		if err == nil && reflect.DeepEqual(pixels, want) && orientation(afterPadding(changed), format) == orientation(good, is) {
			return
		}
	}
	got, err := e.Encode(changed)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	for i, v := range vector(t, e, good) {
		if got[i] != v {
			t.Errorf("%s: another vector, cosine %.4f", name, cosine(got, vector(t, e, good)))
			return
		}
	}
}
