package tiff

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// layout is a way to lay out the samples of a picture in a file.
type layout struct {
	order                    binary.AppendByteOrder
	big                      bool
	photometric, bits        int
	samples                  int // of a pixel; those beyond the colour are extra
	extra                    []uint64
	planar, tiled, predicted bool
	compression, rows        int // rows of a strip
	palette                  []uint64
	more                     map[uint16][]uint64
	raw                      map[uint16][]byte
	leave                    []uint16 // tags that are not written
	encode                   func(samples []uint32, w, h int) []byte
}

const testW, testH = 37, 29

// level is sample c of a pixel of the test picture, in 0..1.
func level(x, y, c int) float64 {
	switch c {
	case 0:
		return float64(x) / (testW - 1)
	case 1:
		return float64(y) / (testH - 1)
	case 2:
		return float64((x*3+y*5)%16) / 15
	}
	return float64((x+y+c)%4) / 3
}

func (l layout) sample(x, y, c int) uint32 {
	x, y = min(x, testW-1), min(y, testH-1)
	return uint32(level(x, y, c)*float64(uint64(1)<<l.bits-1) + 0.5)
}

// pack lays the samples of rows out as bytes.
func (l layout) pack(samples []uint32, perRow int) []byte {
	var out []byte
	for ; len(samples) > 0; samples = samples[perRow:] {
		var held uint64
		n := 0
		for _, v := range samples[:perRow] {
			switch l.bits {
			case 16:
				out = l.order.AppendUint16(out, uint16(v))
			case 32:
				out = l.order.AppendUint32(out, v)
			default:
				held, n = held<<l.bits|uint64(v), n+l.bits
				for ; n >= 8; n -= 8 {
					out = append(out, byte(held>>(n-8)))
				}
			}
		}
		if n > 0 {
			out = append(out, byte(held<<(8-n)))
		}
	}
	return out
}

func (l layout) block(t testing.TB, plane, x0, y0, w, h int) []byte {
	t.Helper()
	from, to := 0, l.samples
	if l.planar {
		from, to = plane, plane+1
	}
	var samples []uint32
	for y := range h {
		for x := range w {
			for c := from; c < to; c++ {
				v := l.sample(x0+x, y0+y, c)
				if l.predicted && x > 0 {
					v = (v - l.sample(x0+x-1, y0+y, c)) & uint32(uint64(1)<<l.bits-1)
				}
				samples = append(samples, v)
			}
		}
	}
	if l.encode != nil {
		return l.encode(samples, w, h)
	}
	b := l.pack(samples, w*(to-from))
	var out bytes.Buffer
	switch l.compression {
	case none:
		return b
	case deflate:
		z := zlib.NewWriter(&out)
		_, _ = z.Write(b)
		_ = z.Close()
	case zStandard:
		z, err := zstd.NewWriter(&out)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = z.Write(b)
		_ = z.Close()
	case packBits:
		for ; len(b) > 0; b = b[min(len(b), 100):] {
			n := min(len(b), 100)
			out.WriteByte(byte(n - 1))
			out.Write(b[:n])
		}
	default:
		t.Fatalf("compression %d", l.compression)
	}
	return out.Bytes()
}

