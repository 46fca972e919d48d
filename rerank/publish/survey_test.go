package publish

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"testing"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"kilim/consumer/consumertest"
	"kilim/consumer/recordset"
)

// put sends a batch to the topic of lists as it is, as anyone may who can write there.
func (c *cluster) put(t *testing.T, raw []byte) {
	t.Helper()
	client := &kafka.Client{Addr: kafka.TCP(c.addr), Transport: &kafka.Transport{}}
	defer client.Transport.(*kafka.Transport).CloseIdleConnections()
	res, err := client.RawProduce(t.Context(), &kafka.RawProduceRequest{Topic: c.similar, RequiredAcks: kafka.RequireAll,
		RawRecords: protocol.RawRecordSet{Reader: bytes.NewReader(append(binary.BigEndian.AppendUint32(nil, uint32(len(raw))), raw...))}})
	if err == nil {
		err = res.Error
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestPeakMemory: somebody has put a batch into the topic of lists that unpacks to 192 MiB, half of it in records that are too large.
// What is alive at each message of it is one record and the codec's window.
func TestPeakMemory(t *testing.T) {
	const large, records = 8 << 20, 6
	c, m := newCluster(t, 1), newMemory()
	bomb := &consumertest.Batch{Producer: -1, Codec: consumertest.Codecs()[4]}
	for i := range int64(2 * records) {
		bomb.Records = append(bomb.Records, consumertest.BatchRecord{
			Offset: i, Key: []byte("k"), Zeros: large + i%2*recordset.PartBytes,
			Headers: [][2]string{{HeaderWriter, uuid + "/another"}, {HeaderSeq, "7"}},
		})
	}
	c.put(t, bomb.Bytes())
	p, err := New(c.config(t, m, &faults{}))
	if err != nil {
		t.Fatal(err)
	}
	alive := func() uint64 {
		runtime.GC()
		runtime.GC() // what pools held through the first
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	base, peak, seen := alive(), uint64(0), 0
	_, err = p.read(t.Context(), c.similar, p.spans, func(_ topicPartition, m *message) {
		peak = max(peak, alive())
		if seen++; m.value == nil || m.shortened != (m.offset%2 == 1) {
			t.Errorf("message %d: no value %v, shortened %v", m.offset, m.value == nil, m.shortened)
		}
	})
	if err != nil || seen != 2*records {
		t.Errorf("%d messages, %v", seen, err)
	}
	const most = large + recordset.WindowBytes + 8<<20
	if peak-base > most {
		t.Errorf("%d MiB were alive beside %d, want at most %d", (peak-base)>>20, base>>20, most>>20)
	}
}

// TestUnreadableBatch: a batch of somebody's that can't be unpacked holds nothing up, and what is around it is found.
func TestUnreadableBatch(t *testing.T) {
	t.Parallel()
	c, m := newCluster(t, 1), newMemory()
	if _, err := Look(t.Context(), c.config(t, m, &faults{})); err != nil {
		t.Fatal(err)
	}
	broken := &consumertest.Batch{Producer: -1, Codec: consumertest.Codecs()[1], Records: []consumertest.BatchRecord{{Key: []byte("a")}, {Offset: 1, Key: []byte("b")}}}
	before := m.copied()
	m.put(update("a", 1))
	deliver(t, c.config(t, m, &faults{}), m)
	c.put(t, broken.Around([]byte("no gzip")))
	m.put(update("b", 2))
	deliver(t, c.config(t, m, &faults{}), m)
	f, err := Look(t.Context(), c.config(t, before, &faults{}))
	if err != nil || f.Unknown != 2 || f.Revision != 2 {
		t.Errorf("%d unknown messages up to revision %d (%v), want 2 and 2", f.Unknown, f.Revision, err)
	}
}
