package image

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/draw"

	"golang.org/x/image/webp"
)

func openWebP(b []byte) (picture, error) {
	w, err := parseWebP(b[12:])
	if err != nil {
		return picture{}, err
	}
	plain := w.plain()
	cfg, err := webp.DecodeConfig(bytes.NewReader(plain))
	if err != nil {
		return picture{}, err
	}
	decode := func() (image.Image, error) { return webp.Decode(bytes.NewReader(plain)) }
	if !w.animated {
		// The coefficients, or the pixels before their transformations, are kept beside the picture.
		return picture{cfg, size(cfg, bytesPerPixel(cfg.ColorModel)+4), decode}, nil
	}
	screen := image.Rectangle{Max: w.canvas}
	if !w.frame.In(screen) {
		return picture{}, fmt.Errorf("a frame of %v on a canvas of %v", w.frame, w.canvas)
	}
	cfg.Width, cfg.Height = w.canvas.X, w.canvas.Y
	return picture{cfg, size(cfg, bytesPerPixel(cfg.ColorModel)+4+4), func() (image.Image, error) {
		img, err := decode()
		if err != nil || w.frame == screen {
			return img, err
		}
		out := image.NewNRGBA(screen)
		draw.Draw(out, w.frame, img, img.Bounds().Min, draw.Src)
		return out, nil
	}}, nil
}

// webpFile is what makes the first picture of a WebP (RFC 9649, section 2).
type webpFile struct {
	extended bool        // there is a VP8X chunk
	canvas   image.Point // by that
	animated bool
	frame    image.Rectangle // of an animation's first frame, on the canvas
	alpha    []byte          // the body of ALPH
	kind     string          // of the pixels: VP8 or VP8L
	pixels   []byte
}

// parseWebP finds the first picture. The length in the file's header is not believed, for what is written to a pipe
// does not know it; metadata and what follows the picture are not looked at.
func parseWebP(b []byte) (*webpFile, error) {
	w := &webpFile{}
	for {
		kind, body, rest, cut := webpChunk(b)
		switch kind {
		case "":
			if w.extended {
				return w, nil // the decoder tells its size, and that there is nothing
			}
			return nil, errors.New("cut off: no picture")
		case "VP8X":
			if !w.extended && len(body) >= 10 {
				w.extended = true
				w.canvas = image.Pt(uint24(body[4:])+1, uint24(body[7:])+1)
			}
		case "ANMF":
			const head = 16
			if len(body) < head {
				return nil, errors.New("cut off: no frame of the animation")
			}
			inner, err := parseWebP(body[head:])
			if err != nil {
				return nil, err
			}
			w.animated = true
			at := image.Pt(2*uint24(body), 2*uint24(body[3:]))
			w.frame = image.Rectangle{Min: at, Max: at.Add(image.Pt(uint24(body[6:])+1, uint24(body[9:])+1))}
			w.kind, w.alpha, w.pixels = inner.kind, inner.alpha, inner.pixels
			if !w.extended {
				w.canvas = w.frame.Max
			}
			return w, nil
		case "ALPH":
			w.alpha = body
		case "VP8 ", "VP8L":
			if cut && len(body) > 10 {
				return nil, fmt.Errorf("cut off: a picture of %d bytes, %d are there", binary.LittleEndian.Uint32(b[4:]), len(body))
			}
			w.kind, w.pixels = kind, body
			return w, nil
		}
		b = rest
	}
}

// webpChunk takes a chunk off b. Its kind is empty at the end; a chunk that is cut ends with b.
func webpChunk(b []byte) (kind string, body, rest []byte, cut bool) {
	const head = 8
	if len(b) < head {
		return "", nil, nil, false
	}
	kind, body = string(b[:4]), b[head:]
	length := int64(binary.LittleEndian.Uint32(b[4:]))
	if length > int64(len(body)) {
		return kind, body, nil, true
	}
	return kind, body[:length], body[min(length+length&1, int64(len(body))):], false
}

// plain is the picture as a file of its own, with the chunks that the decoder wants.
func (w *webpFile) plain() []byte {
	out := append(make([]byte, 0, len(w.alpha)+len(w.pixels)+64), "RIFF\x00\x00\x00\x00WEBP"...)
	if w.extended || w.animated {
		canvas, flags := w.canvas, byte(0)
		if w.animated {
			canvas = w.frame.Size()
		}
		if w.alpha != nil && w.kind != "VP8L" {
			flags = 0x10
		}
		head := append([]byte{flags, 0, 0, 0}, le24(canvas.X-1)...)
		out = appendWebP(out, "VP8X", append(head, le24(canvas.Y-1)...))
		if flags != 0 {
			out = appendWebP(out, "ALPH", w.alpha)
		}
	}
	if w.kind != "" {
		out = appendWebP(out, w.kind, w.pixels)
	}
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out
}

func appendWebP(b []byte, kind string, body []byte) []byte {
	b = append(binary.LittleEndian.AppendUint32(append(b, kind...), uint32(len(body))), body...)
	if len(body)&1 == 1 {
		b = append(b, 0)
	}
	return b
}

func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

func le24(v int) []byte { return []byte{byte(v), byte(v >> 8), byte(v >> 16)} }