// write makes the file.
func (l layout) write(t testing.TB) []byte {
	t.Helper()
	if l.order == nil {
		l.order = binary.LittleEndian
	}
	if l.compression == 0 {
		l.compression = none
	}
	blockW, blockH := testW, testH
	offsets, counts := uint16(tagStripOffsets), uint16(tagStripCounts)
	tags := map[uint16][]uint64{tagWidth: {testW}, tagHeight: {testH}, tagCompression: {uint64(l.compression)}, tagPhotometric: {uint64(l.photometric)},
		tagSamples: {uint64(l.samples)}}
	switch {
	case l.tiled:
		blockW, blockH = 16, 16
		offsets, counts = tagTileOffsets, tagTileCounts
		tags[tagTileWidth], tags[tagTileHeight] = []uint64{16}, []uint64{16}
	case l.rows > 0:
		blockH = l.rows
		tags[tagRowsPerStrip] = []uint64{uint64(l.rows)}
	}
	for range l.samples {
		tags[tagBits] = append(tags[tagBits], uint64(l.bits))
	}
	if l.predicted {
		tags[tagPredictor] = []uint64{2}
	}
	if l.extra != nil {
		tags[tagExtraSamples] = l.extra
	}
	if l.palette != nil {
		tags[tagColorMap] = l.palette
	}
	planes := 1
	if l.planar {
		planes = l.samples
		tags[tagPlanar] = []uint64{2}
	}
	head := 8
	if l.big {
		head = 16
	}
	out := make([]byte, head)
	for plane := range planes {
		for y := 0; y < testH; y += blockH {
			for x := 0; x < testW; x += blockW {
				h := blockH
				if !l.tiled {
					h = min(h, testH-y)
				}
				b := l.block(t, plane, x, y, blockW, h)
				tags[offsets] = append(tags[offsets], uint64(len(out)))
				tags[counts] = append(tags[counts], uint64(len(b)))
				out = append(out, b...)
			}
		}
	}
	for tag, v := range l.more {
		tags[tag] = v
	}
	for _, tag := range l.leave {
		delete(tags, tag)
	}
	return l.finish(out, tags)
}

// finish writes the directory and the header.
func (l layout) finish(out []byte, tags map[uint16][]uint64) []byte {
	order := l.order.(binary.ByteOrder)
	kind := uint16(typeLong)
	number := func(b []byte, v uint64) []byte { return l.order.AppendUint32(b, uint32(v)) }
	if l.big {
		kind = typeLong8
		number = func(b []byte, v uint64) []byte { return l.order.AppendUint64(b, v) }
	}
	var dir []byte
	n := 0
	put := func(tag, kind uint16, count int, value []byte) {
		inline := len(number(nil, 0))
		if len(value) > inline {
			at := len(out)
			out = append(out, value...)
			value = number(nil, uint64(at))
		}
		dir = l.order.AppendUint16(l.order.AppendUint16(dir, tag), kind)
		dir = number(dir, uint64(count))
		dir = append(dir, append(value, make([]byte, inline-len(value))...)...)
		n++
	}
	for tag := range uint16(1000) {
		if v, ok := tags[tag]; ok {
			var b []byte
			for _, v := range v {
				b = number(b, v)
			}
			put(tag, kind, len(v), b)
		}
		if b, ok := l.raw[tag]; ok {
			put(tag, typeUndefined, len(b), b)
		}
	}
	copy(out, "II")
	if l.order == binary.AppendByteOrder(binary.BigEndian) {
		copy(out, "MM")
	}
	order.PutUint16(out[2:], 42)
	if l.big {
		order.PutUint16(out[2:], 43)
		order.PutUint16(out[4:], 8)
		order.PutUint64(out[8:], uint64(len(out)))
		return append(append(l.order.AppendUint64(out, uint64(n)), dir...), make([]byte, 8)...)
	}
	order.PutUint32(out[4:], uint32(len(out)))
	return append(append(l.order.AppendUint16(out, uint16(n)), dir...), make([]byte, 4)...)
}

func decode(t testing.TB, b []byte) image.Image {
	t.Helper()
	f, err := Open(b)
	if err != nil {
		t.Fatal(err)
	}
	img, err := f.Decode()
	if err != nil {
		t.Fatal(err)
	}
	if m := f.Config().ColorModel; !reflect.DeepEqual(m, img.ColorModel()) {
		t.Errorf("the model is %v, Config says %v", img.ColorModel(), m)
	}
	return img
}

// worst is the largest difference, in 0..255, of a picture from what its samples mean.
func worst(img image.Image, want func(x, y int) (r, g, b float64)) float64 {
	var off float64
	for y := range testH {
		for x := range testW {
			r, g, b, _ := img.At(x, y).RGBA()
			wr, wg, wb := want(x, y)
			for _, d := range []float64{float64(r)/257 - 255*wr, float64(g)/257 - 255*wg, float64(b)/257 - 255*wb} {
				off = max(off, d, -d)
			}
		}
	}
	return off
}

