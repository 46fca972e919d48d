package tiff

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
)

// jpegMargin is how many pixels a JPEG may be larger than its strip or tile.
const jpegMargin = 16

// readJPEG decodes a block (Technical Note 2) into samples that stand together: Y, RGB or CMYK.
func (f *File) readJPEG(out, b []byte, w, h int) error {
	b, err := f.wholeJPEG(b)
	if err != nil {
		return err
	}
	cfg, err := jpeg.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return inJPEG(err)
	}
	if cfg.Width < w || cfg.Height < h || cfg.Width > f.blockW+jpegMargin || cfg.Height > f.blockH+jpegMargin {
		return FormatError(fmt.Sprintf("a JPEG of %d x %d pixels in a strip or tile of %d x %d", cfg.Width, cfg.Height, w, h))
	}
	img, err := jpeg.Decode(bytes.NewReader(b))
	if err != nil {
		return inJPEG(err)
	}
	samples := f.samples / f.planes
	have := map[color.Model]int{color.GrayModel: 1, color.YCbCrModel: 3, color.RGBAModel: 3, color.CMYKModel: 4}[img.ColorModel()]
	if have != samples {
		return UnsupportedError(fmt.Sprintf("a JPEG of %d components for %d samples", have, samples))
	}
	for y := range h {
		to := out[y*w*samples:]
		switch img := img.(type) {
		case *image.Gray:
			copy(to[:w], img.Pix[y*img.Stride:])
		case *image.YCbCr:
			for x := range w {
				yi, ci := img.YOffset(x, y), img.COffset(x, y)
				to[3*x], to[3*x+1], to[3*x+2] = color.YCbCrToRGB(img.Y[yi], img.Cb[ci], img.Cr[ci])
			}
		case *image.RGBA:
			for x := range w {
				copy(to[3*x:3*x+3], img.Pix[y*img.Stride+4*x:])
			}
		case *image.CMYK:
			for i, v := range img.Pix[y*img.Stride:][:4*w] {
				to[i] = 0xff - v // it was taken for Adobe's, which are inverted
			}
		}
	}
	return nil
}

func inJPEG(err error) error {
	if unsupported, ok := err.(jpeg.UnsupportedError); ok {
		return UnsupportedError("JPEG in TIFF: " + string(unsupported))
	}
	return FormatError(fmt.Sprintf("a strip or tile of JPEG: %v", err))
}

// wholeJPEG puts the tables, which a file keeps once, before the pixels, and says of what colours they are: the TIFF
// knows it, the JPEG need not. An end marker is added, in case that there is none.
func (f *File) wholeJPEG(b []byte) ([]byte, error) {
	soi := []byte{0xff, 0xd8}
	if !bytes.HasPrefix(b, soi) {
		return nil, FormatError("a strip or tile without a JPEG")
	}
	out := append([]byte(nil), soi...)
	if f.planes == 1 && f.samples > 1 {
		transform := byte(0)
		if f.photometric == yCbCr {
			transform = 1
		}
		out = append(out, "\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00"...)
		out = append(out, transform)
	}
	if tables := f.d.tags[tagJPEGTables].value; bytes.HasPrefix(tables, soi) {
		tables = bytes.TrimSuffix(tables[2:], []byte{0xff, 0xd9})
		out = append(out, tables...)
	}
	pixels, err := withoutApp(b[2:])
	return append(append(out, pixels...), 0xff, 0xd9), err
}

// withoutApp leaves out the segments before the frame that are for programs, since they may call the colours
// otherwise, and refuses what takes more memory than File.Memory tells.
func withoutApp(b []byte) ([]byte, error) {
	var out []byte
	for len(b) >= 4 && b[0] == 0xff {
		marker, length := b[1], 2+int(b[2])<<8+int(b[3])
		switch {
		case marker == 0xff:
			b = b[1:]
			continue
		case marker == 0xc2:
			return nil, UnsupportedError("progressive JPEG in TIFF")
		case marker == 0xc0, marker == 0xc1, length > len(b):
			return append(out, b...), nil
		case marker < 0xe0 || marker > 0xef:
			out = append(out, b[:length]...)
		}
		b = b[length:]
	}
	return append(out, b...), nil
}
