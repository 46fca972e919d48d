package recordset

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"time"
)

// Places in a message of version 0 or 1 (https://kafka.apache.org/documentation/#messageset) that are others than in a batch.
const (
	atOldSum     = headBytes
	leastOldBody = 4 + 1 + 1 // sum, version, attributes
)

// oldRecords gives the records of a message of version 0 or 1, and of those that are packed in it.
func oldRecords(raw []byte, from int64) iter.Seq[Record] {
	return func(yield func(Record) bool) {
		last, next := int64(binary.BigEndian.Uint64(raw)), from
		fault := eachOld(raw, from, func(r Record) bool {
			next = r.Offset + 1
			return yield(r)
		})
		if fault != nil && !errors.Is(fault, errStopped) && next <= last {
			yield(Record{Offset: next, Fault: fmt.Errorf("offsets %d to %d: %w", next, last, fault)})
		}
	}
}

func eachOld(raw []byte, from int64, yield func(Record) bool) error {
	if want, sum := binary.BigEndian.Uint32(raw[atOldSum:]), crc32.ChecksumIEEE(raw[atMagic:]); sum != want {
		return fmt.Errorf("checksum %08x, its head says %08x", sum, want)
	}
	m, err := nextOld(&reader{bufio.NewReader(bytes.NewReader(raw))})
	if err != nil {
		return err
	}
	codec := codec(m.attributes & codecBits)
	if codec == codecNone {
		if m.offset < from {
			return nil
		}
		rec, err := m.record()
		if err == nil && !yield(rec) {
			err = errStopped
		}
		return err
	}
	if _, _, err := m.sized(0); err != nil { // the key: a wrapper needs none
		return err
	}
	length, err := m.length()
	if err != nil || length < 0 {
		return err
	}
	packed := raw[int64(len(raw))-m.left:][:length]
	base := int64(0)
	if m.magic > 0 {
		last, err := lastOld(codec, packed)
		if err != nil {
			return err
		}
		base = m.offset - last
	}
	return eachPacked(codec, packed, func(inner *oldMessage) error {
		switch inner.offset += base; {
		case inner.magic != m.magic || inner.attributes&codecBits != 0:
			return fmt.Errorf("a message of version %d and codec %d in one of version %d", inner.magic, inner.attributes&codecBits, m.magic)
		case inner.offset > m.offset:
			return fmt.Errorf("a message at offset %d, and the last is %d", inner.offset, m.offset)
		case inner.offset < from:
			return nil
		}
		if m.attributes&appendTimeBit != 0 {
			inner.time = m.time
		}
		rec, err := inner.record()
		if err != nil {
			return err
		}
		if !yield(rec) {
			return errStopped
		}
		from = rec.Offset + 1
		return nil
	})
}

// lastOld is the offset of the last message that is packed. Those of version 1 are counted from the wrapper's beginning, and the wrapper has
// the offset of the last: so a set is unpacked twice, for it could be of any length to be kept.
func lastOld(codec codec, packed []byte) (last int64, err error) {
	err = eachPacked(codec, packed, func(m *oldMessage) error { last = m.offset; return nil })
	return last, err
}

// eachPacked calls fn with each message of a packed set in turn. What fn leaves of it is read past.
func eachPacked(codec codec, packed []byte, fn func(*oldMessage) error) error {
	unpacked, err := codec.open(packed)
	if err != nil {
		return err
	}
	defer unpacked.Close()
	r := reader{bufio.NewReaderSize(unpacked, 32<<10)}
	for {
		if _, err := r.Peek(1); errors.Is(err, io.EOF) {
			return nil
		}
		m, err := nextOld(&r)
		if err != nil {
			return err
		}
		if err := fn(&m); err != nil {
			return err
		}
		if err := m.skip(m.left); err != nil {
			return err
		}
	}
}

// oldMessage is a message of version 0 or 1, of which key and value are to be read yet.
type oldMessage struct {
	part
	offset     int64
	magic      byte
	attributes byte
	time       time.Time // version 0 has none
}

func nextOld(r *reader) (m oldMessage, err error) {
	var head [headBytes + leastOldBody]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return m, ending(err)
	}
	m.offset = int64(binary.BigEndian.Uint64(head[:]))
	m.part = part{reader: r, left: int64(int32(binary.BigEndian.Uint32(head[atLength:]))) - leastOldBody}
	m.magic, m.attributes = head[atMagic], head[atMagic+1]
	if m.left < 0 || m.magic >= firstMagicOfBatch {
		return m, fmt.Errorf("message at offset %d: %d bytes, version %d", m.offset, m.left+leastOldBody, m.magic)
	}
	if m.magic > 0 {
		ms, err := m.fixed(8)
		if err != nil {
			return m, err
		}
		m.time = timeOf(int64(ms))
	}
	return m, nil
}

func (m *oldMessage) record() (rec Record, err error) {
	rec.Offset, rec.Time = m.offset, m.time
	for _, to := range []*[]byte{&rec.Key, &rec.Value} {
		b, dropped, err := m.sized(PartBytes)
		if err != nil {
			return rec, err
		}
		*to = b
		rec.Dropped += dropped
	}
	return rec, nil
}

// sized reads a length and so many bytes, nil where there are none. More than room of them it reads past, and says how many.
func (m *oldMessage) sized(room int64) (b []byte, dropped int, err error) {
	length, err := m.length()
	switch {
	case err != nil || length < 0:
		return nil, 0, err
	case length > room:
		return nil, int(length), m.skip(length)
	}
	m.left -= length
	b = make([]byte, length)
	_, err = io.ReadFull(m.reader, b)
	return b, 0, ending(err)
}

// length reads one that is no more than what is left, or negative.
func (m *oldMessage) length() (int64, error) {
	n, err := m.fixed(4)
	length := int64(int32(n))
	if err == nil && length > m.left {
		err = errors.New("a message that is longer than it says")
	}
	return length, err
}

// fixed reads a number of so many bytes.
func (m *oldMessage) fixed(bytes int) (n uint64, err error) {
	for range bytes {
		b, err := m.ReadByte()
		if err != nil {
			return 0, ending(err)
		}
		n = n<<8 | uint64(b)
	}
	return n, nil
}