func inGray(x, y int) (r, g, b float64) { v := level(x, y, 0); return v, v, v }
func inverted(x, y int) (r, g, b float64) {
	v := 1 - level(x, y, 0)
	return v, v, v
}
func inColour(x, y int) (r, g, b float64) { return level(x, y, 0), level(x, y, 1), level(x, y, 2) }
func inInk(x, y int) (r, g, b float64) {
	k := 1 - level(x, y, 3)
	return (1 - level(x, y, 0)) * k, (1 - level(x, y, 1)) * k, (1 - level(x, y, 2)) * k
}

// Every layout of the same samples is the same picture.
func TestLayouts(t *testing.T) {
	t.Parallel()
	colours := []struct {
		name        string
		photometric int
		samples     int
		extra       []uint64
		want        func(x, y int) (r, g, b float64)
	}{
		{"gray", blackIsZero, 1, nil, inGray},
		{"gray, white is 0", whiteIsZero, 1, nil, inverted},
		{"gray and what is unknown", blackIsZero, 3, []uint64{0, 0}, inGray},
		{"RGB", rgb, 3, nil, inColour},
		{"RGB and what is unknown", rgb, 5, []uint64{0, 0}, inColour},
		{"RGB and what is not told", rgb, 4, nil, inColour},
		{"CMYK", separated, 4, nil, inInk},
		{"CMYK and a varnish", separated, 5, []uint64{0}, inInk},
	}
	for _, c := range colours {
		depths := []int{8, 16}
		if c.extra == nil && c.photometric != separated {
			depths = []int{1, 2, 4, 8, 12, 16, 32}
		}
		for _, bits := range depths {
			tolerance := 255/float64(uint64(1)<<min(bits, 8)-1) + 1.1 // half of a step of four inks
			for _, compression := range []int{none, packBits, deflate, zStandard} {
				for way := range 16 {
					l := layout{order: binary.LittleEndian, photometric: c.photometric, bits: bits, samples: c.samples, extra: c.extra, compression: compression,
						big: way&1 != 0, planar: way&2 != 0, tiled: way&4 != 0, rows: 7}
					if way&8 != 0 {
						l.order = binary.BigEndian
					}
					l.predicted = bits >= 8 && way&2 == 0 && (compression == deflate || compression == zStandard)
					if l.planar && l.samples == 1 || compression != none && way%5 != 1 {
						continue
					}
					name := fmt.Sprintf("%s, %d bits, compression %d, %+v", c.name, bits, compression, way)
					if off := worst(decode(t, l.write(t)), c.want); off > tolerance {
						t.Fatalf("%s: off by %.1f", name, off)
					}
				}
			}
		}
	}
}

func TestAlpha(t *testing.T) {
	t.Parallel()
	for _, bits := range []int{8, 16} {
		for _, planar := range []bool{false, true} {
			for kind, samples := range map[uint64]int{associated: 4, unassociated: 4} {
				l := layout{photometric: rgb, bits: bits, samples: samples, extra: []uint64{kind}, planar: planar}
				img := decode(t, l.write(t))
				for y := range testH {
					for x := range testW {
						got := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
						if kind == associated { // the samples are those of the premultiplied colour
							got = color.NRGBA(color.RGBAModel.Convert(img.At(x, y)).(color.RGBA))
						}
						want := level(x, y, 3) * 255
						if d := float64(got.A) - want; d > 1 || d < -1 {
							t.Fatalf("%d bits: alpha %d, want %.0f", bits, got.A, want)
						}
						if d := float64(got.R) - level(x, y, 0)*255; got.A == 255 && (d > 1 || d < -1) {
							t.Fatalf("%d bits: red %d, want %.0f", bits, got.R, level(x, y, 0)*255)
						}
					}
				}
			}
			gray := layout{photometric: blackIsZero, bits: bits, samples: 2, extra: []uint64{unassociated}, planar: planar}
			if _, _, _, a := decode(t, gray.write(t)).At(3, 0).RGBA(); a != uint32(level(3, 0, 1)*0xffff) {
				t.Errorf("gray with alpha: %d", a)
			}
		}
	}
}

