package tiff

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"image"
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
