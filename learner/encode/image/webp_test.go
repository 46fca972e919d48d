package image

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/draw"
	"testing"

	"golang.org/x/image/webp"

	"kilim/learner/encode/feature"
)

// frameOf is what a frame of an animation holds: the chunks of a picture.
func frameOf(x, y, w, h int, chunks []byte) []byte {
	b := append(append(append(append(le24(x/2), le24(y/2)...), le24(w-1)...), le24(h-1)...), 100, 0, 0, 0)
	return appendWebP(nil, "ANMF", append(b, chunks...))
}

func riff(chunks ...[]byte) []byte {
	body := append([]byte("WEBP"), bytes.Join(chunks, nil)...)
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

func vp8x(flags byte, w, h int) []byte {
	return appendWebP(nil, "VP8X", append(append([]byte{flags, 0, 0, 0}, le24(w-1)...), le24(h-1)...))
}

func TestFormsOfWebP(t *testing.T) {
	t.Parallel()
	e := encoder(t, Limits{})
	for _, kind := range []string{"WebP", "WebP lossless"} {
		good := sample(t)[kind]
		cfg, err := webp.DecodeConfig(bytes.NewReader(good))
		if err != nil {
			t.Fatal(err)
		}
		w, h := cfg.Width, cfg.Height
		pixels := good[12:]
		frame := frameOf(0, 0, w, h, pixels)
		wrong := bytes.Clone(good)
		binary.LittleEndian.PutUint32(wrong[4:], 0xffffffff)
		zero := bytes.Clone(good)
		clear(zero[4:8])
		for name, changed := range map[string][]byte{
			"an animation":                      riff(vp8x(2, w, h), appendWebP(nil, "ANIM", make([]byte, 6)), frame, frame),
			"an animation that is cut":          riff(vp8x(2, w, h), frame, frame[:30]),
			"an animation without a flag":       riff(vp8x(0, w, h), frame),
			"an animation without a canvas":     riff(frame),
			"a length of 4 GB":                  wrong,
			"a length of 0":                     zero,
			"metadata behind, cut":              append(bytes.Clone(good), "EXIF\xff\xff\xff\x7f12"...),
			"an unknown chunk before":           riff(appendWebP(nil, "abcd", []byte("xyz")), pixels),
			"a flag of alpha, and none":         riff(vp8x(0x10, w, h), pixels),
			"a profile and damaged metadata":    riff(vp8x(0x2c, w, h), appendWebP(nil, "ICCP", []byte("x")), pixels, []byte("EXIF\x09")),
			"an alpha that nothing speaks of":   riff(appendWebP(nil, "ALPH", []byte{0}), pixels),
			"an animation, 24 bits of duration": riff(vp8x(2, w, h), frame, bytes.Repeat(frame, 3)),
		} {
			same(t, e, kind+", "+name, good, changed)
		}
		// A frame that does not fill its canvas is seen on it.
		placed := image.NewNRGBA(image.Rect(0, 0, w+20, h+10))
		inner, _, err := decode(good, e.lim)
		if err != nil {
			t.Fatal(err)
		}
		draw.Draw(placed, image.Rect(20, 10, w+20, h+10), inner, inner.Bounds().Min, draw.Src)
		small := riff(vp8x(2, w+20, h+10), frameOf(20, 10, w, h, pixels))
		if c := cosine(vector(t, e, asPNG(t, placed)), vector(t, e, small)); c < 0.999 {
			t.Errorf("%s: a frame on a larger canvas: cosine %.4f", kind, c)
		}
		for name, data := range map[string][]byte{
			"a frame beyond its canvas":  riff(vp8x(2, w-2, h), frame),
			"a frame cut off":            riff(vp8x(2, w, h), frame[:len(frame)/2]),
			"a frame of another size":    riff(vp8x(2, w, h), frameOf(0, 0, w-8, h, pixels)),
			"a frame of nothing":         riff(vp8x(2, w, h), frameOf(0, 0, w, h, nil)),
			"a canvas and nothing on it": riff(vp8x(2, w, h)),
		} {
			if _, err := e.Encode(data); reason(err) != feature.ReasonCorrupt {
				t.Errorf("%s, %s: %v, want it refused as corrupt", kind, name, err)
			}
		}
	}
}
