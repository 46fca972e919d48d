package audio

import (
	"encoding/binary"
	"errors"
	"math"

	"kilim/learner/encode/feature"
)

// aiff are the chunks of an AIFF or AIFF-C (Apple, "Audio Interchange File Format", 1989 and 1991).
type aiff struct {
	s        shape
	frames   int64
	bits     int
	encoding string
	sound    []byte // nil before the sound chunk
	cut      error  // of the sound chunk
}

func openAIFF(b []byte) (stream, error) {
	a := &aiff{encoding: "NONE"}
	compressed := string(b[8:12]) == "AIFC"
	be := binary.BigEndian
	for at := 12; at+8 <= len(b) && (a.s.channels == 0 || a.sound == nil); {
		id, size := string(b[at:at+4]), int64(be.Uint32(b[at+4:]))
		body := b[at+8:]
		switch id {
		case "COMM":
			if size < 18 || size > int64(len(body)) {
				return nil, truncated("a common chunk of %d bytes", size)
			}
			a.s = shape{rate: extended(body[8:18]), channels: int(be.Uint16(body))}
			a.frames, a.bits = int64(be.Uint32(body[2:])), int(be.Uint16(body[6:]))
			if compressed && size >= 22 {
				a.encoding = string(body[18:22])
			}
		case "SSND":
			if a.take(body, size); a.sound == nil {
				return nil, a.cut
			}
		}
		next := int64(at) + 8 + size
		if size&1 == 1 && !padded(b, next) {
			next--
		}
		if next += size & 1; next > int64(len(b)) {
			break
		}
		at = int(next)
	}
	switch {
	case a.s.channels == 0:
		return nil, truncated("no common chunk")
	case a.sound == nil:
		return nil, truncated("no sound chunk")
	case a.cut != nil:
		return nil, a.cut
	}
	return a.open()
}

// take keeps the sound. A length that was not known when it was written goes to the end.
func (a *aiff) take(body []byte, size int64) {
	const head = 8 // an offset, and the size of blocks
	if len(body) < head {
		a.cut = truncated("a sound chunk of %d bytes", len(body))
		return
	}
	have := int64(len(body))
	if size <= head || unknownLength(size) {
		size = have
	}
	if size > have {
		a.cut = truncated("%d bytes of sound, %d are there", size, have)
		size = have
	}
	from := head + int64(binary.BigEndian.Uint32(body))
	if from > size {
		a.cut = errors.New("sound that begins behind its chunk")
		from = size
	}
	a.sound = body[from:size:size]
}

// open makes the stream of the sound.
func (a *aiff) open() (stream, error) {
	if r := a.s.check("AIFF"); r != nil {
		return nil, r
	}
	be, le := binary.ByteOrder(binary.BigEndian), binary.ByteOrder(binary.LittleEndian)
	p := &pcm{s: a.s, data: a.sound, width: (a.bits + 7) / 8}
	switch a.encoding {
	case "NONE", "twos", "in24", "in32":
		p.sample = whole(p.width, be)
	case "sowt", "42ni", "23ni":
		p.sample = whole(p.width, le)
	case "raw ":
		if p.width == 1 {
			p.sample = unsigned
		}
	case "fl32", "FL32":
		p.width = 4
		p.sample = floating(p.width, be)
	case "fl64", "FL64":
		p.width = 8
		p.sample = floating(p.width, be)
	case "ulaw", "ULAW":
		p.width, p.sample = 1, muLaw
	case "alaw", "ALAW":
		p.width, p.sample = 1, aLaw
	}
	if p.sample == nil {
		return nil, feature.Refuse(feature.ReasonUnsupported, "AIFF: encoding %q with %d bits", a.encoding, a.bits)
	}
	if n := a.frames * int64(p.width*a.s.channels); n > 0 && n < int64(len(p.data)) {
		p.data = p.data[:n]
	}
	return p, nil
}

// extended reads a sampling rate: a floating-point number of 80 bits, 64 of them the mantissa.
func extended(b []byte) int {
	exponent := int(binary.BigEndian.Uint16(b)&0x7fff) - 16383 - 63
	v := math.Ldexp(float64(binary.BigEndian.Uint64(b[2:])), exponent)
	if b[0]&0x80 != 0 || !(v < math.MaxInt32) {
		return 0
	}
	return int(math.Round(v))
}
