package recordset

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

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
