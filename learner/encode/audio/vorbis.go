package audio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/jfreymuth/oggvorbis"

	"kilim/learner/encode/feature"
)

type vorbisStream struct {
	dec *oggvorbis.Reader
	b   []byte
	raw []float32
}

func openVorbis(b []byte) (stream, error) {
	b = onlyPages(b)
	headers, err := vorbisHeaders(b)
	if err != nil {
		return nil, err
	}
	if err := checkVorbis(headers); err != nil {
		return nil, err
	}
	// Not as a Seeker: the decoder would look for the end first.
	dec, err := oggvorbis.NewReader(struct{ io.Reader }{bytes.NewReader(b)})
	if errors.Is(err, io.EOF) {
		return nil, truncated("no sound behind the headers")
	}
	if err != nil {
		return nil, err
	}
	return &vorbisStream{dec: dec, b: b, raw: make([]float32, 8192*dec.Channels())}, nil
}

func (v *vorbisStream) shape() shape {
	return shape{rate: v.dec.SampleRate(), channels: v.dec.Channels()}
}

func (v *vorbisStream) next() ([]float32, error) {
	n, err := v.dec.Read(v.raw)
	if n == 0 {
		switch {
		case err == nil:
			return nil, io.ErrNoProgress
		case errors.Is(err, io.EOF) && v.dec.Length() == 0 && pagesEnd(v.b) < len(v.b):
			// The length becomes known at the stream's last page. What was recorded from a broadcast has none.
			return nil, truncated("in a page")
		}
		return nil, err
	}
	for _, s := range v.raw[:n] {
		if s != s {
			return nil, errors.New("a sample that is no number")
		}
	}
	return v.raw[:n], nil
}

// vorbisHeaders collects the first three packets of an Ogg stream (RFC 3533,
// section 6): identification, comment and setup.
func vorbisHeaders(b []byte) ([3][]byte, error) {
	var packets [3][]byte
	n := 0
	for n < 3 {
		laces, body, rest, err := oggPage(b)
		if err != nil {
			return packets, fmt.Errorf("%d of 3 header packets: %w", n, err)
		}
		for _, lace := range laces {
			packets[n] = append(packets[n], body[:lace]...)
			body = body[lace:]
			if lace < 255 {
				if n == 0 && !bytes.HasPrefix(packets[0], []byte("\x01vorbis")) {
					return packets, inOgg(packets[0])
				}
				if n++; n == 3 {
					return packets, nil
				}
			}
		}
		b = rest
	}
	return packets, nil
}

// inOgg refuses what an Ogg stream holds by its first packet.
func inOgg(packet []byte) *feature.Refusal {
	for magic, name := range map[string]string{"\x7fFLAC": "FLAC", "Speex": "Speex", "\x80theora": "a film (Theora)", "fishead": "several streams", "BBCD": "a film (Dirac)"} {
		if bytes.HasPrefix(packet, []byte(magic)) {
			return feature.Refuse(feature.ReasonUnsupported, "Ogg: holds %s; Vorbis and Opus are read", name)
		}
	}
	return feature.Refuse(feature.ReasonUnsupported, "Ogg: holds %q; Vorbis and Opus are read", packet[:min(len(packet), 8)])
}

// checkVorbis refuses headers on which the decoder would run out of memory or
// never end, which no recover could mend. Their form: Vorbis I specification,
// section 4.2.
func checkVorbis(headers [3][]byte) error {
	id, comment, setup := headers[0], headers[1], headers[2]
	if len(id) < 30 || !bytes.HasPrefix(comment, []byte("\x03vorbis")) || !bytes.HasPrefix(setup, []byte("\x05vorbis")) {
		return errors.New("header packets are not as they must be")
	}
	le := binary.LittleEndian
	s := shape{rate: int(le.Uint32(id[12:])), channels: int(id[11])}
	if r := s.check("Ogg Vorbis"); r != nil {
		return r
	}
	if short, long := id[28]&15, id[28]>>4; short < 6 || short > long || long > 13 {
		return errors.New("blocks of other than 64 to 8192 samples")
	}
	comment = comment[7:]
	if len(comment) < 4 || int64(le.Uint32(comment)) > int64(len(comment)-8) {
		return truncated("the comment header")
	}
	// The decoder makes a list for as many comments as are announced.
	rest := comment[4+le.Uint32(comment):]
	if n := int64(le.Uint32(rest)); n > int64(len(rest)-4)/4 {
		return truncated("%d comments in %d bytes", n, len(rest)-4)
	}
	r := &bitReader{b: setup[7:]}
	if err := checkSetup(r); err != nil {
		return err
	}
	if r.short {
		return truncated("the setup header")
	}
	return nil
}
