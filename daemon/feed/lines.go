package feed

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"kilim/consumer/profile"
)

// MaxLine is the longest line that is read. It is over what brokers accept.
const MaxLine = 32 << 20

// source reads the lines of a plain or compressed stream.
type source struct {
	raw  *counter
	text *bufio.Reader
	no   int // number of the last line read, from 1
}

// counter counts the bytes read from a stream, compressed as it is.
type counter struct {
	r io.Reader
	n atomic.Int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// open returns the source of a stream. It reads the first bytes, which tell whether the stream is compressed.
func open(in io.Reader) (*source, error) {
	s := &source{raw: &counter{r: in}}
	var err error
	s.text, err = profile.Feed(s.raw)
	return s, err
}

// next returns a line of its own memory, without its end; io.EOF after the last one.
func (s *source) next() ([]byte, error) {
	var line []byte
	s.no++
	for {
		part, err := s.text.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > MaxLine:
			return nil, fmt.Errorf("line %d: longer than %d bytes", s.no, MaxLine)
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(line) == 0:
			return nil, io.EOF
		case err != nil && !errors.Is(err, io.EOF):
			return nil, fmt.Errorf("line %d: %w", s.no, err)
		}
		line = bytes.TrimSuffix(line, []byte("\n"))
		return bytes.TrimSuffix(line, []byte("\r")), nil
	}
}

// read sends the records of all lines that are not blank, the uris of their media relative to
// base made absolute, then closes out. An error of the input is sent last, in a record of its own.
func (s *source) read(ctx context.Context, base string, out chan<- record) {
	defer close(out)
	for {
		line, err := s.next()
		if errors.Is(err, io.EOF) {
			return
		}
		var r record
		if err != nil {
			r = record{line: s.no, err: err}
		} else if len(bytes.TrimSpace(line)) == 0 {
			continue
		} else {
			r = newRecord(s.no, absolute(line, base))
		}
		select {
		case out <- r:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}
