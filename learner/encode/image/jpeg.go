package image

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"

	"kilim/learner/encode/feature"
)

func openJPEG(b []byte) (picture, error) {
	s := scanJPEG(b)
	if name := unreadJPEG(s.frame); name != "" {
		return picture{}, feature.Refuse(feature.ReasonUnsupported, "JPEG: %s", name)
	}
	if s.complete() && !s.closed {
		b = append(b[:s.end:s.end], 0xff, jpegEOI)
	}
	plain := s.components == 4 && !s.adobe
	if plain {
		// The decoder wants to know whether it is CMYK or YCCK. It is what it can be without being told.
		b = append([]byte("\xff\xd8\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00"), b[2:]...)
	}
	cfg, err := jpeg.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return picture{}, err
	}
	return picture{cfg, size(cfg, s.perPixel(cfg.ColorModel)), func() (image.Image, error) {
		img, err := jpeg.Decode(bytes.NewReader(b))
		if cmyk, ok := img.(*image.CMYK); ok && plain {
			// Adobe's are inverted, and so has the decoder read it.
			for i, v := range cmyk.Pix {
				cmyk.Pix[i] = 0xff - v
			}
		}
		return img, err
	}}, nil
}

// Markers of a JPEG (ITU-T T.81, table B.1).
const (
	jpegSOF0  = 0xc0 // frames of all kinds are SOF0 to SOF15, but for three
	jpegSOF2  = 0xc2 // a progressive frame
	jpegDHT   = 0xc4
	jpegJPG   = 0xc8
	jpegDAC   = 0xcc
	jpegSOF15 = 0xcf
	jpegRST0  = 0xd0
	jpegSOI   = 0xd8
	jpegEOI   = 0xd9
	jpegSOS   = 0xda
	jpegAPP14 = 0xee
	jpegLS    = 0xf7 // a frame of JPEG-LS (ITU-T T.87)
)

// unreadJPEG names what is in the way of reading a picture whose frame has that marker.
func unreadJPEG(frame byte) string {
	switch frame {
	case 0xc3:
		return "lossless"
	case 0xc5, 0xc6, 0xc7:
		return "hierarchical"
	case 0xc9, 0xca:
		return "arithmetic coding"
	case 0xcb:
		return "lossless, arithmetic coding"
	case 0xcd, 0xce, 0xcf:
		return "hierarchical, arithmetic coding"
	case jpegLS:
		return "JPEG-LS"
	}
	return ""
}

// jpegScan is what the markers of a JPEG tell.
type jpegScan struct {
	frame      byte // the marker of the frame; 0 when there is none
	components int
	samples    float64            // of all components, a pixel
	missing    map[byte]*[64]byte // low bits that no scan has brought, of each component's coefficients
	adobe      bool               // it tells its colours as Adobe does
	closed     bool               // it ends with EOI
	end        int                // of the last scan or segment that is whole
}

// scanJPEG walks over the markers until EOI or what can be none.
func scanJPEG(b []byte) *jpegScan {
	s := &jpegScan{missing: map[byte]*[64]byte{}, end: 2}
	for at := 2; ; {
		for at < len(b) && b[at] != 0xff {
			at++
		}
		for at < len(b) && b[at] == 0xff {
			at++
		}
		if at >= len(b) {
			return s
		}
		marker := b[at]
		at++
		switch {
		case marker == jpegEOI:
			s.closed = true
			return s
		case marker == 0 || marker >= jpegRST0 && marker < jpegSOI:
			continue
		case marker < jpegSOF0 || marker == jpegSOI || at+2 > len(b):
			return s
		}
		length := int(binary.BigEndian.Uint16(b[at:]))
		if length < 2 || at+length > len(b) {
			return s
		}
		body := b[at+2 : at+length]
		at += length
		switch {
		case marker == jpegAPP14:
			s.adobe = s.adobe || bytes.HasPrefix(body, []byte("Adobe"))
		case marker == jpegSOS:
			at = endOfScan(b, at)
			s.scan(body)
		case s.frame == 0 && (marker == jpegLS || marker <= jpegSOF15 && marker != jpegDHT && marker != jpegJPG && marker != jpegDAC):
			s.open(marker, body)
		}
		s.end = at
	}
}

// endOfScan is where the entropy-coded bytes that begin at at end: before a marker that is none of a restart, or
// before half of one.
func endOfScan(b []byte, at int) int {
	for ; at < len(b); at++ {
		if b[at] != 0xff {
			continue
		}
		if at+1 == len(b) {
			return at
		}
		if m := b[at+1]; m != 0 && m != 0xff && (m < jpegRST0 || m >= jpegSOI) {
			return at
		}
	}
	return at
}

// open reads a frame's header (B.2.2).
func (s *jpegScan) open(marker byte, body []byte) {
	s.frame = marker
	if len(body) < 6 || len(body) < 6+3*int(body[5]) {
		return
	}
	s.components = int(body[5])
	var high, wide, all int
	for i := range s.components {
		c := body[6+3*i:]
		h, v := int(c[1]>>4), int(c[1]&15)
		wide, high, all = max(wide, h), max(high, v), all+h*v
		var missing [64]byte
		for i := range missing {
			missing[i] = 0xff
		}
		s.missing[c[0]] = &missing
	}
	if wide*high > 0 {
		s.samples = float64(all) / float64(wide*high)
	}
}

// scan reads a scan's header (B.2.3).
func (s *jpegScan) scan(body []byte) {
	if len(body) < 1 || len(body) < 4+2*int(body[0]) {
		return
	}
	n := int(body[0])
	first, last, low := body[1+2*n], body[2+2*n], body[3+2*n]&15
	if s.frame != jpegSOF2 {
		first, last, low = 0, 63, 0
	}
	for i := range n {
		missing := s.missing[body[1+2*i]]
		for k := int(first); missing != nil && k <= int(min(last, 63)); k++ {
			missing[k] = low
		}
	}
}

// complete tells whether the scans bring every coefficient, so that only the end can be missing.
func (s *jpegScan) complete() bool {
	for _, m := range s.missing {
		if *m != [64]byte{} {
			return false
		}
	}
	return len(s.missing) > 0
}

// perPixel is how many bytes of memory the decoder takes for a pixel.
func (s *jpegScan) perPixel(m color.Model) float64 {
	bytes := bytesPerPixel(m)
	if m == color.RGBAModel || m == color.CMYKModel {
		bytes += float64(s.components) // before they are converted
	}
	if s.frame == jpegSOF2 {
		bytes += 4 * s.samples // the coefficients, which are kept until the last scan
	}
	return bytes
}
