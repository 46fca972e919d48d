package audio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/pion/opus"

	"kilim/learner/encode/feature"
)

const (
	opusRate = 48000
	// opusLongest is the longest packet, 120 ms, in samples of a channel (RFC 6716, section 3.2.5).
	opusLongest = opusRate * 120 / 1000
)

// opusStream decodes Opus in Ogg (RFC 7845).
type opusStream struct {
	packets  *oggPackets
	dec      opus.Decoder
	channels int
	skip     int   // samples of a channel at the beginning that are no sound
	heard    int64 // samples of a channel, those before the sound among them
	out      []float32
}

func openOpus(b []byte) (stream, error) {
	p := newOggPackets(onlyPages(b))
	head, err := p.next()
	if err != nil {
		return nil, noEOF(err)
	}
	if len(head) < 19 {
		return nil, truncated("a header of %d bytes", len(head))
	}
	if head[8]>>4 != 0 {
		return nil, feature.Refuse(feature.ReasonUnsupported, "Ogg Opus: version %d", head[8])
	}
	o := &opusStream{packets: p, channels: int(head[9]), skip: int(binary.LittleEndian.Uint16(head[10:]))}
	// Family 1 orders the channels of several streams; with one it is as family 0.
	if family := head[18]; family != 0 && (family != 1 || len(head) < 21 || head[19] != 1) {
		return nil, feature.Refuse(feature.ReasonUnsupported, "Ogg Opus: %d channels in family %d, one or two are read", o.channels, family)
	}
	if o.channels < 1 || o.channels > 2 {
		return nil, errors.New("a header of other than one or two channels")
	}
	tags, err := p.next()
	if err != nil {
		return nil, noEOF(err)
	}
	if !bytes.HasPrefix(tags, []byte("OpusTags")) {
		return nil, errors.New("no tags behind the header")
	}
	if o.dec, err = opus.NewDecoderWithOutput(opusRate, o.channels); err != nil {
		return nil, err
	}
	o.out = make([]float32, opusLongest*o.channels)
	return o, nil
}

// noEOF is the error of a file that ends in its headers.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return truncated("in the headers")
	}
	return err
}

func (o *opusStream) shape() shape { return shape{rate: opusRate, channels: o.channels} }

func (o *opusStream) next() ([]float32, error) {
	for {
		packet, err := o.packets.next()
		if err != nil {
			return nil, err
		}
		if len(packet) == 0 {
			continue // nothing was sent
		}
		n, err := o.dec.DecodeToFloat32(packet, o.out)
		if err != nil {
			return nil, err
		}
		out := o.out[:n*o.channels]
		o.heard += int64(n)
		if end := o.packets.granule; o.packets.last && end >= 0 && o.heard > end {
			// The last packet is filled up.
			over := min(o.heard-end, int64(n))
			out = out[:(int64(n)-over)*int64(o.channels)]
		}
		before := min(o.skip*o.channels, len(out))
		o.skip -= before / o.channels
		if out = out[before:]; len(out) == 0 {
			continue
		}
		for _, v := range out {
			if !(v > -loudest && v < loudest) { // also NaN
				return nil, fmt.Errorf("a sample of %v", v)
			}
		}
		return out, nil
	}
}