// A palette whose colours have only 8 bits, as some programs write it, is the same as one with 16.
func TestPalettes(t *testing.T) {
	t.Parallel()
	for _, bits := range []int{1, 4, 8} {
		wide, narrow := make([]uint64, 3<<bits), make([]uint64, 3<<bits)
		for i := range wide {
			v := uint64(i%(1<<bits)) * 255 / (1<<bits - 1)
			narrow[i], wide[i] = v, v*0x101
		}
		for _, palette := range [][]uint64{wide, narrow} {
			l := layout{photometric: paletted, bits: bits, samples: 1, palette: palette}
			if off := worst(decode(t, l.write(t)), inGray); off > 255/float64(uint64(1)<<bits-1)/2+1 {
				t.Errorf("%d bits: off by %.1f", bits, off)
			}
		}
	}
}

func TestYCbCr(t *testing.T) {
	t.Parallel()
	for _, sub := range [][]uint64{{1, 1}, {2, 1}, {2, 2}, {4, 2}, {1, 2}} {
		sx, sy := int(sub[0]), int(sub[1])
		pack := func(_ []uint32, w, h int) []byte {
			var out []byte
			for y := 0; y < h; y += sy {
				for x := 0; x < w; x += sx {
					for j := range sy {
						for i := range sx {
							out = append(out, byte(4*(x+i)+j))
						}
					}
					out = append(out, 90, 170)
				}
			}
			return out
		}
		l := layout{photometric: yCbCr, bits: 8, samples: 3, encode: pack, more: map[uint16][]uint64{tagSubsampling: sub}}
		img := decode(t, l.write(t))
		for y := range testH {
			for x := range testW {
				r, g, b := color.YCbCrToRGB(byte(4*x+y%sy), 90, 170)
				if got := img.At(x, y).(color.RGBA); got != (color.RGBA{r, g, b, 255}) {
					t.Fatalf("%v: %v at %d, %d, want %d %d %d", sub, got, x, y, r, g, b)
				}
			}
		}
	}
}

// A JPEG is of the colours that the file says, with its tables apart or in it, in strips, tiles and planes.
func TestJPEG(t *testing.T) {
	t.Parallel()
	asJPEG := func(samples int) func([]uint32, int, int) []byte {
		return func(v []uint32, w, h int) []byte {
			var img image.Image
			gray := image.NewGray(image.Rect(0, 0, w, h))
			rgba := image.NewRGBA(image.Rect(0, 0, w, h))
			for i := range w * h {
				if samples == 1 {
					gray.Pix[i], img = byte(v[i]), gray
				} else {
					copy(rgba.Pix[4*i:], []byte{byte(v[3*i]), byte(v[3*i+1]), byte(v[3*i+2]), 255})
					img = rgba
				}
			}
			var out bytes.Buffer
			if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 100}); err != nil {
				t.Fatal(err)
			}
			return out.Bytes()
		}
	}
	const tolerance = 64 // the third channel is as noise to a JPEG
	for _, l := range []layout{
		{photometric: yCbCr, samples: 3, encode: asJPEG(3)}, {photometric: yCbCr, samples: 3, encode: asJPEG(3), tiled: true},
		{photometric: yCbCr, samples: 3, encode: asJPEG(3), rows: 16, big: true},
	} {
		l.compression, l.bits = jpegNew, 8
		img := decode(t, l.write(t))
		if off := worst(img, func(x, y int) (r, g, b float64) {
			_, _, blue, _ := img.At(x, y).RGBA()
			return level(x, y, 0), level(x, y, 1), float64(blue) / 0xffff
		}); off > tolerance {
			t.Errorf("%+v: off by %.1f", l.tiled, off)
		}
	}
	old := layout{photometric: yCbCr, samples: 3, bits: 8, encode: asJPEG(3), more: map[uint16][]uint64{tagCompression: {jpegOld}}}
	inStrip := decode(t, old.write(t))
	old.more[tagJPEGFile], old.leave = []uint64{8}, []uint16{tagStripOffsets}
	if off := worst(decode(t, old.write(t)), func(x, y int) (r, g, b float64) {
		c := inStrip.At(x, y).(color.RGBA)
		return float64(c.R) / 255, float64(c.G) / 255, float64(c.B) / 255
	}); off > 0 || inStrip.(*image.RGBA).Pix[0] > 30 {
		t.Errorf("of the old style: off by %.1f", off)
	}
	for _, l := range []layout{
		{photometric: rgb, samples: 3, planar: true}, {photometric: blackIsZero, samples: 1}, {photometric: rgb, samples: 3, planar: true, tiled: true},
	} {
		l.compression, l.bits, l.encode = jpegNew, 8, asJPEG(1)
		want := inColour
		if l.samples == 1 {
			want = inGray
		}
		if off := worst(decode(t, l.write(t)), want); off > 12 {
			t.Errorf("in planes: off by %.1f", off)
		}
	}
}

