package profile

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Lines is Feed for files that may hold their records in another form of JSON than a line each: as an array, or printed
// over several lines. Each value of these becomes a line. longest bounds such a value's length.
func Lines(r io.Reader, longest int) (*bufio.Reader, error) {
	in, err := Feed(r)
	if err != nil {
		return nil, err
	}
	form, err := formOf(in)
	if err != nil || form == aLineEach {
		return in, err
	}
	bound := &bounded{in: in}
	v := &values{in: bound, dec: json.NewDecoder(bound), longest: longest, array: form == anArray}
	return bufio.NewReaderSize(v, feedBuffer), nil
}

// form is how the values of a file of JSON stand in it.
type form int

const (
	aLineEach form = iota
	anArray
	overLines // each over several lines
)

// formOf looks at no more than it needs to tell, for the lines may come one by one. A first line that is torn, or no JSON, is
// not the beginning of a value over several lines: it is one bad line of many, and is refused alone.
func formOf(in *bufio.Reader) (form, error) {
	for {
		head, err := in.Peek(in.Buffered())
		if err != nil {
			return aLineEach, fmt.Errorf("reading the input: %w", err)
		}
		text := bytes.TrimLeft(head, " \t\r\n")
		line, _, ended := bytes.Cut(text, []byte("\n"))
		switch {
		case bytes.HasPrefix(text, []byte("[")):
			return anArray, nil
		case len(text) > 0 && text[0] != '{', ended && json.Valid(line):
			return aLineEach, nil
		case ended:
			var first json.RawMessage
			err := json.NewDecoder(bytes.NewReader(text)).Decode(&first)
			if err == nil && bytes.ContainsRune(first, '\n') {
				return overLines, nil
			}
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				return aLineEach, nil
			}
		}
		if len(head) == in.Size() {
			if ended {
				return overLines, nil
			}
			return aLineEach, nil
		}
		// An error here comes again when the line is read.
		if more, err := in.Peek(len(head) + 1); err != nil && len(more) == len(head) {
			if ended {
				return overLines, nil // torn
			}
			return aLineEach, nil
		}
	}
}

// values reads the values of a JSON array, or those that stand one after the other, as lines.
type values struct {
	in      *bounded
	dec     *json.Decoder
	longest int
	array   bool
	n       int // values read
	rest    []byte
	err     error
}

func (v *values) Read(p []byte) (int, error) {
	for len(v.rest) == 0 {
		if v.err != nil {
			return 0, v.err
		}
		if err := v.next(); errors.Is(err, io.EOF) {
			v.err = io.EOF
		} else if err != nil {
			v.err = fmt.Errorf("the input's JSON, after %d values: %w", v.n, err)
		}
	}
	n := copy(p, v.rest)
	v.rest = v.rest[n:]
	return n, nil
}

// next puts the next value into rest; io.EOF after the last one.
func (v *values) next() error {
	// The decoder reads ahead, at most by what its buffer has grown to.
	v.in.left = 2*v.longest + feedBuffer
	if v.array && v.n == 0 {
		if _, err := v.dec.Token(); err != nil {
			return unended(err)
		}
	}
	if v.array && !v.dec.More() {
		if _, err := v.dec.Token(); err != nil {
			return unended(err)
		}
		if _, err := v.dec.Token(); !errors.Is(err, io.EOF) {
			return errors.Join(errors.New("something stands behind the array"), err)
		}
		return io.EOF
	}
	var value json.RawMessage
	if err := v.dec.Decode(&value); err != nil {
		if v.array {
			return unended(err)
		}
		return err
	}
	v.n++
	if len(value) > v.longest {
		return fmt.Errorf("a value of %d bytes, the limit is %d", len(value), v.longest)
	}
	var line bytes.Buffer
	if err := json.Compact(&line, value); err != nil {
		return err
	}
	line.WriteByte('\n')
	v.rest = line.Bytes()
	return nil
}

// unended is the error of an array that the input ends within.
func unended(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// bounded reads no more than left bytes, which its user sets anew for each value.
type bounded struct {
	in   io.Reader
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errors.New("a value that is too long")
	}
	n, err := b.in.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
