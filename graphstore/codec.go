package graphstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"time"
)

// rowVersion is the first byte of every row.
const rowVersion = 1

var (
	errTruncated = errors.New("the row ends early")
	errTrailing  = errors.New("the row goes on after its end")
)

// newRow begins a row, with room for its checksum.
func newRow(capacity int) []byte { return append(make([]byte, 0, 1+capacity+sealSize), rowVersion) }

// bareRow is a row whose key says it all. It has no room for a checksum, so that many ops may have it.
var bareRow = slices.Clip([]byte{rowVersion})

func appendBytes[T ~string | ~[]byte](b []byte, s T) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

func appendFloat32s(b []byte, v []float32) []byte {
	b = binary.AppendUvarint(b, uint64(len(v)))
	b, to := extend(b, 4*len(v))
	for i, x := range v {
		binary.LittleEndian.PutUint32(to[4*i:], math.Float32bits(x))
	}
	return b
}

// extend makes b longer by n bytes, and returns these too.
func extend(b []byte, n int) (longer, added []byte) {
	longer = slices.Grow(b, n)[:len(b)+n]
	return longer, longer[len(b):]
}

// appendInt64s writes all numbers in as many bytes as the largest needs: a sum of a few vectors takes half of what int64s take.
func appendInt64s(b []byte, v []int64) []byte {
	b = binary.AppendUvarint(b, uint64(len(v)))
	if len(v) == 0 {
		return b
	}
	var all uint64 // has the highest bit that any number needs beside its sign
	for _, x := range v {
		all |= uint64(x ^ x>>63)
	}
	width := bits.Len64(all)/8 + 1
	b = append(b, byte(width))
	b, to := extend(b, width*len(v))
	for _, x := range v {
		if len(to) < 8 {
			for i := range width {
				to[i] = byte(x >> (8 * i))
			}
		} else {
			binary.LittleEndian.PutUint64(to, uint64(x)) // the next number is written over what is too much
		}
		to = to[width:]
	}
	return b
}

func appendFloat64(b []byte, x float64) []byte {
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(x))
}

// decoder reads a row. The first failure sticks; what is read after it is zero.
// It never allocates more than eight times the row's length.
type decoder struct {
	b   []byte
	err error
}

// decodeRow checks the version byte. A scan shows a damaged row as an empty one.
func decodeRow(b []byte) *decoder {
	d := &decoder{b: b}
	if len(b) == 0 {
		d.err = errDamagedRow
		return d
	}
	if v := d.byte(); v != rowVersion {
		d.err = fmt.Errorf("row of version %d, this program reads version %d", v, rowVersion)
	}
	return d
}

func (d *decoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
	d.b = nil
}

func (d *decoder) take(n uint64) []byte {
	if d.err != nil || n > uint64(len(d.b)) {
		d.fail(errTruncated)
		return nil
	}
	out := d.b[:n:n]
	d.b = d.b[n:]
	return out
}

func (d *decoder) byte() byte {
	if b := d.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fail(errTruncated)
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) uint32() uint32 {
	v := d.uvarint()
	if v > math.MaxUint32 {
		d.fail(fmt.Errorf("number %d does not fit into 32 bits", v))
		return 0
	}
	return uint32(v)
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.fail(errTruncated)
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) string() string { return string(d.take(d.uvarint())) }

// bytes returns a copy, nil when empty.
func (d *decoder) bytes() []byte {
	b := d.take(d.uvarint())
	if len(b) == 0 {
		return nil
	}
	return append([]byte(nil), b...)
}

// count reads the number of items that follow, of at least size bytes each.
func (d *decoder) count(size uint64) int {
	n := d.uvarint()
	if n > uint64(len(d.b))/size {
		d.fail(errTruncated)
		return 0
	}
	return int(n)
}

func (d *decoder) fixed64() uint64 {
	if b := d.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (d *decoder) float64() float64 { return math.Float64frombits(d.fixed64()) }

func (d *decoder) float32s() []float32 {
	n := d.count(4)
	b := d.take(uint64(n) * 4)
	if len(b) == 0 {
		return nil
	}
	out := make([]float32, n)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[i*4:]))
	}
	return out
}

func (d *decoder) int64s() []int64 {
	n := d.count(1)
	if n == 0 {
		return nil
	}
	width := int(d.byte())
	if width < 1 || width > 8 {
		d.fail(fmt.Errorf("numbers of %d bytes", width))
		return nil
	}
	b := d.take(uint64(n) * uint64(width))
	if b == nil {
		return nil
	}
	out, unused := make([]int64, n), 64-8*width
	for i := range out {
		var x uint64
		if len(b) < 8 {
			for j := range width {
				x |= uint64(b[j]) << (8 * j)
			}
		} else {
			x = binary.LittleEndian.Uint64(b)
		}
		out[i] = int64(x<<unused) >> unused
		b = b[width:]
	}
	return out
}

// appendTime keeps the zero time apart from 1970.
func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, 0)
	}
	b = append(b, 1)
	b = binary.AppendVarint(b, t.Unix())
	return binary.AppendUvarint(b, uint64(t.Nanosecond()))
}

func (d *decoder) time() time.Time {
	if d.byte() == 0 {
		return time.Time{}
	}
	sec := d.varint()
	return time.Unix(sec, int64(d.uint32())).UTC()
}

// end returns the first failure, or errTrailing when bytes of the row are left.
func (d *decoder) end() error {
	if d.err == nil && len(d.b) > 0 {
		d.err = errTrailing
	}
	return d.err
}

// encodeBlob is a row of opaque bytes.
func encodeBlob(v []byte) []byte { return append(newRow(len(v)), v...) }

// decodeBlob returns a copy; it is not nil.
func decodeBlob(row []byte) ([]byte, error) {
	d := decodeRow(row)
	return append([]byte{}, d.b...), d.err
}

func encodeNumber(v uint64) []byte { return binary.AppendUvarint(newRow(10), v) }

func decodeNumber(row []byte) (uint64, error) {
	d := decodeRow(row)
	v := d.uvarint()
	return v, d.end()
}
