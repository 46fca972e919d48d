package audio

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/mewkiz/flac"
)

type flacStream struct {
	dec  *flac.Stream
	b    []byte
	from *bytes.Reader
	buf  *bufio.Reader
	read uint64 // samples a channel
	out  []float32
}

func openFLAC(b []byte) (stream, error) {
	f := &flacStream{b: dropTags(b)}
	f.from = bytes.NewReader(f.b)
	f.buf = bufio.NewReader(f.from) // which the decoder takes as it is
	var err error
	if f.dec, err = flac.New(f.buf); err != nil {
		return nil, err
	}
	return f, nil
}

func (f *flacStream) shape() shape {
	return shape{rate: int(f.dec.Info.SampleRate), channels: int(f.dec.Info.NChannels)}
}

func (f *flacStream) next() ([]float32, error) {
	at := len(f.b) - f.from.Len() - f.buf.Buffered()
	frame, err := f.dec.ParseNext()
	want := f.dec.Info.NSamples
	switch {
	case errors.Is(err, io.EOF):
		if f.read < want {
			return nil, truncated("%d samples, %d are there", want, f.read)
		}
		return nil, io.EOF
	case err != nil && f.read > 0 && (want > 0 && f.read >= want || want == 0 && len(bytes.Trim(f.b[at:], "\x00")) == 0):
		// What stands behind the last frame is no sound.
		return nil, io.EOF
	case err != nil:
		return nil, err
	}
	bits := int(frame.BitsPerSample)
	if bits == 0 {
		bits = int(f.dec.Info.BitsPerSample)
	}
	channels := len(frame.Subframes)
	if channels != int(f.dec.Info.NChannels) {
		return nil, errors.New("a frame of other channels than the header says")
	}
	scale := 1 / float32(uint64(1)<<(bits-1))
	n := int(frame.BlockSize)
	if cap(f.out) < n*channels {
		f.out = make([]float32, n*channels)
	}
	f.out = f.out[:n*channels]
	for c, sub := range frame.Subframes {
		for i, v := range sub.Samples[:n] {
			f.out[i*channels+c] = float32(v) * scale
		}
	}
	f.read += uint64(n)
	return f.out, nil
}
