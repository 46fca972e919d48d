package audio

import (
	"bytes"
	"errors"
	"io"

	"github.com/mewkiz/flac"
)

type flacStream struct {
	dec  *flac.Stream
	read uint64 // samples a channel
	out  []float32
}

func openFLAC(b []byte) (stream, error) {
	dec, err := flac.New(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return &flacStream{dec: dec}, nil
}

func (f *flacStream) shape() shape {
	return shape{rate: int(f.dec.Info.SampleRate), channels: int(f.dec.Info.NChannels)}
}

func (f *flacStream) next() ([]float32, error) {
	frame, err := f.dec.ParseNext()
	if errors.Is(err, io.EOF) {
		if want := f.dec.Info.NSamples; f.read < want {
			return nil, truncated("%d samples, %d are there", want, f.read)
		}
		return nil, io.EOF
	}
	if err != nil {
		return nil, err
	}
	bits := int(frame.BitsPerSample)
	if bits == 0 {
		bits = int(f.dec.Info.BitsPerSample)
	}
	scale := 1 / (float32(uint64(1)<<(bits-1)) * float32(len(frame.Subframes)))
	n := int(frame.BlockSize)
	if cap(f.out) < n {
		f.out = make([]float32, n)
	}
	f.out = f.out[:n]
	clear(f.out)
	for _, sub := range frame.Subframes {
		for i, v := range sub.Samples[:n] {
			f.out[i] += float32(v) * scale
		}
	}
	f.read += uint64(n)
	return f.out, nil
}
