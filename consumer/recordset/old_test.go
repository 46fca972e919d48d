package recordset

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/segmentio/kafka-go/compress"
	"github.com/segmentio/kafka-go/protocol"

	"kilim/consumer/consumertest"
)

// oldSet is a message set of version 1, as brokers before Kafka 0.11 keep it, from offset first on.
func oldSet(t *testing.T, attributes protocol.Attributes, first, n int64) []byte {
	t.Helper()
	var records []protocol.Record
	for i := range n {
		records = append(records, protocol.Record{
			Offset: i, Key: protocol.NewBytes(fmt.Appendf(nil, "k%d", first+i)), Value: protocol.NewBytes([]byte("v")),
		})
	}
	var out bytes.Buffer
	if _, err := (&protocol.RecordSet{Version: 1, Attributes: attributes, Records: protocol.NewRecordReader(records...)}).WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	raw := out.Bytes()[4:] // without the size of the set
	for at := 0; at < len(raw); {
		last := int64(binary.BigEndian.Uint64(raw[at:]))
		if attributes != 0 {
			last = n - 1 // a wrapper has the offset of its last message
		}
		binary.BigEndian.PutUint64(raw[at:], uint64(first+last))
		at += headBytes + int(binary.BigEndian.Uint32(raw[at+atLength:]))
	}
	return raw
}

func TestOldMessages(t *testing.T) {
	t.Parallel()
	newer := consumertest.Batch{First: 30, Records: []consumertest.BatchRecord{{Offset: 30, Key: []byte("k30"), Value: []byte("v")}}}
	for _, attributes := range []protocol.Attributes{0, protocol.Gzip, protocol.Snappy, protocol.Lz4} {
		var got []string
		for _, r := range all(t, append(oldSet(t, attributes, 20, 4), newer.Bytes()...), 21) {
			got = append(got, fmt.Sprintf("%d %s %s %v", r.Offset, r.Key, r.Value, r.Fault))
		}
		want := []string{"21 k21 v <nil>", "22 k22 v <nil>", "23 k23 v <nil>", "30 k30 v <nil>"}
		if !slices.Equal(got, want) {
			t.Errorf("%v: %s, want %s", attributes, strings.Join(got, ", "), strings.Join(want, ", "))
		}
	}
}

// TestOldDamaged: a message that can't be read is a fault, and what is behind it is read.
func TestOldDamaged(t *testing.T) {
	t.Parallel()
	raw := oldSet(t, protocol.Gzip, 20, 4)
	raw[len(raw)-20] ^= 0xff
	got := all(t, append(raw, oldSet(t, 0, 24, 1)...), 0)
	if n := len(got); n < 2 || got[n-1].Offset != 24 || got[n-2].Fault == nil || got[n-2].Offset > 23 {
		t.Errorf("%+v", got)
	}
}

// TestOldVersions: offsets in messages of version 0 are the log's, of version 1 the set's, with holes that compaction has left.
func TestOldVersions(t *testing.T) {
	t.Parallel()
	for magic, offsets := range [][]int64{{100, 103, 107}, {0, 3, 7}} {
		var set []byte
		for _, o := range offsets {
			set = append(set, oldMessageBytes(byte(magic), 0, o, []byte("k"), []byte("v"))...)
		}
		for _, from := range []int64{0, 103, 104, 108} {
			var got, want []int64
			for _, r := range all(t, oldWrapper(t, byte(magic), compress.Gzip, 107, set), from) {
				if r.Fault != nil {
					t.Fatal(r.Fault)
				}
				got = append(got, r.Offset)
			}
			for _, o := range []int64{100, 103, 107} {
				if o >= from {
					want = append(want, o)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("version %d from %d: %d, want %d", magic, from, got, want)
			}
		}
	}
}

// TestOldBombs: 96 MiB in one message, half of it in values that are too large. What is alive at each is one value and what the codec
// needs.
func TestOldBombs(t *testing.T) {
	const large, records = 8 << 20, 3
	for _, codec := range []compress.Compression{compress.Gzip, compress.Snappy, compress.Lz4} {
		var packed bytes.Buffer
		w := codec.Codec().NewWriter(&packed)
		for i := range int64(2 * records) {
			if _, err := w.Write(oldMessageBytes(1, 0, i, nil, make([]byte, large+i%2*PartBytes))); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		bomb := oldMessageBytes(1, byte(codec), 2*records-1, nil, packed.Bytes())
		base, peak, next := alive(), uint64(0), int64(0)
		for b, err := range Batches(bomb) {
			if err != nil {
				t.Fatal(err)
			}
			for r := range b.Records(0) {
				peak = max(peak, alive())
				if r.Fault != nil || r.Offset != next || (r.Dropped > 0) != (next%2 == 1) || r.Dropped == 0 && len(r.Value) != large {
					t.Fatalf("%v: offset %d, %d bytes, %d dropped, %v; want offset %d", codec, r.Offset, len(r.Value), r.Dropped, r.Fault, next)
				}
				next++
			}
		}
		const most = large + WindowBytes + 8<<20
		if next != 2*records || peak-base > most {
			t.Errorf("%v: %d records, %d MiB were alive beside %d, want at most %d", codec, next, (peak-base)>>20, base>>20, most>>20)
		}
	}
}

func alive() uint64 {
	runtime.GC()
	runtime.GC() // what pools held through the first
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// oldMessageBytes is a message of version 0 or 1.
func oldMessageBytes(magic, attributes byte, offset int64, key, value []byte) []byte {
	be := binary.BigEndian
	body := []byte{magic, attributes}
	if magic > 0 {
		body = be.AppendUint64(body, 1000)
	}
	for _, b := range [][]byte{key, value} {
		length := uint32(len(b))
		if b == nil {
			length = 1<<32 - 1
		}
		body = append(be.AppendUint32(body, length), b...)
	}
	out := be.AppendUint64(nil, uint64(offset))
	out = be.AppendUint32(out, uint32(4+len(body)))
	return append(be.AppendUint32(out, crc32.ChecksumIEEE(body)), body...)
}

// oldWrapper is a message in which a set is packed.
func oldWrapper(t testing.TB, magic byte, codec compress.Compression, offset int64, set []byte) []byte {
	var packed bytes.Buffer
	w := codec.Codec().NewWriter(&packed)
	_, err := w.Write(set)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return oldMessageBytes(magic, byte(codec), offset, nil, packed.Bytes())
}
