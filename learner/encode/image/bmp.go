package image

import (
	"bytes"
	"encoding/binary"
	"image"

	"golang.org/x/image/bmp"

	"kilim/learner/encode/feature"
)

func openBMP(b []byte) (picture, error) {
	b, err := plainBMP(b)
	if err != nil {
		return picture{}, err
	}
	cfg, err := bmp.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return picture{}, err
	}
	return picture{cfg, size(cfg, bytesPerPixel(cfg.ColorModel)), func() (image.Image, error) { return bmp.Decode(bytes.NewReader(b)) }}, nil
}

// Parts of a BMP (Microsoft, "Bitmap Storage").
const (
	bmpFile = 14 // the file's header
	bmpCore = 12 // the bitmap's header of OS/2, with sides of 16 bits and colours of 3 bytes
	bmpInfo = 40
	bmpV4   = 108
	bmpV5   = 124
)

// plainBMP brings a BMP into the form that the decoder wants, where it only looks otherwise: an older header, a gap
// before the pixels, no padding behind the last row. It names what is not read.
func plainBMP(b []byte) ([]byte, error) {
	le := binary.LittleEndian
	if len(b) < bmpFile+4 {
		return b, nil
	}
	length := int64(le.Uint32(b[bmpFile:]))
	if length < bmpCore || bmpFile+length > int64(len(b)) {
		return b, nil
	}
	head := append([]byte(nil), b[bmpFile:bmpFile+length]...)
	entry := 4 // bytes of a colour
	switch {
	case length == bmpCore:
		entry = 3
		wide := le.AppendUint32(nil, bmpInfo)
		wide = le.AppendUint32(le.AppendUint32(wide, uint32(le.Uint16(head[4:]))), uint32(le.Uint16(head[6:])))
		head = append(append(wide, head[8:12]...), make([]byte, 24)...)
	case length != bmpInfo && length != bmpV4 && length != bmpV5:
		head = append(head, make([]byte, bmpInfo)...)[:bmpInfo]
		le.PutUint32(head, bmpInfo)
	}
	bits, compression := int(le.Uint16(head[14:])), le.Uint32(head[16:])
	names := map[uint32]string{1: "RLE8", 2: "RLE4", 4: "JPEG", 5: "PNG", 6: "bit masks"}
	if name, ok := names[compression]; ok {
		return nil, feature.Refuse(feature.ReasonUnsupported, "BMP: compression %s", name)
	}
	if bits == 16 {
		return nil, feature.Refuse(feature.ReasonUnsupported, "BMP: 16 bits a pixel")
	}
	colours := 0
	if bits <= 8 {
		colours = int(min(le.Uint32(head[32:]), 1<<bits))
		if colours == 0 {
			colours = 1 << bits
		}
		le.PutUint32(head[32:], uint32(colours))
	}
	table, pixels := bmpFile+length, int64(le.Uint32(b[10:]))
	if pixels < table || pixels > int64(len(b)) {
		return b, nil
	}
	out := append(make([]byte, 0, len(b)+bmpInfo+4*colours+4), b[:bmpFile]...)
	out = append(out, head...)
	for i := range colours {
		at := table + int64(i*entry)
		if at+int64(entry) > pixels {
			out = append(out, 0, 0, 0, 0)
			continue
		}
		out = append(append(out, b[at:at+3]...), 0)
	}
	le.PutUint32(out[10:], uint32(len(out)))
	out = append(out, b[pixels:]...)
	return append(out, 0, 0, 0), nil
}
