package image

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"testing"

	"kilim/learner/encode/feature"
)

// pngChunks takes a PNG apart.
func pngChunks(b []byte) (chunks [][]byte) {
	for at := pngMagic; at < len(b); {
		end := at + 12 + int(binary.BigEndian.Uint32(b[at:]))
		chunks = append(chunks, b[at:end:end])
		at = end
	}
	return chunks
}

func asFile(magic string, chunks ...[]byte) []byte {
	return append([]byte(magic), bytes.Join(chunks, nil)...)
}

const pngSignature = "\x89PNG\r\n\x1a\n"

func damaged(chunk []byte) []byte {
	out := bytes.Clone(chunk)
	out[len(out)-1] ^= 0xff
	return out
}

func TestDamageBesideThePixelsOfPNG(t *testing.T) {
	t.Parallel()
	e := encoder(t, Limits{})
	img := cloth(motifs()[1], red, cream, 0, 0)
	dyed := image.NewPaletted(img.Bounds(), color.Palette{red, cream})
	draw.Draw(dyed, dyed.Bounds(), img, image.Point{}, draw.Src)
	text := pngChunk("tEXt", []byte("Comment\x00woven"))
	for kind, good := range map[string][]byte{"colour": asPNG(t, img), "palette": asPNG(t, dyed)} {
		c := pngChunks(good)
		head, body, end := c[0], c[1:len(c)-1], c[len(c)-1]
		all := bytes.Join(body, nil)
		idat := body[len(body)-1]
		for name, changed := range map[string][]byte{
			"a damaged text":              asFile(pngSignature, head, damaged(text), all, end),
			"a damaged text at the end":   asFile(pngSignature, head, all, damaged(text), end),
			"no IEND":                     asFile(pngSignature, head, all),
			"half of IEND":                asFile(pngSignature, head, all, end[:6]),
			"a damaged IEND":              asFile(pngSignature, head, all, damaged(end)),
			"zeros behind":                asFile(pngSignature, head, all, end, make([]byte, 5000)),
			"zeros and no IEND":           asFile(pngSignature, head, all, make([]byte, 5000)),
			"a text that is cut off":      asFile(pngSignature, head, all, text[:13]),
			"a text of 4 GB at the end":   asFile(pngSignature, head, all, []byte("\xff\xff\xff\xfftEXt...")),
			"the last checksum missing":   asFile(pngSignature, head, bytes.Join(body[:len(body)-1], nil), idat[:len(idat)-4]),
			"half of the last checksum":   asFile(pngSignature, head, bytes.Join(body[:len(body)-1], nil), idat[:len(idat)-2]),
			"a damaged transparency":      asFile(pngSignature, head, bytes.Join(body[:len(body)-1], nil), damaged(pngChunk("tRNS", []byte{0, 0, 0, 0, 0, 0})), idat),
			"a transparency of no colour": asFile(pngSignature, head, bytes.Join(body[:len(body)-1], nil), pngChunk("tRNS", make([]byte, 300)), idat, end),
			"a damaged profile, twice":    asFile(pngSignature, head, damaged(pngChunk("iCCP", []byte("x"))), damaged(pngChunk("iCCP", []byte("y"))), all, end),
		} {
			same(t, e, kind+", "+name, good, changed)
		}
		pixels := bytes.Clone(idat)
		pixels[len(pixels)/2] ^= 0xff
		for name, changed := range map[string][]byte{
			"damaged pixels":   asFile(pngSignature, head, bytes.Join(body[:len(body)-1], nil), pixels, end),
			"pixels cut off":   good[:len(good)-12-30],
			"a damaged header": asFile(pngSignature, damaged(head), all, end),
			"no pixels":        asFile(pngSignature, head, end),
		} {
			if _, err := e.Encode(changed); reason(err) != feature.ReasonCorrupt {
				t.Errorf("%s, %s: %v, want it refused as corrupt", kind, name, err)
			}
		}
	}
	// A picture of which a part is transparent keeps that.
	clear := image.NewPaletted(img.Bounds(), color.Palette{red, color.NRGBA{}})
	draw.Draw(clear, clear.Bounds(), dyed, image.Point{}, draw.Src)
	good := asPNG(t, clear)
	decoded, _, err := decode(good, e.lim)
	if want, _ := png.Decode(bytes.NewReader(good)); err != nil || decoded.At(0, 0) != want.At(0, 0) {
		t.Errorf("a transparent picture: %v, %v", decoded.At(0, 0), err)
	}
}
