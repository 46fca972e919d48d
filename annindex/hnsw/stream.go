package hnsw

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"slices"
	"unsafe"

	"kilim/annindex/internal/ann"
)

// chunkSize is the number of bytes between two checksums of a snapshot.
const chunkSize = 1 << 16

// chunkWriter writes a stream with a checksum after each chunk and after the last, which is shorter or empty. Each
// checksum continues the one before it, so chunkReader refuses a stream in which a chunk is missing, doubled or in
// another place.
type chunkWriter struct {
	w     io.Writer
	sum   uint32
	chunk []byte
}

func newChunkWriter(w io.Writer, sum uint32) *chunkWriter {
	return &chunkWriter{w: w, sum: sum, chunk: make([]byte, 0, chunkSize+4)}
}

func (c *chunkWriter) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		n := min(len(rest), chunkSize-len(c.chunk))
		c.chunk = append(c.chunk, rest[:n]...)
		rest = rest[n:]
		if len(c.chunk) == chunkSize {
			if err := c.flush(); err != nil {
				return 0, err
			}
		}
	}
	return len(p), nil
}

func (c *chunkWriter) flush() error {
	c.sum = crc32.Update(c.sum, ann.Castagnoli(), c.chunk)
	_, err := c.w.Write(binary.LittleEndian.AppendUint32(c.chunk, c.sum))
	c.chunk = c.chunk[:0]
	return err
}

// chunkReader reads length bytes that a chunkWriter wrote. It returns no byte before the checksum of its chunk was
// right.
type chunkReader struct {
	r      io.Reader
	sum    uint32
	length uint64 // bytes not yet read from r
	ended  bool   // the last chunk was read
	buffer []byte // a chunk and its checksum
	ready  []byte // the part of the chunk that Read has not returned yet
}

// fill reads the next chunk and checks it.
func (c *chunkReader) fill() error {
	if c.ended {
		return ann.Refuse("it is too short for what it says it holds")
	}
	n := int(min(chunkSize, c.length))
	if c.buffer == nil {
		c.buffer = make([]byte, chunkSize+4)
	}
	if _, err := io.ReadFull(c.r, c.buffer[:n+4]); err != nil {
		return ann.Refuse("%d bytes before its end: %v", c.length, err)
	}
	c.sum = crc32.Update(c.sum, ann.Castagnoli(), c.buffer[:n])
	if c.sum != binary.LittleEndian.Uint32(c.buffer[n:]) {
		return ann.Refuse("the checksum %d bytes before its end is wrong", c.length)
	}
	c.length -= uint64(n)
	c.ended = n < chunkSize
	c.ready = c.buffer[:n]
	return nil
}

func (c *chunkReader) Read(p []byte) (int, error) {
	for len(c.ready) == 0 {
		if err := c.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, c.ready)
	c.ready = c.ready[n:]
	return n, nil
}

// end refuses a stream of which something is left.
func (c *chunkReader) end() error {
	for !c.ended {
		if err := c.fill(); err != nil {
			return err
		}
	}
	if len(c.ready) > 0 {
		return ann.Refuse("something follows the graph")
	}
	if _, err := io.ReadFull(c.r, c.buffer[:1]); !errors.Is(err, io.EOF) {
		return ann.Refuse("something follows the last checksum")
	}
	return nil
}

// number is a type of the numbers that snapshots consist of.
type number interface {
	uint8 | uint32 | uint64 | float32
}

// bytesOf returns the memory of numbers.
func bytesOf[T number](s []T) []byte {
	var one T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(one)))
}

// convertEndian turns the machine's numbers into little endian ones and back. On a little endian machine it does
// nothing.
func convertEndian[T number](s []T) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
		return
	}
	var one T
	size := int(unsafe.Sizeof(one))
	for b := bytesOf(s); len(b) > 0; b = b[size:] {
		slices.Reverse(b[:size])
	}
}

func writeNumbers[T number](w io.Writer, s []T) error {
	convertEndian(s)
	_, err := w.Write(bytesOf(s))
	convertEndian(s)
	return err
}

// readNumbers reads n numbers. It allocates as it reads, since n may come from a header that lies.
func readNumbers[T number](r io.Reader, n uint64) ([]T, error) {
	const step = 1 << 18
	out := make([]T, 0, min(n, step))
	for n > 0 {
		if len(out) == cap(out) {
			out = slices.Grow(out, int(min(n, uint64(len(out)))))
		}
		from := len(out)
		out = out[:from+int(min(n, uint64(cap(out)-from)))]
		if _, err := io.ReadFull(r, bytesOf(out[from:])); err != nil {
			return nil, err
		}
		n -= uint64(len(out) - from)
	}
	convertEndian(out)
	return out, nil
}
