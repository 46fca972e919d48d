package image

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"

	"golang.org/x/image/bmp"

	"kilim/learner/encode/feature"
	"kilim/learner/encode/image/tiff"
)

// format is a way to read pictures.
type format struct {
	name string
	// open reads the header alone: nothing is allocated by what it promises.
	open func([]byte) (picture, error)
}

// picture is one whose header is read and whose pixels are not.
type picture struct {
	config image.Config
	// memory is how many bytes decode may take, the pixels that it returns among them.
	memory int64
	decode func() (image.Image, error)
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
		return format{"JPEG", openJPEG}, true
	case has(0, "\x89PNG\r\n\x1a\n"):
		return format{"PNG", openPNG}, true
	case has(0, "GIF87a"), has(0, "GIF89a"):
		return format{"GIF", openGIF}, true
	case has(0, "RIFF") && has(8, "WEBP"):
		return format{"WebP", openWebP}, true
	case has(0, "II*\x00"), has(0, "MM\x00*"), has(0, "II+\x00"), has(0, "MM\x00+"):
		return format{"TIFF", openTIFF}, true
	case has(0, "BM"):
		return format{"BMP", openBMP}, true
	}
	return format{}, false
}

// afterPadding leaves out zeros, a byte order mark and blanks before a picture: programs that send pictures are known to
// send a few first.
func afterPadding(b []byte) []byte {
	const most = 4096
	rest := bytes.TrimLeft(b[:min(len(b), most)], "\x00\xef\xbb\xbf \t\r\n")
	at := min(len(b), most) - len(rest)
	if at == 0 {
		return b
	}
	if _, ok := sniff(b[at:]); !ok {
		return b
	}
	return b[at:]
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
		return nil, "", foreign(b)
	}
	// A decoder's panic on bytes that it did not foresee must not take the
	// daemon down, and will come again for the same bytes.
	defer func() {
		if p := recover(); p != nil {
			img, err = nil, feature.Refuse(feature.ReasonCorrupt, "%s: the decoder broke down: %v", f.name, p)
		}
	}()
	p, err := f.open(b)
	if err != nil {
		return nil, f.name, unreadable(f, err)
	}
	if r := checkSize(f, p, lim); r != nil {
		return nil, f.name, r
	}
	img, err = p.decode()
	if err != nil {
		return nil, f.name, unreadable(f, err)
	}
	if img.Bounds().Empty() {
		return nil, f.name, feature.Refuse(feature.ReasonEmpty, "%s: a picture without pixels", f.name)
	}
	return img, f.name, nil
}

func unreadable(f format, err error) *feature.Refusal {
	if r, ok := feature.AsRefusal(err); ok {
		return r
	}
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
func checkSize(f format, p picture, lim Limits) *feature.Refusal {
	w, h := int64(p.config.Width), int64(p.config.Height)
	if w <= 0 || h <= 0 {
		return feature.Refuse(feature.ReasonEmpty, "%s: %d x %d pixels", f.name, w, h)
	}
	// Bounding both sides first keeps the product from overflowing.
	if limit := int64(lim.Pixels); w > limit || h > limit || w*h > limit {
		return feature.Refuse(feature.ReasonTooManyPixels, "%s: %d x %d pixels, the limit is %d in all", f.name, w, h, limit)
	}
	if p.memory > lim.Memory {
		return feature.Refuse(feature.ReasonTooManyPixels, "%s: %d x %d pixels take up to %d bytes of memory, the limit is %d", f.name, w, h, p.memory, lim.Memory)
	}
	return nil
}

// size is that of a picture of so many bytes a pixel. It is capped, so that sums of a few don't overflow.
func size(cfg image.Config, perPixel float64) int64 {
	const most = 1 << 60
	return int64(min(float64(cfg.Width)*float64(cfg.Height)*perPixel, most))
}

// bytesPerPixel is the size of a pixel in the pictures that the standard decoders return.
func bytesPerPixel(m color.Model) float64 {
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
