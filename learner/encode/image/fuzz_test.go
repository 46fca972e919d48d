package image

import (
	"image"
	"testing"

	"kilim/learner/encode/feature"
)

// fuzz runs one decoder on foreign bytes: the beginning is set to its magic.
func fuzz(f *testing.F, magic string, seeds ...[]byte) {
	for _, s := range seeds {
		f.Add(s)
		f.Add(s[:len(s)/2])
	}
	lim := Limits{Bytes: 1 << 20, Pixels: 1 << 14, Memory: 1 << 20}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < len(magic) {
			return
		}
		data = append([]byte(magic), data[len(magic):]...)
		img, format, err := decode(data, lim)
		if err != nil {
			if r, ok := feature.AsRefusal(err); !ok || r.Reason == feature.ReasonUnknownFormat {
				t.Fatalf("%v: not a refusal by the decoder", err)
			}
			return
		}
		if o := orientation(data, format); o < 1 || o > 8 {
			t.Fatalf("orientation %d", o)
		}
		if b := img.Bounds(); b.Empty() || b.Dx() > lim.Pixels || b.Dy() > lim.Pixels || b.Dx()*b.Dy() > lim.Pixels {
			t.Fatalf("a picture of %v pixels, the limit is %d in all", b.Size(), lim.Pixels)
		}
	})
}

func small(t testing.TB) image.Image {
	return cloth(motifs()[0], red, cream, 0, 0).SubImage(image.Rect(0, 0, 24, 20))
}

func FuzzJPEG(f *testing.F) {
	fuzz(f, "\xff\xd8\xff", asJPEG(f, small(f)), bombs()["JPEG"], progressive(f))
}
func FuzzPNG(f *testing.F) {
	fuzz(f, "\x89PNG\r\n\x1a\n", asPNG(f, small(f)), bombs()["PNG"])
}
func FuzzGIF(f *testing.F) { fuzz(f, "GIF89a", sample(f)["GIF"], bombs()["GIF"]) }
func FuzzBMP(f *testing.F) { fuzz(f, "BM", sample(f)["BMP"], bombs()["BMP"]) }

// FuzzTIFF is of this package's part; more is in package tiff.
func FuzzTIFF(f *testing.F) { fuzz(f, "II*\x00", sample(f)["TIFF"], bombs()["TIFF"]) }

// The size and the magic of WebP stand apart; the seeds keep them.
func FuzzWebP(f *testing.F) {
	animated := riff(vp8x(2, 128, 96), frameOf(0, 0, 128, 96, sample(f)["WebP"][12:]))
	fuzz(f, "RIFF\xff\x03\x00\x00WEBP", sample(f)["WebP"], sample(f)["WebP lossless"], bombs()["WebP canvas"], animated)
}

// FuzzDecode runs all that is before the decoders: padding, and the names of what is not read.
func FuzzDecode(f *testing.F) {
	for _, k := range known() {
		f.Add(append(make([]byte, k.at), k.magic...))
	}
	for _, text := range []string{"<?xml version='1.0'?><svg/>", "P5 2 2 255 abcd", "\xef\xbb\xbf \x00\x00BM"} {
		f.Add([]byte(text))
	}
	f.Add(append(make([]byte, 9), asPNG(f, small(f))...))
	lim := Limits{Bytes: 1 << 20, Pixels: 1 << 14, Memory: 1 << 20}
	f.Fuzz(func(t *testing.T, data []byte) {
		img, _, err := decode(data, lim)
		if r, ok := feature.AsRefusal(err); err != nil && (!ok || r.Detail == "") {
			t.Fatalf("%v: no refusal with a reason", err)
		}
		if err == nil && img.Bounds().Dx()*img.Bounds().Dy() > lim.Pixels {
			t.Fatalf("a picture of %v pixels, the limit is %d in all", img.Bounds().Size(), lim.Pixels)
		}
	})
}
