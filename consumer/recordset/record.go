package recordset

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"time"

	"github.com/segmentio/kafka-go"
)

// PartBytes is the most that is kept of a record's key, of its value, and of all of its headers with the structures around
// them: more than the 15 MiB that a topic of kilim's takes, packed.
const PartBytes = 16 << 20

// headerBytes is what a header costs beside its name and its value.
const headerBytes = 48

// Record is a record of a batch. Its bytes are the receiver's.
type Record struct {
	Offset  int64
	Time    time.Time
	Key     []byte // nil: none
	Value   []byte // nil: a tombstone
	Headers []kafka.Header
	Dropped int   // bytes of key, value and headers that were read past
	Fault   error // this and what is behind it in the batch can't be read
}

// Records gives the records from offset on. It can be called once.
func (b *Batch) Records(from int64) iter.Seq[Record] {
	if b.old != nil {
		return oldRecords(b.old, from)
	}
	return func(yield func(Record) bool) {
		next := max(b.first, from)
		fault := b.each(from, func(r Record) bool {
			next = r.Offset + 1
			return yield(r)
		})
		if fault != nil && !errors.Is(fault, errStopped) && next <= b.Last {
			yield(Record{Offset: next, Time: b.time(0), Fault: fmt.Errorf("offsets %d to %d: %w", next, b.Last, fault)})
		}
	}
}

var errStopped = errors.New("the receiver wants no more")

func (b *Batch) each(from int64, yield func(Record) bool) error {
	unpacked, err := b.codec.open(b.records)
	if err != nil {
		return err
	}
	defer unpacked.Close()
	r := reader{bufio.NewReaderSize(unpacked, 32<<10)}
	last := b.first - 1
	for range b.count {
		rec, err := b.record(&r, from)
		if err != nil {
			return err
		}
		if rec.Offset <= last || rec.Offset > b.Last {
			return fmt.Errorf("a record at offset %d after %d, and the last is %d", rec.Offset, last, b.Last)
		}
		last = rec.Offset
		if rec.Offset < from {
			continue // brokers send whole batches
		}
		if !yield(rec) {
			return errStopped
		}
	}
	return nil
}

// record reads the next record, of one before offset from only where it is.
func (b *Batch) record(r *reader, from int64) (rec Record, err error) {
	length, err := r.varint()
	if err != nil {
		return rec, err
	}
	if length < 0 || length > math.MaxInt32 {
		return rec, fmt.Errorf("a record of %d bytes", length)
	}
	body := part{reader: r, left: length}
	defer func() {
		if err == nil {
			err = body.skip(body.left)
		}
	}()
	if err := body.skip(1); err != nil { // attributes: none are defined
		return rec, err
	}
	timeDelta, err := body.varint()
	if err != nil {
		return rec, err
	}
	offsetDelta, err := body.varint()
	if err != nil {
		return rec, err
	}
	rec.Offset, rec.Time = b.first+offsetDelta, b.time(timeDelta)
	if rec.Offset < from {
		return rec, nil
	}
	if rec.Key, err = body.bytes(&rec.Dropped); err != nil {
		return rec, err
	}
	if rec.Value, err = body.bytes(&rec.Dropped); err != nil {
		return rec, err
	}
	return rec, body.headers(&rec)
}

// headers reads all headers or, when they are too many or too large, keeps none.
func (p *part) headers(rec *Record) error {
	count, err := p.varint()
	if err != nil {
		return err
	}
	if count < 0 || count > p.left {
		return fmt.Errorf("%d headers in %d bytes", count, p.left)
	}
	total, kept := 0, true
	if count > PartBytes/headerBytes {
		total, kept = 2*int(count), false // the lengths at least: all of them may be empty
	}
	for range count {
		name, err := p.header(kept, &total)
		if err != nil {
			return err
		}
		value, err := p.header(kept, &total)
		if err != nil {
			return err
		}
		if kept = kept && total <= PartBytes; kept {
			rec.Headers = append(rec.Headers, kafka.Header{Key: string(name), Value: value})
		}
	}
	if !kept {
		rec.Headers = nil
		rec.Dropped += total
	}
	return nil
}

// header reads a name or a value, when kept is set and there is room for it beside total, and reads past it otherwise.
func (p *part) header(kept bool, total *int) ([]byte, error) {
	room := -1
	if kept {
		room = PartBytes - *total
	}
	b, n, err := p.upTo(room)
	*total += n
	return b, err
}

// part is what is left of a record.
type part struct {
	*reader
	left int64
}

func (p *part) varint() (int64, error) {
	v, err := binary.ReadVarint(p)
	return v, ending(err)
}

func (p *part) ReadByte() (byte, error) {
	if p.left <= 0 {
		return 0, errors.New("a record that is longer than it says")
	}
	p.left--
	return p.reader.ReadByte()
}

// skip reads past n bytes.
func (p *part) skip(n int64) error {
	if n > p.left {
		return errors.New("a record that is longer than it says")
	}
	p.left -= n
	_, err := io.CopyN(io.Discard, p.reader, n)
	return ending(err)
}

// bytes reads a key or a value. One of more than PartBytes it reads past, and adds its length to dropped.
func (p *part) bytes(dropped *int) ([]byte, error) {
	b, n, err := p.upTo(PartBytes)
	if n > PartBytes {
		*dropped += n
	}
	return b, err
}

// upTo reads a length n and so many bytes, or reads past them when there is no room for n. Without a value n is 0.
func (p *part) upTo(room int) (b []byte, n int, err error) {
	length, err := p.varint()
	switch {
	case err != nil || length < 0:
		return nil, 0, err
	case length > p.left:
		return nil, 0, errors.New("a record that is longer than it says")
	case length > int64(room):
		return nil, int(length), p.skip(length)
	}
	p.left -= length
	b = make([]byte, length)
	_, err = io.ReadFull(p.reader, b)
	return b, int(length), ending(err)
}

// reader is the unpacked rest of a batch.
type reader struct{ *bufio.Reader }

func (r *reader) varint() (int64, error) {
	v, err := binary.ReadVarint(r)
	return v, ending(err)
}

// ending says of an end that it comes too early: the number of records is known before.
func ending(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
