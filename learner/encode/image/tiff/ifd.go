package tiff

import (
	"encoding/binary"
	"fmt"
	"math"
)

// FormatError is the reason why a file is broken or cut off.
type FormatError string

func (e FormatError) Error() string { return string(e) }

// UnsupportedError is what of a well-formed file is not read.
type UnsupportedError string

func (e UnsupportedError) Error() string { return string(e) + " is not read" }

// Tags (TIFF 6.0, appendix A).
const (
	tagWidth        = 256
	tagHeight       = 257
	tagBits         = 258
	tagCompression  = 259
	tagPhotometric  = 262
	tagFillOrder    = 266
	tagStripOffsets = 273
	tagOrientation  = 274
	tagSamples      = 277
	tagRowsPerStrip = 278
	tagStripCounts  = 279
	tagPlanar       = 284
	tagT4Options    = 292
	tagT6Options    = 293
	tagPredictor    = 317
	tagColorMap     = 320
	tagTileWidth    = 322
	tagTileHeight   = 323
	tagTileOffsets  = 324
	tagTileCounts   = 325
	tagInkSet       = 332
	tagExtraSamples = 338
	tagSampleFormat = 339
	tagJPEGTables   = 347
	tagJPEGFile     = 513
	tagSubsampling  = 530
)

// Kinds of values (TIFF 6.0, section 2, and BigTIFF).
const (
	typeByte      = 1
	typeShort     = 3
	typeLong      = 4
	typeUndefined = 7
	typeOffset    = 13
	typeLong8     = 16
	typeOffset8   = 18
)

// mostSmallEntries bounds the values of a tag that does not grow with the picture.
const mostSmallEntries = 64

// ifd are the tags of a picture: an image file directory.
type ifd struct {
	file  []byte
	order binary.ByteOrder
	tags  map[uint16]entry
}

type entry struct {
	kind  uint16
	count uint64
	value []byte
}

// readIFD reads the first directory. A tag whose value lies outside of the file is left out, as if it were not
// there: most say nothing of the pixels.
func readIFD(b []byte) (*ifd, error) {
	if len(b) < 8 {
		return nil, FormatError("cut off in the header")
	}
	d := &ifd{file: b, order: binary.LittleEndian, tags: map[uint16]entry{}}
	if b[0] == 'M' {
		d.order = binary.BigEndian
	}
	big := d.order.Uint16(b[2:]) == 43
	at, head, size := uint64(d.order.Uint32(b[4:])), uint64(2), uint64(12)
	if big {
		if len(b) < 16 {
			return nil, FormatError("cut off in the header")
		}
		at, head, size = d.order.Uint64(b[8:]), 8, 20
	}
	length := uint64(len(b))
	if at < 8 || at > length || length-at < head {
		return nil, FormatError(fmt.Sprintf("cut off: the directory is at byte %d of %d", at, length))
	}
	n := uint64(d.order.Uint16(b[at:]))
	if big {
		n = d.order.Uint64(b[at:])
	}
	if n > math.MaxUint16 || n*size > length-at-head {
		return nil, FormatError(fmt.Sprintf("cut off in the directory of %d tags", n))
	}
	for i := range n {
		e := b[at+head+i*size:][:size]
		tag := d.order.Uint16(e)
		read := entry{kind: d.order.Uint16(e[2:])}
		inline, offset := e[8:], uint64(0)
		if big {
			read.count, inline = d.order.Uint64(e[4:]), e[12:]
			offset = d.order.Uint64(inline)
		} else {
			read.count, offset = uint64(d.order.Uint32(e[4:])), uint64(d.order.Uint32(inline))
		}
		wide := width(read.kind)
		if wide == 0 || read.count > length/wide {
			continue
		}
		switch bytes := read.count * wide; {
		case bytes <= uint64(len(inline)):
			read.value = inline[:bytes]
		case offset <= length && bytes <= length-offset:
			read.value = b[offset:][:bytes]
		default:
			continue
		}
		if _, twice := d.tags[tag]; !twice {
			d.tags[tag] = read
		}
	}
	return d, nil
}

// width is the size of a value; 0 for kinds that no tag of this package has.
func width(kind uint16) uint64 {
	switch kind {
	case typeByte, typeUndefined:
		return 1
	case typeShort:
		return 2
	case typeLong, typeOffset:
		return 4
	case typeLong8, typeOffset8:
		return 8
	}
	return 0
}

// values returns at most so many numbers of a tag, none when it is not there.
func (d *ifd) values(tag uint16, most int) []uint64 {
	e := d.tags[tag]
	out := make([]uint64, min(e.count, uint64(most)))
	for i := range out {
		out[i] = d.at(e, uint64(i))
	}
	return out
}

// at is a number of an entry that has more than i.
func (d *ifd) at(e entry, i uint64) uint64 {
	wide := width(e.kind)
	v := e.value[i*wide:]
	switch wide {
	case 1:
		return uint64(v[0])
	case 2:
		return uint64(d.order.Uint16(v))
	case 4:
		return uint64(d.order.Uint32(v))
	}
	return d.order.Uint64(v)
}

// value returns the first number of a tag, or what is meant when it is not there.
func (d *ifd) value(tag uint16, otherwise uint64) uint64 {
	if v := d.values(tag, 1); len(v) > 0 {
		return v[0]
	}
	return otherwise
}
