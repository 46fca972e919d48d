package profile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
)

// feedBuffer is the length of the buffers through which a feed is read.
const feedBuffer = 256 << 10

// Feed returns the lines of a file of records, plain or gzip, which is told by its first two bytes.
func Feed(r io.Reader) (*bufio.Reader, error) {
	raw := bufio.NewReaderSize(r, feedBuffer)
	head, err := raw.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading the input: %w", err)
	}
	if !bytes.Equal(head, []byte{0x1f, 0x8b}) {
		return raw, nil
	}
	text, err := gzip.NewReader(raw)
	if err != nil {
		return nil, fmt.Errorf("reading the input as gzip: %w", err)
	}
	return bufio.NewReaderSize(text, feedBuffer), nil
}
