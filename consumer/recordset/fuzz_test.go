package recordset

import (
	"bytes"
	"io"
	"testing"

	"github.com/klauspost/compress/s2"

	"kilim/consumer/consumertest"
)

// FuzzBatches: whatever is in the batches, their records come in order, within the offsets of their heads, and a fault is the last of its batch.
func FuzzBatches(f *testing.F) {
	for _, codec := range consumertest.Codecs() {
		b := consumertest.Batch{First: 7, Codec: codec, Records: []consumertest.BatchRecord{
			{Offset: 7, Key: []byte("k"), Value: []byte("v"), Headers: [][2]string{{"n", "h"}}}, {Offset: 9, Zeros: 3000},
		}}
		f.Add(int8(codec.Bits), b.Pack(), int32(2))
	}
	f.Add(int8(9), []byte{2, 0, 0, 0, 0, 0}, int32(-1))
	f.Fuzz(func(t *testing.T, attributes int8, packed []byte, count int32) {
		head := consumertest.Batch{First: 7, Last: 20, Attributes: int16(attributes), Claim: count}
		for b, err := range Batches(head.Around(packed)) {
			if err != nil {
				t.Fatal(err)
			}
			var last Record
			for r := range b.Records(8) {
				if last.Fault != nil || r.Offset <= max(7, last.Offset) || r.Offset > b.Last || len(r.Key) > PartBytes || len(r.Value) > PartBytes {
					t.Fatalf("%+v after %+v", r, last)
				}
				last = r
			}
		}
	})
}

// FuzzHeads: bytes that are no batch are an error, and the end is reached.
func FuzzHeads(f *testing.F) {
	b := consumertest.Batch{First: 7, Records: []consumertest.BatchRecord{{Offset: 7, Key: []byte("k")}}}
	f.Add(b.Bytes())
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x19\x8d\xb5\x4f\x16\x00\x00\x00\x00\x00\x01a\x00\x00\x00\x06abcdef"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		for b, err := range Batches(raw) {
			if err != nil {
				return
			}
			for range b.Records(0) {
			}
		}
	})
}

// FuzzSnappy: what snappyReader takes for one block is what the library makes of it.
func FuzzSnappy(f *testing.F) {
	f.Add(s2.EncodeSnappy(nil, bytes.Repeat([]byte("abcabcd"), 99)))
	f.Add(s2.EncodeSnappyBest(nil, append(make([]byte, 900), 1, 2, 3)))
	f.Fuzz(func(t *testing.T, block []byte) {
		got, err := io.ReadAll(newSnappy(bytes.NewReader(block)))
		if err != nil || bytes.HasPrefix(block, xerialMagic) {
			return
		}
		// What comes behind the block is left alone here, and no error: the number of records says where a batch ends.
		if want, wrong := s2.Decode(nil, block); wrong == nil && !bytes.Equal(got, want) {
			t.Fatalf("%d bytes, want %d", len(got), len(want))
		}
	})
}