// The tables of a JPEG that stand apart, with SOI and EOI around them, and streams without an end.
func TestJPEGTables(t *testing.T) {
	t.Parallel()
	var whole bytes.Buffer
	img := image.NewGray(image.Rect(0, 0, testW, testH))
	for i := range img.Pix {
		img.Pix[i] = byte(level(i%testW, i/testW, 0) * 255)
	}
	if err := jpeg.Encode(&whole, img, &jpeg.Options{Quality: 100}); err != nil {
		t.Fatal(err)
	}
	tables, rest := []byte{0xff, 0xd8}, []byte{0xff, 0xd8}
	for b := whole.Bytes()[2:]; ; {
		n := 2 + int(b[2])<<8 + int(b[3])
		if b[1] == 0xda {
			rest = append(rest, b[:len(b)-2]...)
			break
		}
		if b[1] == 0xdb || b[1] == 0xc4 {
			tables = append(tables, b[:n]...)
		} else {
			rest = append(rest, b[:n]...)
		}
		b = b[n:]
	}
	l := layout{photometric: blackIsZero, bits: 8, samples: 1, compression: jpegNew, encode: func([]uint32, int, int) []byte { return rest },
		raw: map[uint16][]byte{tagJPEGTables: append(tables, 0xff, 0xd9)}}
	if off := worst(decode(t, l.write(t)), inGray); off > 4 {
		t.Errorf("off by %.1f", off)
	}
}

// What a header leaves out or says wrongly and every viewer guesses.
func TestCarelessFiles(t *testing.T) {
	t.Parallel()
	base := layout{photometric: rgb, bits: 8, samples: 3, rows: 10}
	for name, change := range map[string]func(*layout){
		"no lengths":           func(l *layout) { l.leave = []uint16{tagStripCounts} },
		"lengths of 0":         func(l *layout) { l.more = map[uint16][]uint64{tagStripCounts: {0, 0, 0}} },
		"lengths beyond":       func(l *layout) { l.more = map[uint16][]uint64{tagStripCounts: {1 << 31, 1 << 31, 1 << 31}} },
		"no compression":       func(l *layout) { l.leave = []uint16{tagCompression} },
		"no photometric":       func(l *layout) { l.leave = []uint16{tagPhotometric} },
		"one number of bits":   func(l *layout) { l.more = map[uint16][]uint64{tagBits: {8}} },
		"an unknown tag":       func(l *layout) { l.more = map[uint16][]uint64{700: {1, 2, 3}} },
		"bytes of a camera":    func(l *layout) { l.raw = map[uint16][]byte{700: make([]byte, 3000)} },
		"a predictor of none":  func(l *layout) { l.more = map[uint16][]uint64{tagPredictor: {2}} },
		"deflate, no lengths":  func(l *layout) { l.compression, l.leave = deflate, []uint16{tagStripCounts} },
		"packbits, no lengths": func(l *layout) { l.compression, l.leave = packBits, []uint16{tagStripCounts} },
	} {
		l := base
		change(&l)
		if off := worst(decode(t, l.write(t)), inColour); off > 1 {
			t.Errorf("%s: off by %.1f", name, off)
		}
	}
	// A checksum that is cut off, as the last strip's end code may be.
	l := layout{photometric: blackIsZero, bits: 8, samples: 1, encode: func(v []uint32, w, h int) []byte {
		b := layout{photometric: blackIsZero, bits: 8, samples: 1, compression: deflate}.block(t, 0, 0, 0, w, h)
		return b[:len(b)-4]
	}, compression: deflate}
	if off := worst(decode(t, l.write(t)), inGray); off > 1 {
		t.Errorf("without a checksum: off by %.1f", off)
	}
}

