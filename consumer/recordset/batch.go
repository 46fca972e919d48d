package recordset

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"iter"
	"time"
)

// Places in a batch of version 2 (https://kafka.apache.org/documentation/#recordbatch). The magic number has its place in
// messages of all versions.
const (
	atLength     = 8
	headBytes    = atLength + 4 // what the length does not count
	atMagic      = headBytes + 4
	atSum        = atMagic + 1
	atAttributes = atSum + 4 // what the sum covers begins here
	atLastDelta  = atAttributes + 2
	atFirstTime  = atLastDelta + 4
	atMaxTime    = atFirstTime + 8
	atProducer   = atMaxTime + 8
	atCount      = atProducer + 8 + 2 + 4
	atRecords    = atCount + 4
)

// Bits of a batch's attributes.
const (
	codecBits         = 0x07
	appendTimeBit     = 0x08
	transactionalBit  = 0x10
	controlBit        = 0x20
	firstMagicOfBatch = 2
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Batch is what the head of a batch says.
type Batch struct {
	Last          int64 // offset of its last record, whether that is still there or not
	Producer      int64
	Transactional bool
	Control       bool // it holds the end of a transaction, or what brokers tell each other

	first      int64
	codec      codec
	appendTime bool
	firstTime  int64
	maxTime    int64
	count      int32
	records    []byte // packed
	old        []byte // instead of records: a whole message of version 0 or 1
}

// Batches gives the batches that raw begins with, up to one that is not there whole: brokers may cut an answer off. It ends with an error
// at a batch that is damaged, and where not even the first is whole.
func Batches(raw []byte) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		for whole := 0; len(raw) > 0; whole++ {
			b, size, err := parse(raw)
			switch {
			case errors.Is(err, errCut) && whole > 0:
				return
			case err != nil:
				yield(nil, err)
				return
			case !yield(b, nil):
				return
			}
			raw = raw[size:]
		}
	}
}

var errCut = errors.New("recordset: the answer ends within its first batch")

func parse(raw []byte) (*Batch, int64, error) {
	if len(raw) <= atMagic {
		return nil, 0, errCut
	}
	first := int64(binary.BigEndian.Uint64(raw))
	size := headBytes + int64(int32(binary.BigEndian.Uint32(raw[atLength:])))
	if size <= atMagic {
		return nil, 0, fmt.Errorf("recordset: batch at offset %d: a length of %d bytes", first, size-headBytes)
	}
	if size > int64(len(raw)) {
		return nil, 0, errCut
	}
	raw = raw[:size]
	switch magic := raw[atMagic]; {
	case magic < firstMagicOfBatch:
		return &Batch{Last: first, Producer: -1, old: raw}, size, nil
	case magic > firstMagicOfBatch:
		return nil, 0, fmt.Errorf("recordset: batch at offset %d: version %d, and 0 to 2 are known", first, magic)
	case size < atRecords:
		return nil, 0, fmt.Errorf("recordset: batch at offset %d: %d bytes are no whole head", first, size)
	}
	want, sum := binary.BigEndian.Uint32(raw[atSum:]), crc32.Checksum(raw[atAttributes:], castagnoli)
	if sum != want {
		return nil, 0, fmt.Errorf("recordset: batch at offset %d: checksum %08x, its head says %08x", first, sum, want)
	}
	attributes := binary.BigEndian.Uint16(raw[atAttributes:])
	return &Batch{
		Last:          first + int64(int32(binary.BigEndian.Uint32(raw[atLastDelta:]))),
		Producer:      int64(binary.BigEndian.Uint64(raw[atProducer:])),
		Transactional: attributes&transactionalBit != 0,
		Control:       attributes&controlBit != 0,
		first:         first,
		codec:         codec(attributes & codecBits),
		appendTime:    attributes&appendTimeBit != 0,
		firstTime:     int64(binary.BigEndian.Uint64(raw[atFirstTime:])),
		maxTime:       int64(binary.BigEndian.Uint64(raw[atMaxTime:])),
		count:         int32(binary.BigEndian.Uint32(raw[atCount:])),
		records:       raw[atRecords:],
	}, size, nil
}

// time is that of a record: its own, or the broker's for the whole batch, as the topic is set.
func (b *Batch) time(delta int64) time.Time {
	if b.appendTime {
		return time.UnixMilli(b.maxTime)
	}
	return time.UnixMilli(b.firstTime + delta)
}
