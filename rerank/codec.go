package rerank

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
)

func appendString(b []byte, v string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(v))), v...)
}

// appendOptional keeps nil and empty apart: in Kafka a null value deletes, an empty one does not.
func appendOptional(b, v []byte) []byte {
	if v == nil {
		return append(b, 0)
	}
	return append(binary.AppendUvarint(b, uint64(len(v))+1), v...)
}

func appendFloat32(b []byte, v float32) []byte {
	return binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
}

func appendFloat64(b []byte, v float64) []byte {
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
}

// appendTime keeps milliseconds, the resolution of Kafka's timestamps. The zero time is 0;
// other times are shifted by one where that is needed to keep them apart from it.
func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return binary.AppendVarint(b, 0)
	}
	ms := t.UnixMilli()
	if ms >= 0 {
		ms++
	}
	return binary.AppendVarint(b, ms)
}

var errShort = errors.New("ends too early")

// decoder reads what the append functions wrote. The first fault sticks, and later reads
// return zero values, so that callers check once.
type decoder struct {
	rest []byte
	err  error
}

func (d *decoder) fail(field string, err error) {
	if d.err == nil {
		d.err = fmt.Errorf("%s: %w", field, err)
	}
	d.rest = nil
}

func (d *decoder) version(want byte) {
	if got := d.byte("version"); d.err == nil && got != want {
		d.fail("version", fmt.Errorf("is %d, want %d", got, want))
	}
}

func (d *decoder) byte(field string) byte {
	if len(d.rest) == 0 {
		d.fail(field, errShort)
		return 0
	}
	v := d.rest[0]
	d.rest = d.rest[1:]
	return v
}

func (d *decoder) uvarint(field string) uint64 {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 {
		d.fail(field, varintError(n))
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) varint(field string) int64 {
	v, n := binary.Varint(d.rest)
	if n <= 0 {
		d.fail(field, varintError(n))
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func varintError(n int) error {
	if n == 0 {
		return errShort
	}
	return errors.New("varint overflows 64 bits")
}

// below reads a number that must not exceed limit.
func (d *decoder) below(field string, limit uint64) uint64 {
	v := d.uvarint(field)
	if v > limit {
		d.fail(field, fmt.Errorf("is %d, over %d", v, limit))
		return 0
	}
	return v
}

// count reads a number of items of at least size bytes each, which must be there: a
// damaged count can't make the caller allocate.
func (d *decoder) count(field string, size int) int {
	v := d.uvarint(field)
	if v > uint64(len(d.rest)/size) {
		d.fail(field, fmt.Errorf("%d items can't be in the remaining %d bytes", v, len(d.rest)))
		return 0
	}
	return int(v)
}

func (d *decoder) take(field string, n int) []byte {
	if n > len(d.rest) {
		d.fail(field, errShort)
		return nil
	}
	v := d.rest[:n:n]
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) string(field string) string {
	return string(d.take(field, d.count(field, 1)))
}

// optional returns a copy, for entries outlive the buffers that stores lend.
func (d *decoder) optional(field string) []byte {
	n := d.uvarint(field)
	if n == 0 || d.err != nil {
		return nil
	}
	if n-1 > uint64(len(d.rest)) {
		d.fail(field, errShort)
		return nil
	}
	return append([]byte{}, d.take(field, int(n-1))...)
}

func (d *decoder) float32(field string) float32 {
	b := d.take(field, 4)
	if b == nil {
		return 0
	}
	v := math.Float32frombits(binary.LittleEndian.Uint32(b))
	if v64 := float64(v); math.IsNaN(v64) || math.IsInf(v64, 0) {
		d.fail(field, fmt.Errorf("is %v, not a finite number", v))
		return 0
	}
	return v
}

func (d *decoder) float64(field string) float64 {
	b := d.take(field, 8)
	if b == nil {
		return 0
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(b))
}

func (d *decoder) fixed64(field string) uint64 {
	b := d.take(field, 8)
	if b == nil {
		return 0
	}
	return binary.LittleEndian.Uint64(b)
}

func (d *decoder) time(field string) time.Time {
	ms := d.varint(field)
	if ms == 0 {
		return time.Time{}
	}
	if ms > 0 {
		ms--
	}
	return time.UnixMilli(ms).UTC()
}

// finish returns the first fault; bytes left over are one.
func (d *decoder) finish(what string) error {
	if d.err == nil && len(d.rest) > 0 {
		d.fail("end", fmt.Errorf("%d bytes too many", len(d.rest)))
	}
	if d.err != nil {
		return fmt.Errorf("rerank: %s: %w", what, d.err)
	}
	return nil
}
