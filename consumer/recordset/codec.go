package recordset

import (
	"bytes"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/segmentio/kafka-go/compress"
)

// WindowBytes is the most of what was unpacked that a codec may look back to, and so the most that it holds: zstd's
// levels up to 20 need no more. (A batch that was sent with a larger one has a Fault.)
const WindowBytes = 32 << 20

// UnpackedBytes is the most that a batch is unpacked to: what is behind that is a Fault. It is no matter of memory. 15 MiB, which a topic
// of kilim's takes, can say that they are 480 GiB, and to read past those takes half an hour in which no other batch is unpacked.
const UnpackedBytes = 1 << 30

type codec int8

const (
	codecNone   codec = 0
	codecSnappy codec = codec(compress.Snappy)
	codecZstd   codec = codec(compress.Zstd)
)

// open reads what packed unpacks to, as it is asked for, up to UnpackedBytes.
func (c codec) open(packed []byte) (io.ReadCloser, error) {
	r, err := c.reader(packed)
	if err != nil {
		return nil, err
	}
	return &bounded{r, UnpackedBytes}, nil
}

// bounded fails behind so many bytes.
type bounded struct {
	io.ReadCloser
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, fmt.Errorf("it unpacks to more than %d bytes", UnpackedBytes)
	}
	return n, err
}

// reader is the reader of a codec.
//
// kafka-go's readers of gzip and lz4 do that, with windows of 32 KiB and blocks of 8 MiB at most. Its reader of snappy makes what
// the sender says is the whole, and its zstd takes windows of 512 MiB.
func (c codec) reader(packed []byte) (io.ReadCloser, error) {
	in := bytes.NewReader(packed)
	switch c {
	case codecNone:
		return io.NopCloser(in), nil
	case codecSnappy:
		return newSnappy(in), nil
	case codecZstd:
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(WindowBytes))
		if err != nil {
			return nil, fmt.Errorf("zstd: %w", err)
		}
		return z.IOReadCloser(), nil
	}
	known := compress.Compression(c).Codec()
	if known == nil {
		return nil, fmt.Errorf("compression codec %d is unknown", c)
	}
	return known.NewReader(in), nil
}
