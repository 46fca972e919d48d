package hostile

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
)

// pictures say that they are huge, are huge, or say what can't be.
func pictures(g *Generator, r *Record) {
	side := func() uint32 {
		return pick(g, 0, 1, 7, 8000, 65535, 65536, 1<<20, math.MaxInt32, math.MaxUint32, g.rng.Uint32())
	}
	var b []byte
	switch g.rng.IntN(6) {
	case 0: // pixels that are there, within the limits and beyond: gray, of one bit up to sixteen
		w := pick(g, 500, 2000, 7000, 7200, 20_000)
		h := pick(g, 1, 500, 6900, 7000)
		if w*h > 10_000_000 && !g.one(4) { // the largest take seconds
			h = 1
		}
		depth := pick(g, 1, 8, 16)
		b = grayPNG(w, h, depth)
		r.Note = fmt.Sprintf("a PNG of %d x %d pixels, %d bits", w, h, depth)
	case 1:
		b = grayPNG(10, 10, 8)
		w, h := side(), side()
		binary.BigEndian.PutUint32(b[16:], w)
		binary.BigEndian.PutUint32(b[20:], h)
		if g.one(2) { // as it should be, so that more than the checksum is looked at
			binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
		}
		r.Note = fmt.Sprintf("a PNG that says it has %d x %d pixels", w, h)
	case 2:
		b = append([]byte("GIF89a"), byte(g.rng.Uint32()), 0xff, byte(g.rng.Uint32()), 0xff, 0xf7, 0, 0)
		b = append(b, g.bytes(g.size(5000))...)
		r.Note = "a GIF of anything"
	case 3:
		b = append([]byte("\xff\xd8\xff\xc0\x00\x11\x08"), 0xff, 0xff, 0xff, 0xff, 3, 1, 0x44, 0, 2, 0x11, 0, 3, 0x11, 0)
		b = append(b, g.bytes(g.size(5000))...)
		r.Note = "a JPEG that says it has 65535 x 65535 pixels"
	case 4:
		b = append([]byte("BM"), make([]byte, 52)...)
		binary.LittleEndian.PutUint32(b[10:], 54)
		binary.LittleEndian.PutUint32(b[14:], 40)
		binary.LittleEndian.PutUint32(b[18:], side())
		binary.LittleEndian.PutUint32(b[22:], side())
		b[26], b[28] = 1, pick(g, byte(1), 8, 24, 32)
		r.Note = "a BMP of any size"
	default:
		b = append([]byte("II*\x00\x08\x00\x00\x00"), byte(g.rng.IntN(20)), 0)
		b = append(b, g.bytes(g.size(3000))...)
		r.Note = "a TIFF of anything"
	}
	g.send(r, `"media":[`+g.inline("image", b)+`]`)
}

// grayPNG is a picture of zeros, which packs a thousandfold.
func grayPNG(w, h, depth int) []byte {
	b := []byte("\x89PNG\r\n\x1a\n")
	chunk := func(name string, data []byte) {
		b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
		from := len(b)
		b = append(append(b, name...), data...)
		b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[from:]))
	}
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(w)), uint32(h))
	chunk("IHDR", append(head, byte(depth), 0, 0, 0, 0))
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	row := make([]byte, 1+(w*depth+7)/8)
	for range h {
		if _, err := z.Write(row); err != nil {
			panic(err) // a buffer takes all
		}
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	chunk("IDAT", packed.Bytes())
	chunk("IEND", nil)
	return b
}
