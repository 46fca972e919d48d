package image

import (
	"bytes"
	"encoding/binary"
	"image"
	"testing"

	"kilim/learner/encode/feature"
)

func TestFormsOfBMP(t *testing.T) {
	t.Parallel()
	e := encoder(t, Limits{})
	le := binary.LittleEndian
	img := cloth(motifs()[1], red, cream, 0, 0)
	w, h := img.Rect.Dx()-1, img.Rect.Dy() // an odd width has padding
	cut := img.SubImage(image.Rect(0, 0, w, h))
	var pixels, indices []byte
	for y := h - 1; y >= 0; y-- {
		row := len(pixels)
		for x := range w {
			c := img.RGBAAt(x, y)
			pixels = append(pixels, c.B, c.G, c.R)
			indices = append(indices, byte(0))
			if c == cream {
				indices[len(indices)-1] = 1
			}
		}
		for (len(pixels)-row)%4 != 0 {
			pixels = append(pixels, 0)
		}
		for len(indices)%4 != 0 {
			indices = append(indices, 0)
		}
	}
	file := func(header []byte, gap int, body []byte) []byte {
		b := le.AppendUint32([]byte("BM\x00\x00\x00\x00\x00\x00\x00\x00"), uint32(14+len(header)+gap))
		return append(append(append(b, header...), make([]byte, gap)...), body...)
	}
	info := func(length, bits int, compression uint32) []byte {
		b := le.AppendUint32(nil, uint32(length))
		b = le.AppendUint32(le.AppendUint32(b, uint32(w)), uint32(h))
		b = le.AppendUint32(le.AppendUint16(le.AppendUint16(b, 1), uint16(bits)), compression)
		return append(b, make([]byte, max(length, 40)-20)...)[:length]
	}
	core := func(bits int) []byte {
		b := le.AppendUint16(le.AppendUint16(le.AppendUint32(nil, 12), uint16(w)), uint16(h))
		return le.AppendUint16(le.AppendUint16(b, 1), uint16(bits))
	}
	dyed := append(core(8), red.B, red.G, red.R, cream.B, cream.G, cream.R)
	good := asPNG(t, cut)
	for name, changed := range map[string][]byte{
		"plain":                       file(info(40, 24, 0), 0, pixels),
		"of OS/2":                     file(core(24), 0, pixels),
		"of OS/2, with a palette":     file(append(dyed, make([]byte, 3*254)...), 0, indices),
		"a short palette":             file(dyed, 0, indices),
		"a gap before the pixels":     file(info(40, 24, 0), 6, pixels),
		"a header of 56 bytes":        file(info(56, 24, 0), 0, pixels),
		"no padding of the last row":  file(info(40, 24, 0), 0, pixels[:len(pixels)-1]),
		"zeros behind":                file(info(40, 24, 0), 0, append(bytes.Clone(pixels), make([]byte, 99)...)),
		"a header of OS/2, version 2": file(info(64, 24, 0), 0, pixels),
	} {
		same(t, e, name, good, changed)
	}
	for name, c := range map[string]struct {
		want string
		data []byte
	}{
		"RLE8":     {feature.ReasonUnsupported, file(info(40, 8, 1), 0, pixels)},
		"16 bits":  {feature.ReasonUnsupported, file(info(40, 16, 0), 0, pixels)},
		"a JPEG":   {feature.ReasonUnsupported, file(info(40, 24, 4), 0, pixels)},
		"cut off":  {feature.ReasonCorrupt, file(info(40, 24, 0), 0, pixels[:len(pixels)/2])},
		"a header": {feature.ReasonCorrupt, file(info(40, 24, 0), 0, nil)[:30]},
	} {
		if _, err := e.Encode(c.data); reason(err) != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}
