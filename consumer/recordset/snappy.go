package recordset

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// xerialMagic begins what snappy-java writes (Kafka's own clients): a version and the oldest version that reads it
// follow, then blocks with their lengths. Other clients send one bare block.
var xerialMagic = []byte{0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0}

const xerialHead = 16

// Elements of a snappy block, by the lowest two bits of their tag
// (https://github.com/google/snappy/blob/main/format_description.txt).
const (
	literal = iota
	copy1   // offsets of 11 bits
	copy2   // of 16
	copy4   // of 32
)

// snappyReader unpacks snappy as it is asked for. Libraries unpack a block at once, and a bare block is the whole batch: 341 MB
// can be said by 16 MB, and 4 GB be asked for by five bytes.
type snappyReader struct {
	in      *bufio.Reader
	packed  int64 // the length of all
	begun   bool
	framed  bool
	block   int64  // packed bytes of the block at work that are not read yet
	left    int64  // bytes that it says it still unpacks to
	literal int64  // those of them that follow as they are
	window  []byte // the last bytes unpacked, a ring once it is as long as WindowBytes
	written int64  // bytes of the block that were put into window
	read    int64  // those that were given out
	piece   [4 << 10]byte
}

func newSnappy(in *bytes.Reader) *snappyReader {
	return &snappyReader{in: bufio.NewReader(in), packed: in.Size()}
}

func (*snappyReader) Close() error { return nil }

// Read gives what is unpacked and not yet given out, and unpacks the next element when there is nothing.
func (s *snappyReader) Read(out []byte) (int, error) {
	if len(out) == 0 {
		return 0, nil
	}
	for s.read == s.written {
		if s.left > 0 {
			if err := s.element(); err != nil {
				return 0, fmt.Errorf("snappy: %w", ending(err))
			}
			continue
		}
		if err := s.nextBlock(); err != nil {
			if errors.Is(err, io.EOF) {
				return 0, io.EOF
			}
			return 0, fmt.Errorf("snappy: %w", err)
		}
	}
	at := int(s.read % WindowBytes)
	n := copy(out, s.window[at:min(len(s.window), at+int(s.written-s.read))])
	s.read += int64(n)
	return n, nil
}

// nextBlock is io.EOF behind the last block.
func (s *snappyReader) nextBlock() error {
	switch {
	case !s.begun:
		s.begun = true
		if head, err := s.in.Peek(xerialHead); err == nil && bytes.HasPrefix(head, xerialMagic) {
			s.framed = true
			if _, err := s.in.Discard(xerialHead); err != nil {
				return ending(err)
			}
		}
	case !s.framed:
		return io.EOF
	case s.block != 0:
		return fmt.Errorf("a block of %d bytes more than it needs", s.block)
	}
	s.block = s.packed
	if s.framed {
		if _, err := s.in.Peek(1); err != nil {
			return err
		}
		size := s.piece[:4]
		if _, err := io.ReadFull(s.in, size); err != nil {
			return ending(err)
		}
		s.block = int64(binary.BigEndian.Uint32(size))
	}
	left, err := binary.ReadUvarint(s)
	if err != nil {
		return ending(err)
	}
	// No element unpacks to more than 64 bytes from 3.
	if left > uint64(min(s.block, s.packed))*64/3 {
		return fmt.Errorf("a block of %d bytes that says it unpacks to %d", s.block, left)
	}
	if size := int(min(left, WindowBytes)); size > cap(s.window) {
		s.window = make([]byte, 0, size)
	}
	s.left, s.window, s.written, s.read = int64(left), s.window[:0], 0, 0
	return nil
}

// ReadByte gives the next packed byte of the block.
func (s *snappyReader) ReadByte() (byte, error) {
	if s.block <= 0 {
		return 0, errors.New("a block that ends within an element")
	}
	s.block--
	return s.in.ReadByte()
}

func (s *snappyReader) number(bytes int) (n int64, err error) {
	for i := range bytes {
		b, err := s.ReadByte()
		if err != nil {
			return 0, err
		}
		n |= int64(b) << (8 * i)
	}
	return n, nil
}

// element unpacks the next element, or a piece of a literal: that may be as long as the block.
func (s *snappyReader) element() error {
	if s.literal > 0 {
		return s.copyLiteral()
	}
	tag, err := s.ReadByte()
	if err != nil {
		return err
	}
	length, offset := int64(tag>>2)+1, int64(0)
	switch tag & 3 {
	case literal:
		if length > 60 {
			if length, err = s.number(int(length - 60)); err != nil {
				return err
			}
			length++
		}
		if length > s.left {
			return errSnappyLonger
		}
		s.literal = length
		return s.copyLiteral()
	case copy1:
		length = 4 + int64(tag>>2&7)
		offset, err = s.number(1)
		offset |= int64(tag>>5) << 8
	case copy2:
		offset, err = s.number(2)
	case copy4:
		offset, err = s.number(4)
	}
	if err != nil {
		return err
	}
	return s.repeat(offset, length)
}

var errSnappyLonger = errors.New("a block unpacks to more than it says")

func (s *snappyReader) copyLiteral() error {
	n := min(s.literal, int64(len(s.piece)))
	if n > s.block {
		return errors.New("a block that ends within an element")
	}
	if _, err := io.ReadFull(s.in, s.piece[:n]); err != nil {
		return err
	}
	s.literal, s.block = s.literal-n, s.block-n
	s.put(s.piece[:n])
	return nil
}

// repeat copies from what was unpacked; what it copies may be a part of the copy.
func (s *snappyReader) repeat(offset, length int64) error {
	switch {
	case offset < 1 || offset > s.written:
		return fmt.Errorf("a copy from %d bytes before a place that has %d before it", offset, s.written)
	case offset > WindowBytes:
		return fmt.Errorf("a copy from %d bytes before, and %d are kept", offset, WindowBytes)
	case length > s.left:
		return errSnappyLonger
	}
	var piece [64]byte
	for i := range length {
		if i < offset {
			piece[i] = s.window[(s.written-offset+i)%WindowBytes]
		} else {
			piece[i] = piece[i-offset]
		}
	}
	s.put(piece[:length])
	return nil
}

func (s *snappyReader) put(p []byte) {
	s.left -= int64(len(p))
	for len(p) > 0 {
		n := min(len(p), WindowBytes-len(s.window))
		if n > 0 {
			s.window = append(s.window, p[:n]...)
		} else {
			n = copy(s.window[s.written%WindowBytes:], p)
		}
		s.written += int64(n)
		p = p[n:]
	}
}
