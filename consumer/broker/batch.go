package broker

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"time"

	"github.com/segmentio/kafka-go/compress"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Places and bits in a record batch, version 2
// (https://kafka.apache.org/documentation/#recordbatch).
const (
	batchHead         = 12 // base offset and length, which counts what follows
	batchCRC          = 17 // the checksum covers what follows it
	codecBits         = 0x07
	transactionalBits = 0x10 | 0x20
)

// maxUnpackedBytes bounds the records of a batch that is to be compacted.
const maxUnpackedBytes = 8 * maxBatchBytes

// batch is a record batch as it is in a segment.
type batch struct {
	kmsg.RecordBatch
	raw []byte
}

// entry is a record of a batch.
type entry struct {
	kmsg.Record
	offset int64
	time   time.Time
}

// eachBatch calls fn for the whole, correct batches that raw begins with and returns how
// many bytes are left behind them.
func eachBatch(raw []byte, fn func(batch) error) (rest int, err error) {
	for len(raw) > batchCRC+4 {
		size := batchHead + int64(binary.BigEndian.Uint32(raw[8:]))
		if size <= batchCRC+4 || size > int64(len(raw)) {
			break
		}
		b := batch{raw: raw[:size]}
		sum := binary.BigEndian.Uint32(raw[batchCRC:])
		if crc32.Checksum(b.raw[batchCRC+4:], crc32.MakeTable(crc32.Castagnoli)) != sum || b.ReadFrom(b.raw) != nil {
			break
		}
		if err := fn(b); err != nil {
			return len(raw), err
		}
		raw = raw[size:]
	}
	return len(raw), nil
}

// each calls fn for the records of the batch. Its keys and values are only valid
// during the call.
func (b *batch) each(fn func(entry)) error {
	if b.Attributes&transactionalBits != 0 {
		return fmt.Errorf("batch at offset %d is part of a transaction", b.FirstOffset)
	}
	codec := kgo.CompressionCodecType(b.Attributes & codecBits)
	records, err := unpack(b.Records, compress.Compression(codec))
	if err != nil {
		return fmt.Errorf("batch at offset %d: %w", b.FirstOffset, err)
	}
	for range b.NumRecords {
		length, n := binary.Varint(records)
		if n <= 0 || length < 0 || length > int64(len(records)-n) {
			return fmt.Errorf("batch at offset %d: a record is longer than the batch", b.FirstOffset)
		}
		r := entry{Record: kmsg.NewRecord()}
		if err := r.ReadFrom(records[:n+int(length)]); err != nil {
			return fmt.Errorf("batch at offset %d: %w", b.FirstOffset, err)
		}
		r.offset = b.FirstOffset + int64(r.OffsetDelta)
		r.time = time.UnixMilli(b.FirstTimestamp + r.TimestampDelta64)
		fn(r)
		records = records[n+int(length):]
	}
	return nil
}

// appendKept appends the batch with only those records that keep wants; nothing if
// there are none. Offsets, timestamps and the codec stay. A batch that would not get smaller
// is appended as it is: a superseded record more does no harm.
func (b *batch) appendKept(out []byte, keep func(entry) bool) ([]byte, error) {
	var kept []byte
	count, last, newest := int32(0), int32(0), b.FirstTimestamp
	if err := b.each(func(r entry) {
		if keep(r) {
			kept = r.AppendTo(kept)
			count, last, newest = count+1, r.OffsetDelta, max(newest, r.time.UnixMilli())
		}
	}); err != nil {
		return nil, err
	}
	switch count {
	case 0:
		return out, nil
	case b.NumRecords:
		return append(out, b.raw...), nil
	}
	packed, err := pack(kept, kgo.CompressionCodecType(b.Attributes&codecBits))
	if err != nil {
		return nil, fmt.Errorf("batch at offset %d: %w", b.FirstOffset, err)
	}
	small := b.RecordBatch
	small.NumRecords, small.LastOffsetDelta, small.MaxTimestamp, small.Records = count, last, newest, packed
	raw := small.AppendTo(nil)
	if len(raw) >= len(b.raw) {
		return append(out, b.raw...), nil
	}
	binary.BigEndian.PutUint32(raw[8:], uint32(len(raw)-batchHead))
	binary.BigEndian.PutUint32(raw[batchCRC:], crc32.Checksum(raw[batchCRC+4:], crc32.MakeTable(crc32.Castagnoli)))
	return append(out, raw...), nil
}

// unpack decompresses as much as maxUnpackedBytes: some kilobytes can say that they are gigabytes, at each start anew.
func unpack(records []byte, codec compress.Compression) ([]byte, error) {
	if codec == compress.None {
		return records, nil
	}
	c := codec.Codec()
	if c == nil {
		return nil, fmt.Errorf("compression codec %d is unknown", codec)
	}
	r := c.NewReader(bytes.NewReader(records))
	out, err := io.ReadAll(io.LimitReader(r, maxUnpackedBytes+1))
	if err = errors.Join(err, r.Close()); err != nil {
		return nil, err
	}
	if len(out) > maxUnpackedBytes {
		return nil, fmt.Errorf("%d bytes unpack to more than %d", len(records), maxUnpackedBytes)
	}
	return out, nil
}

// pack compresses with the codec of the original batch.
func pack(records []byte, codec kgo.CompressionCodecType) ([]byte, error) {
	codecs := map[kgo.CompressionCodecType]kgo.CompressionCodec{
		kgo.CodecGzip: kgo.GzipCompression(), kgo.CodecSnappy: kgo.SnappyCompression(),
		kgo.CodecLz4: kgo.Lz4Compression(), kgo.CodecZstd: kgo.ZstdCompression(),
	}
	if codec == kgo.CodecNone {
		return records, nil
	}
	chosen, ok := codecs[codec]
	if !ok {
		return nil, fmt.Errorf("compression codec %d is unknown", codec)
	}
	c, err := kgo.DefaultCompressor(chosen)
	if err != nil {
		return nil, err
	}
	packed, used := c.Compress(new(bytes.Buffer), records)
	if used != codec {
		return nil, fmt.Errorf("asked for compression codec %d, got %d", codec, used)
	}
	return packed, nil
}
