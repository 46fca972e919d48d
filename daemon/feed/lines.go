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

// Lines are the artifacts of an input, as JSON.
type Lines interface {
	// Next returns an artifact's JSON, in memory of its own, and the line of the input where it begins; io.EOF after the last.
	Next() (line []byte, no int, err error)
	// Read counts the bytes of the input that were read, packed as they are. It may be called beside Next.
	Read() int64
}

// Counter counts the bytes read from a stream.
type Counter struct {
	io.Reader
	n atomic.Int64
}

func (c *Counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// Bytes is their number. It may be called beside Read.
func (c *Counter) Bytes() int64 { return c.n.Load() }

// source reads the lines of a plain or compressed stream.
type source struct {
	raw  *Counter
	text *bufio.Reader // nil before the first line
	no   int           // number of the last line read, from 1; of a value where those are not a line each
}

// JSON are the lines of a stream of JSON, whose first bytes tell its form.
func JSON(in io.Reader) Lines { return &source{raw: &Counter{Reader: in}} }

// Read counts the bytes read.
func (s *source) Read() int64 { return s.raw.Bytes() }

// Next returns a line without its end.
func (s *source) Next() (line []byte, no int, err error) {
	s.no++
	if s.text == nil {
		if s.text, err = profile.Lines(s.raw, MaxLine); err != nil {
			return nil, s.no, err
		}
	}
	for {
		part, err := s.text.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > MaxLine:
			return nil, s.no, fmt.Errorf("line %d: longer than %d bytes", s.no, MaxLine)
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(line) == 0:
			return nil, s.no, io.EOF
		case err != nil && !errors.Is(err, io.EOF):
			return nil, s.no, fmt.Errorf("line %d: %w", s.no, err)
		}
		line = bytes.TrimSuffix(line, []byte("\n"))
		return bytes.TrimSuffix(line, []byte("\r")), s.no, nil
	}
}

// read sends the records of all lines that are not blank, the uris of their media relative to
// the base made absolute, then closes out. An error of the input is sent last, in a record of its own.
func read(ctx context.Context, in Lines, opt *Options, out chan<- record) {
	defer close(out)
	for first := true; ; {
		line, no, err := in.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err == nil && len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		r := record{line: no, err: err}
		if err == nil {
			r = newRecord(no, absolute(line, opt.Base), opt.Limits)
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
