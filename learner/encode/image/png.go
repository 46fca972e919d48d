package image

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/png"

	"kilim/learner/encode/feature"
)

func openPNG(b []byte) (picture, error) {
	b, err := essentialPNG(b)
	if err != nil {
		return picture{}, err
	}
	cfg, err := png.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return picture{}, err
	}
	return picture{cfg, size(cfg, bytesPerPixel(cfg.ColorModel)), func() (image.Image, error) { return png.Decode(bytes.NewReader(b)) }}, nil
}

const (
	pngMagic    = 8
	pngOverhead = 12 // of a chunk: its length, its kind and its checksum
)

// essentialPNG leaves out the chunks that say nothing of the pixels (W3C PNG, section 5): the decoder reads them all
// and refuses a picture for the damage of a comment, or for a missing end. What a picture is made of is checked as
// before, and one that is cut off inside of its pixels stays so.
func essentialPNG(b []byte) ([]byte, error) {
	out := append(make([]byte, 0, len(b)+pngOverhead), b[:pngMagic]...)
	var colour byte // the colour type
	colours, pixels := 0, false
	for at := pngMagic; at+8 <= len(b); {
		length, kind := int64(binary.BigEndian.Uint32(b[at:])), string(b[at+4:at+8])
		end := int64(at) + pngOverhead + length
		whole := b[at:min(end, int64(len(b)))]
		body := whole[8:]
		cut := end > int64(len(b))
		if !cut {
			body = body[:length]
		}
		switch kind {
		case "CgBI":
			return nil, feature.Refuse(feature.ReasonUnsupported, "PNG: Apple's variant CgBI")
		case "IHDR":
			if len(body) > 9 {
				colour = body[9]
			}
			out = append(out, whole...)
		case "PLTE":
			if colour == pngPaletted {
				colours = len(body) / 3
				out = append(out, whole...)
			}
		case "tRNS":
			if !cut && !pixels && intact(whole) && fitsPNG(colour, colours, len(body)) {
				out = append(out, whole...)
			}
		case "IDAT":
			pixels = true
			out = append(out, whole...)
			if missing := end - int64(len(b)); cut && missing <= 4 {
				// Only the checksum is missing.
				out = out[:len(out)-(4-int(missing))]
				out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(b[at+4:int64(at)+8+length]))
				cut = false
			}
			if cut {
				return out, nil
			}
		case "IEND":
			return appendIEND(out), nil
		}
		if cut {
			break
		}
		at = int(end)
	}
	if !pixels {
		return out, nil // the decoder tells what is missing
	}
	return appendIEND(out), nil
}

const pngPaletted = 3

func appendIEND(b []byte) []byte { return append(b, "\x00\x00\x00\x00IEND\xaeB`\x82"...) }

// intact tells whether a whole chunk has its checksum.
func intact(chunk []byte) bool {
	end := len(chunk) - 4
	return crc32.ChecksumIEEE(chunk[4:end]) == binary.BigEndian.Uint32(chunk[end:])
}

// fitsPNG tells whether a transparency of so many bytes belongs to a picture of that colour type.
func fitsPNG(colour byte, colours, length int) bool {
	switch colour {
	case 0:
		return length == 2
	case 2:
		return length == 6
	case pngPaletted:
		return length > 0 && length <= colours
	}
	return false
}
