package audio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
)

// oggPackets takes the packets of the first stream of an Ogg file (RFC 3533) out of their pages.
type oggPackets struct {
	b      []byte
	serial uint32
	begun  bool
	laces  []byte // those of the page that are left
	body   []byte
	packet []byte // a packet that goes on on another page
	crc    [256]uint32

	// last tells that the page is the stream's last, and granule how many samples there are up to its end.
	last    bool
	granule int64
}

func newOggPackets(b []byte) *oggPackets {
	o := &oggPackets{b: b}
	for i := range o.crc {
		v := uint32(i) << 24
		for range 8 {
			v = v<<1 ^ v>>31*0x04c11db7
		}
		o.crc[i] = v
	}
	return o
}

// next returns a packet, valid until the next call. io.EOF is the end: behind the last page, or behind any whole one
// when none is called the last, as in what was recorded from a broadcast.
func (o *oggPackets) next() ([]byte, error) {
	packet := o.packet[:0]
	for {
		for len(o.laces) > 0 {
			n := int(o.laces[0])
			packet = append(packet, o.body[:n]...)
			o.laces, o.body = o.laces[1:], o.body[n:]
			if n < 255 {
				o.packet = packet
				return packet, nil
			}
		}
		if o.last {
			return nil, io.EOF
		}
		if err := o.page(); err != nil {
			return nil, err
		}
	}
}

// page goes to the next page of the stream.
func (o *oggPackets) page() error {
	for {
		if len(o.b) == 0 && o.begun {
			return io.EOF
		}
		laces, body, rest, err := oggPage(o.b)
		if err != nil {
			return err
		}
		page := o.b[:len(o.b)-len(rest)]
		o.b = rest
		if o.checksum(page) != binary.LittleEndian.Uint32(page[22:]) {
			return errors.New("a page with a wrong checksum")
		}
		serial := binary.LittleEndian.Uint32(page[14:])
		if o.begun && serial != o.serial {
			continue // another stream
		}
		o.serial, o.begun = serial, true
		o.laces, o.body = laces, body
		o.last, o.granule = page[5]&4 != 0, int64(binary.LittleEndian.Uint64(page[6:]))
		return nil
	}
}

// oggPage takes a page off b (RFC 3533, section 6): the sizes of the parts that its body is of, the body, and what follows.
func oggPage(b []byte) (laces, body, rest []byte, err error) {
	const fixed = 27
	if len(b) < fixed || len(b) < fixed+int(b[26]) {
		return nil, nil, nil, truncated("in the header of a page")
	}
	if string(b[:4]) != "OggS" {
		return nil, nil, nil, errors.New("no page where one must begin")
	}
	laces = b[fixed : fixed+int(b[26])]
	b = b[fixed+len(laces):]
	size := 0
	for _, lace := range laces {
		size += int(lace)
	}
	if size > len(b) {
		return nil, nil, nil, truncated("a page of %d bytes, %d are there", size, len(b))
	}
	return laces, b[:size], b[size:], nil
}

// checksum is that of a page, whose own field counts as 0.
func (o *oggPackets) checksum(page []byte) (crc uint32) {
	for i, v := range page {
		if i >= 22 && i < 26 {
			v = 0
		}
		crc = crc<<8 ^ o.crc[byte(crc>>24)^v]
	}
	return crc
}

// onlyPages leaves out tags and zeros behind the last page.
func onlyPages(b []byte) []byte {
	b = dropTags(b)
	if end := pagesEnd(b); end > 0 && len(bytes.Trim(b[end:], "\x00")) == 0 {
		return b[:end]
	}
	return b
}

// pagesEnd is where the whole pages that b begins with end.
func pagesEnd(b []byte) int {
	rest := b
	for {
		_, _, next, err := oggPage(rest)
		if err != nil {
			return len(b) - len(rest)
		}
		rest = next
	}
}
