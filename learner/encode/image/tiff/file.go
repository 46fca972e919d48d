package tiff

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"
)

// Photometric interpretations (TIFF 6.0, section 8 and part 3).
const (
	whiteIsZero = 0
	blackIsZero = 1
	rgb         = 2
	paletted    = 3
	separated   = 5
	yCbCr       = 6
)

// Kinds of extra samples.
const (
	associated   = 1 // an alpha that the colours are multiplied by
	unassociated = 2
)

// most bounds what headers may promise, far beyond what is read, so that sizes can be multiplied.
const (
	mostSide    = 1 << 24
	mostSamples = 64
)

// File is an opened TIFF.
type File struct {
	d *ifd

	width, height  int
	bits, samples  int // of a sample; of a pixel
	photometric    int
	planes         int // 1 when the samples of a pixel stand together
	compression    int
	predicted      bool
	alpha          int // what the first extra sample is
	palette        color.Palette
	subX, subY     int    // of a chroma sample, in pixels
	whole          uint64 // where the picture lies as one JPEG; 0 when it does not
	tiled          bool
	blockW, blockH int // of a strip or tile
}

// Open reads the header of a file. It allocates little, whatever that promises.
func Open(b []byte) (*File, error) {
	d, err := readIFD(b)
	if err != nil {
		return nil, err
	}
	f := &File{d: d, planes: 1, subX: 1, subY: 1}
	for _, read := range []func() error{f.readSize, f.readSamples, f.readColours, f.readCompression, f.readBlocks} {
		if err := read(); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (f *File) readSize() error {
	w, h := f.d.value(tagWidth, 0), f.d.value(tagHeight, 0)
	if w == 0 || h == 0 {
		return FormatError("no size")
	}
	// A side is capped, since whoever bounds sizes refuses it all the same.
	f.width, f.height = int(min(w, math.MaxInt32)), int(min(h, math.MaxInt32))
	return nil
}

func (f *File) readSamples() error {
	bits := f.d.values(tagBits, mostSmallEntries)
	if len(bits) == 0 {
		bits = []uint64{1}
	}
	f.samples = int(min(f.d.value(tagSamples, uint64(len(bits))), mostSamples+1))
	unknown := uint64(whiteIsZero)
	if f.samples >= 3 {
		unknown = rgb
	}
	f.photometric = int(min(f.d.value(tagPhotometric, unknown), math.MaxInt32))
	if f.photometric == rgb && f.samples < 3 {
		f.samples = len(bits)
	}
	if f.samples < 1 || f.samples > mostSamples {
		return UnsupportedError(fmt.Sprintf("a pixel of %d samples", f.samples))
	}
	bits = bits[:min(len(bits), f.samples)]
	for _, v := range bits {
		if v != bits[0] {
			return UnsupportedError(fmt.Sprintf("a pixel of samples of %d bits", bits))
		}
	}
	switch format := f.d.value(tagSampleFormat, 1); format {
	case 1, 4:
	case 2:
		return UnsupportedError("a picture of signed samples")
	case 3:
		return UnsupportedError("a picture of floating-point samples")
	default:
		return UnsupportedError(fmt.Sprintf("sample format %d", format))
	}
	if v := bits[0]; v == 0 || v > 16 && v != 32 {
		return UnsupportedError(fmt.Sprintf("a sample of %d bits", v))
	}
	f.bits = int(bits[0])
	if f.samples > 1 && f.d.value(tagPlanar, 1) == 2 {
		f.planes = f.samples
	}
	return nil
}

// colours is how many samples of a pixel are of its colour.
func (f *File) colours() int {
	switch f.photometric {
	case rgb, yCbCr:
		return 3
	case separated:
		return 4
	}
	return 1
}

func (f *File) readColours() error {
	switch f.photometric {
	case whiteIsZero, blackIsZero, rgb:
	case paletted:
		if f.bits > 8 {
			return UnsupportedError(fmt.Sprintf("a palette of %d bits", f.bits))
		}
		return f.readPalette()
	case separated:
		if f.d.value(tagInkSet, 1) != 1 {
			return UnsupportedError("a set of inks other than CMYK")
		}
	case yCbCr:
		if f.bits != 8 {
			return UnsupportedError(fmt.Sprintf("YCbCr of %d bits", f.bits))
		}
		f.subX, f.subY = 2, 2
		if sub := f.d.values(tagSubsampling, 2); len(sub) == 2 {
			f.subX, f.subY = int(min(sub[0], 8)), int(min(sub[1], 8))
		}
		for _, sub := range []int{f.subX, f.subY} {
			if sub != 1 && sub != 2 && sub != 4 {
				return FormatError(fmt.Sprintf("a chroma sample for %d x %d pixels", f.subX, f.subY))
			}
		}
	default:
		names := map[int]string{4: "a transparency mask", 8: "CIELab", 9: "ICCLab", 10: "ITULab", 32803: "a raw colour filter array",
			32844: "LogL", 32845: "LogLuv", 34892: "linear raw"}
		name := names[f.photometric]
		if name == "" {
			name = fmt.Sprintf("photometric interpretation %d", f.photometric)
		}
		return UnsupportedError(name)
	}
	if f.samples < f.colours() {
		return FormatError(fmt.Sprintf("a pixel of %d samples, its colour needs %d", f.samples, f.colours()))
	}
	if f.samples > f.colours() && f.photometric != separated {
		f.alpha = int(min(f.d.value(tagExtraSamples, 0), 3))
	}
	return nil
}

// readPalette takes colours of 8 bits for what they are: some programs write them into the 16 that they must have.
func (f *File) readPalette() error {
	v := f.d.values(tagColorMap, 3<<f.bits)
	n := len(v) / 3
	if n == 0 || len(v)%3 != 0 {
		return FormatError(fmt.Sprintf("a palette of %d numbers", len(v)))
	}
	scale := uint64(1)
	if slices.Max(v) < 256 {
		scale = 0x101
	}
	for i := range n {
		f.palette = append(f.palette, color.RGBA64{uint16(v[i] * scale), uint16(v[i+n] * scale), uint16(v[i+2*n] * scale), 0xffff})
	}
	return nil
}

func (f *File) readBlocks() error {
	f.blockW, f.blockH = f.width, f.height
	if f.whole > 0 {
		return nil
	}
	if w := f.d.value(tagTileWidth, 0); w > 0 {
		h := f.d.value(tagTileHeight, 0)
		if w < 8 || h < 8 {
			return FormatError(fmt.Sprintf("tiles of %d x %d pixels", w, h)) // their number would be beyond measure
		}
		f.tiled, f.blockW, f.blockH = true, int(min(w, mostSide)), int(min(h, mostSide))
		return nil
	}
	if rows := f.d.value(tagRowsPerStrip, 0); rows > 0 && rows < uint64(f.height) {
		f.blockH = int(rows)
	}
	return nil
}

// Config is the size of the picture and the colour model of what Decode returns.
func (f *File) Config() image.Config {
	return image.Config{ColorModel: f.canvas(image.Rectangle{}).img.ColorModel(), Width: f.width, Height: f.height}
}

// Memory is how many bytes Decode takes: the picture, and a strip or tile as it is unpacked. It is capped.
func (f *File) Memory() int64 {
	c := f.canvas(image.Rectangle{})
	picture := float64(f.width) * float64(f.height) * float64(c.channels*c.depth)
	samples := f.samples / f.planes // that are packed together
	block := float64(f.blockW) * float64(f.blockH) * float64(samples*f.bits) / 8
	row := float64(f.blockW) * float64(samples) * 4
	switch {
	case f.compression == jpegNew:
		// Beside what is unpacked there is the JPEG's own picture, in other colours too.
		block += float64(f.blockW+jpegMargin) * float64(f.blockH+jpegMargin) * float64(2*samples+1)
	case f.subX*f.subY > 1:
		block *= 2
	case f.fax():
		row += float64(f.blockW) * 32 // where the colour changes, of two rows
	}
	return int64(min(picture+block+row, 1<<60))
}

// Orientation is how the picture is to be turned, as in EXIF: 1 to 8.
func (f *File) Orientation() int {
	if v := f.d.value(tagOrientation, 1); v >= 1 && v <= 8 {
		return int(v)
	}
	return 1
}
