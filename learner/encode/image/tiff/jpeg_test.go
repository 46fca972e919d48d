package tiff

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"testing"
)

// A JPEG is of the colours that the file says, with its tables apart or in it, in strips, tiles and planes.
func TestJPEG(t *testing.T) {
	t.Parallel()
	asJPEG := func(samples int) func([]uint32, int, int) []byte {
		return func(v []uint32, w, h int) []byte {
			var img image.Image
			gray := image.NewGray(image.Rect(0, 0, w, h))
			rgba := image.NewRGBA(image.Rect(0, 0, w, h))
			for i := range w * h {
				if samples == 1 {
					gray.Pix[i], img = byte(v[i]), gray
				} else {
					copy(rgba.Pix[4*i:], []byte{byte(v[3*i]), byte(v[3*i+1]), byte(v[3*i+2]), 255})
					img = rgba
				}
			}
			var out bytes.Buffer
			if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 100}); err != nil {
				t.Fatal(err)
			}
			return out.Bytes()
		}
	}
	const tolerance = 64 // the third channel is as noise to a JPEG
	for _, l := range []layout{
		{photometric: yCbCr, samples: 3, encode: asJPEG(3)}, {photometric: yCbCr, samples: 3, encode: asJPEG(3), tiled: true},
		{photometric: yCbCr, samples: 3, encode: asJPEG(3), rows: 16, big: true},
	} {
		l.compression, l.bits = jpegNew, 8
		img := decode(t, l.write(t))
		if off := worst(img, func(x, y int) (r, g, b float64) {
			_, _, blue, _ := img.At(x, y).RGBA()
			return level(x, y, 0), level(x, y, 1), float64(blue) / 0xffff
		}); off > tolerance {
			t.Errorf("%+v: off by %.1f", l.tiled, off)
		}
	}
	old := layout{photometric: yCbCr, samples: 3, bits: 8, encode: asJPEG(3), more: map[uint16][]uint64{tagCompression: {jpegOld}}}
	inStrip := decode(t, old.write(t))
	old.more[tagJPEGFile], old.leave = []uint64{8}, []uint16{tagStripOffsets}
	if off := worst(decode(t, old.write(t)), func(x, y int) (r, g, b float64) {
		c := inStrip.At(x, y).(color.RGBA)
		return float64(c.R) / 255, float64(c.G) / 255, float64(c.B) / 255
	}); off > 0 || inStrip.(*image.RGBA).Pix[0] > 30 {
		t.Errorf("of the old style: off by %.1f", off)
	}
	for _, l := range []layout{
		{photometric: rgb, samples: 3, planar: true}, {photometric: blackIsZero, samples: 1}, {photometric: rgb, samples: 3, planar: true, tiled: true},
	} {
		l.compression, l.bits, l.encode = jpegNew, 8, asJPEG(1)
		want := inColour
		if l.samples == 1 {
			want = inGray
		}
		if off := worst(decode(t, l.write(t)), want); off > 12 {
			t.Errorf("in planes: off by %.1f", off)
		}
	}
}

// The tables of a JPEG that stand apart, with SOI and EOI around them, and streams without an end.
func TestJPEGTables(t *testing.T) {
	t.Parallel()
	var whole bytes.Buffer
	img := image.NewGray(image.Rect(0, 0, testW, testH))
	for i := range img.Pix {
		img.Pix[i] = byte(level(i%testW, i/testW, 0) * 255)
	}
	if err := jpeg.Encode(&whole, img, &jpeg.Options{Quality: 100}); err != nil {
		t.Fatal(err)
	}
	tables, rest := []byte{0xff, 0xd8}, []byte{0xff, 0xd8}
	for b := whole.Bytes()[2:]; ; {
		n := 2 + int(b[2])<<8 + int(b[3])
		if b[1] == 0xda {
			rest = append(rest, b[:len(b)-2]...)
			break
		}
		if b[1] == 0xdb || b[1] == 0xc4 {
			tables = append(tables, b[:n]...)
		} else {
			rest = append(rest, b[:n]...)
		}
		b = b[n:]
	}
	l := layout{photometric: blackIsZero, bits: 8, samples: 1, compression: jpegNew, encode: func([]uint32, int, int) []byte { return rest },
		raw: map[uint16][]byte{tagJPEGTables: append(tables, 0xff, 0xd9)}}
	if off := worst(decode(t, l.write(t)), inGray); off > 4 {
		t.Errorf("off by %.1f", off)
	}
}
