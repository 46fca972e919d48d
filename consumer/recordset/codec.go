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

type codec int8

const (
	codecNone   codec = 0
	codecSnappy codec = codec(compress.Snappy)
	codecZstd   codec = codec(compress.Zstd)
)

// open reads what packed unpacks to, as it is asked for.
//
// kafka-go's readers of gzip and lz4 do that, with windows of 32 KiB and blocks of 8 MiB at most. Its reader of snappy makes what
// the sender says is the whole, and its zstd takes windows of 512 MiB.
func (c codec) open(packed []byte) (io.ReadCloser, error) {
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