// What is not read is refused by its name, what is broken as such; both before memory is taken.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		l    layout
		want string
	}{
		"floats":        {layout{photometric: blackIsZero, bits: 32, samples: 1, more: map[uint16][]uint64{tagSampleFormat: {3}}}, "floating-point"},
		"signed":        {layout{photometric: blackIsZero, bits: 16, samples: 1, more: map[uint16][]uint64{tagSampleFormat: {2}}}, "signed"},
		"CIELab":        {layout{photometric: 8, bits: 8, samples: 3}, "CIELab"},
		"JPEG 2000":     {layout{photometric: rgb, bits: 8, samples: 3, more: map[uint16][]uint64{tagCompression: {34712}}}, "JPEG 2000"},
		"LZMA":          {layout{photometric: rgb, bits: 8, samples: 3, more: map[uint16][]uint64{tagCompression: {34925}}}, "LZMA"},
		"old JPEG":      {layout{photometric: yCbCr, bits: 8, samples: 3, more: map[uint16][]uint64{tagCompression: {jpegOld}}}, "old style"},
		"5 6 5 bits":    {layout{photometric: rgb, bits: 8, samples: 3, more: map[uint16][]uint64{tagBits: {5, 6, 5}}}, "[5 6 5] bits"},
		"64 bits":       {layout{photometric: blackIsZero, bits: 8, samples: 1, more: map[uint16][]uint64{tagBits: {64}}}, "64 bits"},
		"other inks":    {layout{photometric: separated, bits: 8, samples: 4, more: map[uint16][]uint64{tagInkSet: {2}}}, "CMYK"},
		"a filter":      {layout{photometric: 32803, bits: 16, samples: 1}, "colour filter"},
		"predictor 3":   {layout{photometric: rgb, bits: 8, samples: 3, more: map[uint16][]uint64{tagPredictor: {3}}}, "predictor 3"},
		"two of colour": {layout{photometric: separated, bits: 8, samples: 3}, "needs 4"},
		"no width":      {layout{photometric: rgb, bits: 8, samples: 3, leave: []uint16{tagWidth}}, "size"},
		"no offsets":    {layout{photometric: rgb, bits: 8, samples: 3, leave: []uint16{tagStripOffsets}}, "places"},
	} {
		f, err := Open(c.l.write(t))
		if err == nil {
			_, err = f.Decode()
		}
		if err == nil || !bytes.Contains([]byte(err.Error()), []byte(c.want)) {
			t.Errorf("%s: %v, want %q in it", name, err, c.want)
		}
	}
}

// Files that are cut, at each byte, and files with changed bytes are refused or read, without a panic.
func TestDamagedFiles(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 18))
	for _, l := range []layout{
		{photometric: rgb, bits: 8, samples: 3, rows: 7}, {photometric: rgb, bits: 16, samples: 4, planar: true, tiled: true, compression: deflate, predicted: true, big: true},
		{photometric: blackIsZero, bits: 1, samples: 1, compression: packBits}, {photometric: yCbCr, bits: 8, samples: 3, more: map[uint16][]uint64{tagSubsampling: {2, 2}}},
	} {
		whole := l.write(t)
		try := func(b []byte) {
			f, err := Open(b)
			if err != nil || f.Memory() > 1<<20 {
				return
			}
			_, _ = f.Decode()
		}
		for n := range whole {
			try(whole[:n])
		}
		for range 1000 {
			b := bytes.Clone(whole)
			for range 1 + rng.IntN(4) {
				b[rng.IntN(len(b))] = byte(rng.Uint32())
			}
			try(b)
		}
	}
}
