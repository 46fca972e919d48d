package image

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/gif"
)

func openGIF(b []byte) (picture, error) {
	b = firstGIF(b)
	cfg, err := gif.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return picture{}, err
	}
	return picture{cfg, size(cfg, bytesPerPixel(cfg.ColorModel)), func() (image.Image, error) { return gif.Decode(bytes.NewReader(b)) }}, nil
}

const (
	gifScreen     = 13 // the header and the logical screen descriptor
	gifDescriptor = 10 // of an image
	gifExtension  = 0x21
	gifImage      = 0x2c
	gifTrailer    = 0x3b
	gifControl    = 0xf9
)

// firstGIF is the first frame of a GIF with what it needs (CompuServe, GIF89a, sections 18 to 23): comments, programs'
// own blocks, bytes between blocks and what follows the frame are left out, for the decoder refuses a picture for any
// of them. The screen is enlarged to a frame that leaves it, as viewers do. Without a frame b is returned.
func firstGIF(b []byte) []byte {
	if len(b) < gifScreen {
		return b
	}
	at := gifScreen + gifTable(b[10])
	if at > len(b) {
		return b
	}
	out := append(make([]byte, 0, len(b)+2), b[:at]...)
	var control []byte
	for at < len(b) {
		switch b[at] {
		case gifExtension:
			if at+2 > len(b) {
				return b
			}
			end, _ := gifBlocks(b, at+2)
			if b[at+1] == gifControl && end-at == 8 {
				control = b[at:end]
			}
			at = end
		case gifImage:
			if at+gifDescriptor > len(b) {
				return b
			}
			body := at + gifDescriptor + gifTable(b[at+9]) + 1 // and the width of the codes
			if body > len(b) {
				return b
			}
			end, closed := gifBlocks(b, body)
			out = append(append(out, control...), b[at:end]...)
			if !closed {
				out = append(out, 0)
			}
			le := binary.LittleEndian
			for i := range 2 { // width and height
				far := int(le.Uint16(b[at+1+2*i:])) + int(le.Uint16(b[at+5+2*i:]))
				if side := out[6+2*i:]; far > int(le.Uint16(side)) && far <= 0xffff {
					le.PutUint16(side, uint16(far))
				}
			}
			return append(out, gifTrailer)
		case gifTrailer:
			return b
		default:
			at++
		}
	}
	return b
}

// gifTable is the size of the colour table that flags announce.
func gifTable(flags byte) int {
	if flags&0x80 == 0 {
		return 0
	}
	return 3 << (flags&7 + 1)
}

// gifBlocks returns the end of the sub-blocks that begin at at, and whether an empty one closes them.
func gifBlocks(b []byte, at int) (end int, closed bool) {
	for at < len(b) {
		n := int(b[at])
		if n == 0 {
			return at + 1, true
		}
		if at+1+n > len(b) {
			return at, false
		}
		at += 1 + n
	}
	return len(b), false
}
