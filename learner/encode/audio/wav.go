package audio

import (
	"encoding/binary"
	"errors"
	"fmt"

	"kilim/learner/encode/feature"
)

// Encodings of samples (Microsoft, "Multiple channel audio data and WAVE files",
// and RFC 2361, appendix A).
const (
	wavPCM        = 1
	wavFloat      = 3
	wavALaw       = 6
	wavMuLaw      = 7
	wavMP3        = 0x55
	wavExtensible = 0xfffe
)

// wav is a RIFF WAVE as its chunks are read, and its 64-bit forms RF64 and BW64 (EBU
// Tech 3306). The libraries at hand know neither floating point nor those.
type wav struct {
	tag, bits int // 0 before the format chunk
	align     int // bytes of a frame, as the file says
	s         shape
	long      int64 // the data chunk's size by the ds64 chunk; -1 without one
}

func openWAV(b []byte) (stream, error) {
	w := &wav{long: -1}
	for at := 12; at+8 <= len(b); {
		id, size := string(b[at:at+4]), int64(binary.LittleEndian.Uint32(b[at+4:]))
		body := b[at+8:]
		switch id {
		case "ds64":
			if len(body) < 16 {
				return nil, truncated("a ds64 chunk of %d bytes", len(body))
			}
			w.long = int64(binary.LittleEndian.Uint64(body[8:]))
		case "fmt ":
			if size < 16 || size > int64(len(body)) {
				return nil, fmt.Errorf("a format chunk of %d bytes", size)
			}
			w.format(body[:size])
		case "data":
			if w.tag == 0 {
				return nil, errors.New("no format chunk before the data")
			}
			data, err := w.take(body, size, int64(len(b)))
			if err != nil {
				return nil, err
			}
			return w.open(data)
		}
		next := int64(at) + 8 + size
		if size&1 == 1 && !padded(b, next) {
			next--
		}
		if next += size & 1; next > int64(len(b)) {
			return nil, truncated("a chunk %q of %d bytes, %d are there", id, size, len(body))
		}
		at = int(next)
	}
	return nil, truncated("no data chunk")
}

// padded tells whether an odd chunk that ends at end is padded to an even length, as it must be: some programs forget.
func padded(b []byte, end int64) bool {
	chunk := func(at int64) bool {
		if at+8 > int64(len(b)) {
			return false
		}
		for _, c := range b[at : at+4] {
			if c < ' ' || c > '~' {
				return false
			}
		}
		return true
	}
	return chunk(end+1) || !chunk(end)
}

// take keeps the data chunk, of a file of so many bytes. A length that was not known when it was written goes to the
// end; so does one that counts the header too.
func (w *wav) take(body []byte, size, file int64) ([]byte, error) {
	if w.long > 0 && size >= 1<<32-1 {
		size = w.long
	}
	have := int64(len(body))
	switch {
	case size == 0, unknownLength(size), size > have && size <= file:
		size = have
	case size < 0 || size > have:
		return nil, truncated("%d bytes of sound, %d are there", size, have)
	}
	return body[:size], nil
}

func (w *wav) format(b []byte) {
	le := binary.LittleEndian
	w.tag, w.bits, w.align = int(le.Uint16(b)), int(le.Uint16(b[14:])), int(le.Uint16(b[12:]))
	w.s = shape{rate: int(le.Uint32(b[4:])), channels: int(le.Uint16(b[2:]))}
	if w.tag == wavExtensible {
		w.tag = wavPCM
		if len(b) >= 40 {
			w.tag = int(le.Uint16(b[24:]))
		}
	}
}

// open makes the stream of the data.
func (w *wav) open(data []byte) (stream, error) {
	if r := w.s.check("WAV"); r != nil && w.tag != wavMP3 {
		return nil, r
	}
	le := binary.LittleEndian
	p := &pcm{s: w.s, data: data, width: (w.bits + 7) / 8}
	switch {
	case w.tag == wavPCM && w.bits == 8 && w.align <= w.s.channels:
		p.sample = unsigned
	case w.tag == wavPCM && w.bits > 8 && w.bits <= 32:
		// More bytes a sample than its bits need hold it in the high ones.
		if wide := w.align / w.s.channels; wide > p.width && wide <= 4 && wide*w.s.channels == w.align {
			p.width = wide
		}
		p.sample = whole(p.width, le)
		if p.width == 4 && w.bits <= 24 && inLowBytes(data) {
			p.sample = func(b []byte) float32 { return float32(int32(le.Uint32(b))) / (1 << 23) }
		}
	case w.tag == wavFloat:
		p.sample = floating(p.width, le)
	case w.tag == wavALaw && w.bits == 8:
		p.sample = aLaw
	case w.tag == wavMuLaw && w.bits == 8:
		p.sample = muLaw
	case w.tag == wavMP3:
		if data = findMP3(data, mp3Search); data == nil {
			return nil, errors.New("no frames of MP3 in it")
		}
		return openMP3(data)
	}
	if p.sample == nil {
		return nil, feature.Refuse(feature.ReasonUnsupported, "WAV: %s with %d bits", encodingName(w.tag), w.bits)
	}
	return p, nil
}

func encodingName(tag int) string {
	names := map[int]string{
		wavPCM: "PCM", wavFloat: "floating point", 2: "Microsoft ADPCM", 0x10: "OKI ADPCM", 0x11: "IMA ADPCM", 0x31: "GSM 6.10", 0x40: "G.721", 0x50: "MPEG layer 1 or 2",
		0x92: "AC-3", 0xff: "AAC", 0x160: "Windows Media", 0x161: "Windows Media", 0x162: "Windows Media", 0x2000: "AC-3", 0x674f: "Vorbis", 0xf1ac: "FLAC",
	}
	if name, ok := names[tag]; ok {
		return name
	}
	return fmt.Sprintf("encoding %#x", tag)
}

// inLowBytes tells whether samples of 24 bits in 4 bytes are in the low three, with their sign in the fourth, though
// they belong into the high ones.
func inLowBytes(data []byte) bool {
	const most = 1 << 18 // bytes that are looked at
	used := false
	for at := 0; at+4 <= min(len(data), most); at += 4 {
		s := data[at : at+4]
		if s[3] != byte(int8(s[2])>>7) {
			return false
		}
		used = used || s[0] != 0
	}
	return used
}
