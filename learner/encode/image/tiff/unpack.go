package tiff

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"math/bits"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/image/tiff/lzw"
)

// Compressions (TIFF 6.0, and the registry of libtiff).
const (
	none       = 1
	faxBytes   = 2 // CCITT's modified Huffman code; a row begins with a byte
	fax3       = 3
	fax4       = 4
	lzwCode    = 5
	jpegOld    = 6
	jpegNew    = 7
	deflate    = 8
	faxWords   = 32771 // as faxBytes, in words
	packBits   = 32773
	deflateOld = 32946
	zStandard  = 50000
)

func (f *File) readCompression() error {
	f.compression = int(min(f.d.value(tagCompression, none), 1<<31))
	switch f.compression {
	case 0:
		f.compression = none
	case none, lzwCode, deflate, deflateOld, packBits, zStandard:
		switch p := f.d.value(tagPredictor, 1); p {
		case 0, 1:
		case 2:
			if f.bits < 8 || f.subX*f.subY > 1 {
				return UnsupportedError(fmt.Sprintf("a predictor with samples of %d bits", f.bits))
			}
			f.predicted = f.compression != none && f.compression != packBits
		default:
			return UnsupportedError(fmt.Sprintf("predictor %d", p))
		}
	case faxBytes, faxWords, fax3, fax4:
		if f.bits != 1 || f.samples != 1 {
			return FormatError(fmt.Sprintf("a fax page of %d samples of %d bits", f.samples, f.bits))
		}
		if f.compression == fax3 && f.d.value(tagT4Options, 0)&2 != 0 || f.compression == fax4 && f.d.value(tagT6Options, 0)&2 != 0 {
			return UnsupportedError("uncompressed mode of CCITT")
		}
	case jpegNew:
		if f.bits != 8 {
			return UnsupportedError(fmt.Sprintf("JPEG of %d bits", f.bits))
		}
		if f.planes == 1 {
			f.subX, f.subY = 1, 1 // the JPEG tells its own
		}
	case jpegOld:
		if f.photometric != yCbCr && f.photometric != rgb && f.photometric != blackIsZero || f.bits != 8 || f.planes > 1 || !f.oldJPEG() {
			return UnsupportedError("compression JPEG of the old style, in parts")
		}
		f.compression, f.subX, f.subY = jpegNew, 1, 1
	default:
		names := map[int]string{9: "JBIG", 10: "JBIG", 34661: "JBIG", 32766: "NeXT RLE",
			32809: "ThunderScan", 34676: "SGI log", 34677: "SGI log 24", 34712: "JPEG 2000",
			33003: "JPEG 2000", 33004: "JPEG 2000", 33005: "JPEG 2000", 34887: "LERC", 34892: "lossy JPEG of DNG", 34925: "LZMA",
			50001: "WebP", 50002: "JPEG XL", 52546: "JPEG XL"}
		name := names[f.compression]
		if name == "" {
			name = fmt.Sprint(f.compression)
		}
		return UnsupportedError("compression " + name)
	}
	if f.planes > 1 && f.subX*f.subY > 1 {
		return UnsupportedError("YCbCr with less chroma, in planes")
	}
	return nil
}

// oldJPEG tells whether a JPEG as it was first laid down (TIFF 6.0, section 22) is a file of its own, as most are: at
// the place that a tag tells, or in the first strip.
func (f *File) oldJPEG() bool {
	soi := []byte{0xff, 0xd8}
	at := f.d.value(tagJPEGFile, 0)
	if at > 0 && at < uint64(len(f.d.file)) && bytes.HasPrefix(f.d.file[at:], soi) {
		f.whole = at
		return true
	}
	at = f.d.value(tagStripOffsets, 0)
	return at > 0 && at < uint64(len(f.d.file)) && bytes.HasPrefix(f.d.file[at:], soi)
}

// fax tells whether the picture is packed by a code of CCITT.
func (f *File) fax() bool {
	switch f.compression {
	case faxBytes, faxWords, fax3, fax4:
		return true
	}
	return false
}

// mostBlocks bounds the strips and tiles of a picture: each costs the setting up of its decoder, and many may lie at
// the same place of a small file.
const mostBlocks = 1 << 18

// unpacker reads strips or tiles, one after another, into memory that it keeps.
type unpacker struct {
	f               *File
	offsets, counts entry
	out, reversed   []byte
	fax             *fax
	zlib            io.ReadCloser
	zstd            *zstd.Decoder
}

func (f *File) unpacker(blocks int) (*unpacker, error) {
	if blocks > mostBlocks {
		return nil, UnsupportedError(fmt.Sprintf("a picture of %d strips or tiles", blocks))
	}
	u := &unpacker{f: f, offsets: f.d.tags[tagStripOffsets], counts: f.d.tags[tagStripCounts]}
	// Some write tiles under the tags of strips.
	if e, ok := f.d.tags[tagTileOffsets]; ok && f.tiled {
		u.offsets, u.counts = e, f.d.tags[tagTileCounts]
	}
	if u.offsets.count < uint64(blocks) && f.whole == 0 {
		return nil, FormatError(fmt.Sprintf("places of %d strips or tiles, there are %d", u.offsets.count, blocks))
	}
	return u, nil
}

