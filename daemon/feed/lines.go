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

// MaxLine is the longest line, or value of JSON in another form, that is read. It is over what brokers accept.
const MaxLine = 32 << 20

// source reads the lines of a plain or compressed stream.
type source struct {
	raw  *counter
	text *bufio.Reader
	no   int // number of the last line read, from 1; of a value where those are not a line each
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

// open returns the source of a stream. It reads the first bytes, which tell the stream's form.
func open(in io.Reader) (*source, error) {
	s := &source{raw: &counter{r: in}}
	var err error
	s.text, err = profile.Lines(s.raw, MaxLine)
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
// the base made absolute, then closes out. An error of the input is sent last, in a record of its own.
func (s *source) read(ctx context.Context, opt *Options, out chan<- record) {
	defer close(out)
	for first := true; ; {
		line, err := s.next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err == nil && len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		r := record{line: s.no, err: err}
		if err == nil {
			r = newRecord(s.no, absolute(line, opt.Base), opt.Limits)
		}
		if err == nil && first && !opt.AllowRefused {
			err = checkForm(&r, line)
			r.err = err
		}
		first = false
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

// checkForm refuses an input whose first line is no object, or one without a field of an artifact: another table, or a
// document with all records in one of its fields. All other lines would be refused by the daemon, one by one.
func checkForm(first *record, line []byte) error {
	line = bytes.TrimSpace(line)
	switch {
	case line[0] != '{':
		return fmt.Errorf("line %d begins with %.40q: want JSON Lines, an object a line", first.line, line)
	case first.refusal != nil && first.refusal.Reason == profile.ReasonNoFields:
		return fmt.Errorf("line %d: %w", first.line, first.refusal)
	}
	return nil
}
