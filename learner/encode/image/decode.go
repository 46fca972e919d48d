package image

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"

	"kilim/learner/encode/feature"
)

// format is a way to read pictures.
type format struct {
	name   string
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
	// working is how many bytes of memory a pixel may take while it is decoded,
	// beyond the picture itself.
	working int64
}

// sniff tells the format by the bytes alone: neither a name nor a declared type
// can make a decoder run on what is not its own. The registry of the standard
// library's image package is not used, since any import can add to it.
func sniff(b []byte) (format, bool) {
	has := func(at int, magic string) bool {
		return len(b) >= at+len(magic) && string(b[at:at+len(magic)]) == magic
	}
	switch {
	case has(0, "\xff\xd8\xff"):
		// A progressive picture keeps its coefficients, 4 bytes each, 3 a pixel.
		return format{"JPEG", jpeg.DecodeConfig, jpeg.Decode, 12}, true
	case has(0, "\x89PNG\r\n\x1a\n"):
		return format{"PNG", png.DecodeConfig, png.Decode, 0}, true
	case has(0, "GIF87a"), has(0, "GIF89a"):
		return format{"GIF", gif.DecodeConfig, gif.Decode, 0}, true
	case has(0, "RIFF") && has(8, "WEBP"):
		return format{"WebP", webp.DecodeConfig, webp.Decode, 4}, true
	case has(0, "II*\x00"), has(0, "MM\x00*"):
		// Strips are decompressed whole before they are spread.
		return format{"TIFF", tiff.DecodeConfig, tiff.Decode, 8}, true
	case has(0, "BM"):
		return format{"BMP", bmp.DecodeConfig, bmp.Decode, 0}, true
	}
	return format{}, false
}

// decode reads a picture, refusing it by its header when it is too large. The
// picture is as stored; see orientation.
func decode(b []byte, lim Limits) (img image.Image, name string, err error) {
	if len(b) == 0 {
		return nil, "", feature.Refuse(feature.ReasonEmpty, "no bytes")
	}
	if len(b) > lim.Bytes {
		return nil, "", feature.Refuse(feature.ReasonTooManyBytes, "%d bytes, the limit is %d", len(b), lim.Bytes)
	}
	f, ok := sniff(b)
	if !ok {
		return nil, "", feature.Refuse(feature.ReasonUnknownFormat, "begins with %q, which is no JPEG, PNG, GIF, WebP, TIFF or BMP", b[:min(len(b), 8)])
	}
	// A decoder's panic on bytes that it did not foresee must not take the
	// daemon down, and will come again for the same bytes.
	defer func() {
		if p := recover(); p != nil {
			img, err = nil, feature.Refuse(feature.ReasonCorrupt, "%s: the decoder broke down: %v", f.name, p)
		}
	}()
	cfg, err := f.config(bytes.NewReader(b))
	if err != nil {
		return nil, f.name, unreadable(f, err)
	}
	if r := checkSize(f, cfg, lim); r != nil {
		return nil, f.name, r
	}
	if r := checkFrame(f, b, cfg); r != nil {
		return nil, f.name, r
	}
	img, err = f.decode(bytes.NewReader(b))
	if err != nil {
		return nil, f.name, unreadable(f, err)
	}
	if img.Bounds().Empty() {
		return nil, f.name, feature.Refuse(feature.ReasonEmpty, "%s: a picture without pixels", f.name)
	}
	return img, f.name, nil
}

func unreadable(f format, err error) *feature.Refusal {
	reason := feature.ReasonCorrupt
	switch err.(type) {
	case jpeg.UnsupportedError, png.UnsupportedError, tiff.UnsupportedError:
		reason = feature.ReasonUnsupported
	}
	if err == bmp.ErrUnsupported {
		reason = feature.ReasonUnsupported
	}
	return feature.Refuse(reason, "%s: %v", f.name, err)
}

// checkSize refuses what would take more pixels or memory than allowed, by what
// the header says: nothing has been allocated yet.
func checkSize(f format, cfg image.Config, lim Limits) *feature.Refusal {
	w, h := int64(cfg.Width), int64(cfg.Height)
	if w <= 0 || h <= 0 {
		return feature.Refuse(feature.ReasonEmpty, "%s: %d x %d pixels", f.name, w, h)
	}
	// Bounding both sides first keeps the product from overflowing.
	if limit := int64(lim.Pixels); w > limit || h > limit || w*h > limit {
		return feature.Refuse(feature.ReasonTooManyPixels, "%s: %d x %d pixels, the limit is %d in all", f.name, w, h, limit)
	}
	if need := w * h * (bytesPerPixel(cfg.ColorModel) + f.working); need > lim.Memory {
		return feature.Refuse(feature.ReasonTooManyPixels, "%s: %d x %d pixels take up to %d bytes, the limit is %d", f.name, w, h, need, lim.Memory)
	}
	return nil
}

func bytesPerPixel(m color.Model) int64 {
	if _, ok := m.(color.Palette); ok {
		return 1
	}
	switch m {
	case color.GrayModel, color.AlphaModel:
		return 1
	case color.Gray16Model, color.Alpha16Model:
		return 2
	case color.YCbCrModel:
		return 3
	case color.RGBA64Model, color.NRGBA64Model:
		return 8
	}
	return 4
}

// checkFrame refuses a WebP whose frame is larger than the canvas that its
// header promised, which is what DecodeConfig reports.
func checkFrame(f format, b []byte, cfg image.Config) *feature.Refusal {
	if f.name != "WebP" || len(b) < 30 || string(b[12:16]) != "VP8X" {
		return nil
	}
	for at := 12; at+8 <= len(b); {
		size := int64(binary.LittleEndian.Uint32(b[at+4:]))
		body := b[at+8:]
		w, h := 0, 0
		switch string(b[at : at+4]) {
		case "VP8 ":
			if len(body) >= 10 {
				w, h = int(binary.LittleEndian.Uint16(body[6:])&0x3fff), int(binary.LittleEndian.Uint16(body[8:])&0x3fff)
			}
		case "VP8L":
			if len(body) >= 5 {
				bits := binary.LittleEndian.Uint32(body[1:])
				w, h = int(bits&0x3fff)+1, int(bits>>14&0x3fff)+1
			}
		}
		if w > cfg.Width || h > cfg.Height {
			return feature.Refuse(feature.ReasonCorrupt, "WebP: a frame of %d x %d on a canvas of %s", w, h, fmt.Sprintf("%d x %d", cfg.Width, cfg.Height))
		}
		next := int64(at) + 8 + size + size&1
		if next > int64(len(b)) {
			return nil
		}
		at = int(next)
	}
	return nil
}
