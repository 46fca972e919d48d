package consumertest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"slices"

	"github.com/klauspost/compress/snappy"
	"github.com/segmentio/kafka-go/compress"
)

// Batch is a record batch as a broker sends it.
type Batch struct {
	First, Last int64 // Last 0: the offset of the last record
	Producer    int64
	Attributes  int16 // beside the codec
	Codec       Codec
	Records     []BatchRecord
	Claim       int32 // more records than are there
}

// BatchRecord is a record of a Batch.
type BatchRecord struct {
	Offset     int64
	Key, Value []byte
	Zeros      int64 // so many zeros instead of Value, made while they are packed
	Headers    [][2]string
}

// Codec packs a batch.
type Codec struct {
	Name string
	Bits int16
	open func(io.Writer) io.WriteCloser
}

// Codecs are the codecs of Kafka's clients, snappy in both of its forms.
func Codecs() []Codec {
	of := func(c compress.Compression) Codec {
		return Codec{Name: c.String(), Bits: int16(c), open: func(w io.Writer) io.WriteCloser { return c.Codec().NewWriter(w) }}
	}
	return []Codec{
		{Name: "none", open: func(w io.Writer) io.WriteCloser { return plain{w} }},
		of(compress.Gzip), of(compress.Snappy), of(compress.Lz4), of(compress.Zstd),
		{Name: "bare snappy", Bits: int16(compress.Snappy), open: func(w io.Writer) io.WriteCloser { return &bareSnappy{to: w} }},
	}
}

type plain struct{ io.Writer }

func (plain) Close() error { return nil }

// bareSnappy is the form of librdkafka and franz-go: one block. Its copies are from less than 64 KiB before, as the reference encoder writes
// them.
type bareSnappy struct {
	bytes.Buffer
	to io.Writer
}

func (b *bareSnappy) Close() error {
	out := binary.AppendUvarint(nil, uint64(b.Len()))
	for piece := range slices.Chunk(b.Bytes(), 64<<10) {
		packed := snappy.Encode(nil, piece)
		_, size := binary.Uvarint(packed)
		out = append(out, packed[size:]...)
	}
	_, err := b.to.Write(out)
	return err
}

// Pack is what the records of b are packed to.
func (b *Batch) Pack() []byte {
	var packed bytes.Buffer
	if b.Codec.open == nil {
		b.Codec = Codecs()[0]
	}
	w := b.Codec.open(&packed)
	for i := range b.Records {
		must(b.Records[i].write(w, b.First))
	}
	must(w.Close())
	return packed.Bytes()
}

// Bytes is the batch as it is sent.
func (b *Batch) Bytes() []byte { return b.Around(b.Pack()) }

// Around is the batch with other packed records.
func (b *Batch) Around(packed []byte) []byte {
	last := b.Last
	if n := len(b.Records); last == 0 && n > 0 {
		last = b.Records[n-1].Offset
	}
	be := binary.BigEndian
	tail := be.AppendUint16(nil, uint16(b.Attributes|b.Codec.Bits))
	tail = be.AppendUint32(tail, uint32(last-b.First))
	tail = be.AppendUint64(tail, 1000) // first time
	tail = be.AppendUint64(tail, 2000) // last time
	tail = be.AppendUint64(tail, uint64(b.Producer))
	tail = append(tail, make([]byte, 6)...) // epoch and sequence
	tail = be.AppendUint32(tail, uint32(len(b.Records))+uint32(b.Claim))
	tail = append(tail, packed...)
	out := be.AppendUint64(nil, uint64(b.First))
	out = be.AppendUint32(out, uint32(4+1+4+len(tail)))
	out = append(out, 0, 0, 0, 0, 2)
	out = be.AppendUint32(out, crc32.Checksum(tail, crc32.MakeTable(crc32.Castagnoli)))
	return append(out, tail...)
}

func (r *BatchRecord) write(w io.Writer, first int64) error {
	sized := func(out, b []byte) []byte {
		if b == nil {
			return binary.AppendVarint(out, -1)
		}
		return append(binary.AppendVarint(out, int64(len(b))), b...)
	}
	before := binary.AppendVarint([]byte{0}, 5) // attributes, time
	before = binary.AppendVarint(before, r.Offset-first)
	before = sized(before, r.Key)
	if r.Zeros > 0 {
		before = binary.AppendVarint(before, r.Zeros)
	} else {
		before = sized(before, r.Value)
	}
	after := binary.AppendVarint(nil, int64(len(r.Headers)))
	for _, h := range r.Headers {
		after = sized(sized(after, []byte(h[0])), []byte(h[1]))
	}
	head := binary.AppendVarint(nil, int64(len(before))+r.Zeros+int64(len(after)))
	if _, err := w.Write(append(head, before...)); err != nil {
		return err
	}
	zeros := make([]byte, 64<<10)
	for left := r.Zeros; left > 0; {
		n, err := w.Write(zeros[:min(left, int64(len(zeros)))])
		if err != nil {
			return err
		}
		left -= int64(n)
	}
	_, err := w.Write(after)
	return err
}

func must(err error) {
	if err != nil {
		panic(fmt.Sprintf("consumertest: %v", err)) // writing into memory
	}
}
