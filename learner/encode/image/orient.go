package image

import (
	"bytes"

	"github.com/bep/imagemeta"

	"kilim/learner/encode/image/tiff"
)

// orientation is the EXIF tag of that name (CIPA DC-008, 4.6.5): 1..8, and 1
// when there is none. Metadata that cannot be read does not spoil a picture
// that can.
func orientation(b []byte, format string) int {
	if format == "TIFF" {
		f, err := tiff.Open(b)
		if err != nil {
			return 1
		}
		return f.Orientation()
	}
	kinds := map[string]imagemeta.ImageFormat{
		"JPEG": imagemeta.JPEG, "PNG": imagemeta.PNG, "WebP": imagemeta.WebP,
	}
	kind, ok := kinds[format]
	if !ok {
		return 1
	}
	value := 1
	read := func() {
		defer func() {
			// The metadata's reader promises errors; a panic of it costs the
			// orientation, not the picture.
			if recover() != nil {
				value = 1
			}
		}()
		_, err := imagemeta.Decode(imagemeta.Options{
			R:               bytes.NewReader(b),
			ImageFormat:     kind,
			Sources:         imagemeta.EXIF,
			ShouldHandleTag: func(t imagemeta.TagInfo) bool { return t.Namespace == "IFD0" && t.Tag == "Orientation" },
			HandleTag: func(t imagemeta.TagInfo) error {
				if v, ok := t.Value.(uint16); ok && v >= 1 && v <= 8 {
					value = int(v)
				}
				return imagemeta.ErrStopWalking
			},
		})
		if err != nil {
			value = 1
		}
	}
	read()
	return value
}

// upright gives, for a stored picture of w x h, the size of the picture as it is
// meant to be seen, and where its pixel x, y is stored.
func upright(orientation, w, h int) (uw, uh int, at func(x, y int) (sx, sy int)) {
	if orientation >= 5 {
		uw, uh = h, w
	} else {
		uw, uh = w, h
	}
	switch orientation {
	case 2:
		return uw, uh, func(x, y int) (int, int) { return w - 1 - x, y }
	case 3:
		return uw, uh, func(x, y int) (int, int) { return w - 1 - x, h - 1 - y }
	case 4:
		return uw, uh, func(x, y int) (int, int) { return x, h - 1 - y }
	case 5:
		return uw, uh, func(x, y int) (int, int) { return y, x }
	case 6:
		return uw, uh, func(x, y int) (int, int) { return y, h - 1 - x }
	case 7:
		return uw, uh, func(x, y int) (int, int) { return w - 1 - y, h - 1 - x }
	case 8:
		return uw, uh, func(x, y int) (int, int) { return w - 1 - y, x }
	}
	return uw, uh, func(x, y int) (int, int) { return x, y }
}
