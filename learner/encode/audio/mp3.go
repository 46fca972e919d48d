package audio

import (
	"bytes"
	"encoding/binary"
	"io"

	"github.com/hajimehoshi/go-mp3"

	"kilim/learner/encode/feature"
)

// mp3Header are the fields of a frame's header (ISO/IEC 11172-3, 2.4.1.3, and
// 13818-3 for the lower rates) that tell whether it is one, and where the next is.
type mp3Header struct {
	version, layer, bitrate, rate, padding int
}

func parseMP3(b []byte) (mp3Header, bool) {
	if len(b) < 4 || b[0] != 0xff || b[1]&0xe0 != 0xe0 {
		return mp3Header{}, false
	}
	h := mp3Header{version: int(b[1] >> 3 & 3), layer: int(b[1] >> 1 & 3), bitrate: int(b[2] >> 4), rate: int(b[2] >> 2 & 3), padding: int(b[2] >> 1 & 1)}
	return h, h.version != 1 && h.layer != 0 && h.bitrate != 15 && h.rate != 3
}

const (
	mpeg1, mpeg2 = 3, 2 // versions; 0 is 2.5
	layerIII     = 1
)

// size is the length of a layer III frame in bytes; 0 when the header leaves it open.
func (h mp3Header) size() int {
	kbits := [16]int{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0}[h.bitrate]
	rate, slots := [3]int{22050, 24000, 16000}[h.rate], 72
	switch h.version {
	case mpeg1:
		kbits = [16]int{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0}[h.bitrate]
		rate, slots = 2*rate, 144
	case 0:
		rate /= 2
	}
	return slots*kbits*1000/rate + h.padding
}

// isMP3 wants two frames in a row (or one and the end): two bytes of sync alone are
// found in anything.
func isMP3(b []byte) bool {
	h, ok := parseMP3(b)
	if !ok {
		return false
	}
	if h.layer != layerIII || h.bitrate == 0 {
		return true // refused with its reason when opened
	}
	size := h.size()
	if size >= len(b) {
		return size == len(b)
	}
	next, ok := parseMP3(b[size:])
	return ok && next.version == h.version && next.layer == h.layer && next.rate == h.rate
}

// How far players look for the first frame: over some padding, and over a tag that is larger than it says, for it
// holds a picture.
const (
	mp3Search       = 64 << 10
	mp3TaggedSearch = 1 << 20
)

// findMP3 is what begins with the first frame that four others follow, or that ends the file with fewer; nil when
// there is none within so many bytes.
func findMP3(b []byte, within int) []byte {
	for at := 0; at < min(len(b)-4, within); at++ {
		if b[at] != 0xff {
			continue
		}
		first, ok := parseMP3(b[at:])
		if !ok || first.layer != layerIII || first.bitrate == 0 {
			continue
		}
		frames, end := 0, at
		for frames < 5 && end < len(b) {
			h, ok := parseMP3(b[end:])
			if !ok || h.bitrate == 0 || h.version != first.version || h.layer != first.layer || h.rate != first.rate {
				break
			}
			frames, end = frames+1, end+h.size()
		}
		if frames == 5 || frames > 1 && end == len(b) {
			return b[at:]
		}
	}
	return nil
}

const mp3Chunk = 16 << 10 // bytes of samples a call

type mp3Stream struct {
	dec *mp3.Decoder
	raw []byte
	out []float32
}

func openMP3(b []byte) (stream, error) {
	switch h, _ := parseMP3(b); {
	case h.layer != layerIII:
		return nil, feature.Refuse(feature.ReasonUnsupported, "MP3: MPEG layer %d, only layer 3 is read", 4-h.layer)
	case h.version == 0:
		return nil, feature.Refuse(feature.ReasonUnsupported, "MP3: MPEG 2.5")
	case h.bitrate == 0:
		return nil, feature.Refuse(feature.ReasonUnsupported, "MP3: a free bit rate")
	}
	// The decoder would look for sound in a tag.
	b = dropTags(b)
	// Not as a Seeker: the decoder would read it all through first.
	dec, err := mp3.NewDecoder(struct{ io.Reader }{bytes.NewReader(b)})
	if err != nil {
		return nil, err
	}
	return &mp3Stream{dec: dec, raw: make([]byte, mp3Chunk), out: make([]float32, mp3Chunk/2)}, nil
}

// shape has two channels, whatever the file: the decoder doubles a single one.
func (m *mp3Stream) shape() shape { return shape{rate: m.dec.SampleRate(), channels: 2} }

func (m *mp3Stream) next() ([]float32, error) {
	n, err := io.ReadFull(m.dec, m.raw)
	if n < 4 {
		if err == io.ErrUnexpectedEOF {
			err = io.EOF
		}
		return nil, err
	}
	n = n / 4 * 4 // whole frames
	for at := 0; at < n; at += 2 {
		m.out[at/2] = float32(int16(binary.LittleEndian.Uint16(m.raw[at:]))) / (1 << 15)
	}
	return m.out[:n/2], nil
}