func (u *unpacker) close() {
	if u.zstd != nil {
		u.zstd.Close()
	}
}

// packed is a block as it lies in the file. A length that is not told, or is 0, goes to the end of the file, and so
// does one beyond it: what is missing shows when it is unpacked.
func (u *unpacker) packed(block int) ([]byte, error) {
	if u.f.whole > 0 {
		return u.f.d.file[u.f.whole:], nil
	}
	at := u.f.d.at(u.offsets, uint64(block))
	if at >= uint64(len(u.f.d.file)) {
		return nil, FormatError(fmt.Sprintf("cut off: a strip or tile at byte %d of %d", at, len(u.f.d.file)))
	}
	b := u.f.d.file[at:]
	if u.f.compression != none && uint64(block) < u.counts.count {
		if n := u.f.d.at(u.counts, uint64(block)); n > 0 {
			b = b[:min(n, uint64(len(b)))]
		}
	}
	return b, nil
}

// read unpacks a block of w x h pixels, size bytes. What follows these, such as an end code or a checksum, is not
// looked at, for much software leaves it out. The bytes are valid until the next call.
func (u *unpacker) read(block, w, h, size int) ([]byte, error) {
	b, err := u.packed(block)
	if err != nil {
		return nil, err
	}
	lsb := u.f.d.value(tagFillOrder, 1) == 2
	switch {
	case u.f.fax():
		if u.fax == nil {
			u.fax = newFax(u.f.compression, u.f.d.value(tagT4Options, 0), lsb)
		}
		out := u.room(size)
		return out, u.fax.decode(out, b, w, h)
	case u.f.compression == jpegNew:
		out := u.room(size)
		return out, u.f.readJPEG(out, b, w, h)
	}
	if lsb {
		// What is packed is seldom twice as large as what it is unpacked to.
		u.reversed = append(u.reversed[:0], b[:min(len(b), 2*size+1<<10)]...)
		for i, v := range u.reversed {
			u.reversed[i] = bits.Reverse8(v)
		}
		b = u.reversed
	}
	if u.f.compression == none {
		if len(b) < size {
			return nil, short(len(b), size)
		}
		return b[:size], nil
	}
	out := u.room(size)
	if u.f.compression == packBits {
		return out, unpackBits(out, b)
	}
	r, err := u.reader(b)
	if err != nil {
		return nil, err
	}
	n, err := io.ReadFull(r, out)
	switch {
	case err == io.EOF, err == io.ErrUnexpectedEOF:
		return nil, short(n, size)
	case err != nil && n < size:
		return nil, FormatError(fmt.Sprintf("after %d of %d bytes of a strip or tile: %v", n, size, err))
	}
	return out, nil
}

// room is memory for an unpacked block.
func (u *unpacker) room(size int) []byte {
	if cap(u.out) < size {
		u.out = make([]byte, size)
	}
	return u.out[:size]
}

func (u *unpacker) reader(b []byte) (io.Reader, error) {
	switch u.f.compression {
	case lzwCode:
		if len(b) > 1 && b[0] == 0 && b[1]&1 == 1 {
			return nil, UnsupportedError("LZW of the old style")
		}
		return lzw.NewReader(bytes.NewReader(b), lzw.MSB, 8), nil
	case zStandard:
		if u.zstd == nil {
			var err error
			// Windows of more than a block are refused by the decoder.
			if u.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(8<<20), zstd.WithDecoderLowmem(true)); err != nil {
				return nil, err
			}
		}
		return u.zstd, u.zstd.Reset(bytes.NewReader(b))
	}
	var err error
	if u.zlib == nil {
		u.zlib, err = zlib.NewReader(bytes.NewReader(b))
	} else {
		err = u.zlib.(zlib.Resetter).Reset(bytes.NewReader(b), nil)
	}
	if err != nil {
		return nil, FormatError(fmt.Sprintf("a strip or tile: %v", err))
	}
	return u.zlib, nil
}

// unpackBits undoes PackBits (TIFF 6.0, section 9).
func unpackBits(out, b []byte) error {
	at := 0
	for at < len(out) {
		if len(b) < 2 {
			return short(at, len(out))
		}
		n := int(int8(b[0]))
		switch {
		case n >= 0:
			n = min(n+1, len(b)-1)
			at += copy(out[at:], b[1:1+n])
			b = b[1+n:]
		case n == -128:
			b = b[1:]
		default:
			for range min(1-n, len(out)-at) {
				out[at] = b[1]
				at++
			}
			b = b[2:]
		}
	}
	return nil
}

func short(n, want int) error {
	return FormatError(fmt.Sprintf("cut off: a strip or tile of %d bytes, %d are there", want, n))
}
