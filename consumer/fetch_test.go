package consumer

import (
	"context"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"kilim/consumer/consumertest"
	"kilim/consumer/kafkaconn"
	"kilim/consumer/profile"
	"kilim/consumer/recordset"
)

var _ Cluster = (*kafkaconn.Conn)(nil)

func batch(last int64, offsets ...int64) *consumertest.Batch {
	b := &consumertest.Batch{First: 7, Last: last}
	for _, o := range offsets {
		b.Records = append(b.Records, consumertest.BatchRecord{Offset: o, Value: []byte("v")})
	}
	return b
}

func answerOf(batches ...*consumertest.Batch) *kmsg.FetchResponseTopicPartition {
	part := kmsg.NewFetchResponseTopicPartition()
	part.HighWatermark, part.LastStableOffset = 50, 45
	for _, b := range batches {
		part.RecordBatches = append(part.RecordBatches, b.Bytes()...)
	}
	return &part
}

// TestReadAnswers: what a page says of answers that a broker gives rarely.
func TestReadAnswers(t *testing.T) {
	t.Parallel()
	const offset = 10
	control := batch(12, 12)
	control.Attributes = 0x20
	type batches = []*consumertest.Batch
	tests := []struct {
		name    string
		batches batches
		records []int64
		next    int64
	}{
		{"nothing", nil, nil, 10},
		{"a batch that begins before", batches{batch(11, 8, 9, 10, 11)}, []int64{10, 11}, 12},
		{"holes of compaction", batches{batch(13, 8, 13), batch(20, 20)}, []int64{13, 20}, 21},
		{"a marker only", batches{control}, nil, 13},
		{"the last record compacted away", batches{batch(10, 7, 8)}, nil, 11},
		{"an emptied batch", batches{batch(10_009)}, nil, 10_010},
		{"an emptied batch, then records", batches{batch(39), batch(40, 40)}, []int64{40}, 41},
	}
	for _, tt := range tests {
		pg, err := read(TopicPartition{"t", 1}, offset, answerOf(tt.batches...))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		var records []Record
		for r := range pg.records() {
			records = append(records, r)
		}
		if pg.next != tt.next || pg.end != 45 || len(records) != len(tt.records) {
			t.Errorf("%s: got %+v, %d records, want next %d", tt.name, pg, len(records), tt.next)
			continue
		}
		for i, want := range tt.records {
			if r := records[i]; r.Offset != want || r.Topic != "t" || r.Partition != 1 || r.Key != nil || string(r.Value) != "v" {
				t.Errorf("%s: record %d is %+v, want offset %d", tt.name, i, r, want)
			}
		}
	}
	if pg, err := read(TopicPartition{"t", 1}, offset, answerOf(batch(9, 7, 8))); err == nil {
		t.Errorf("batches that end before the asked offset: %+v", pg)
	}
}

// TestDamagedBatch: records before a damaged batch are given, and the damage is told when it is all that there is.
func TestDamagedBatch(t *testing.T) {
	t.Parallel()
	part := answerOf(batch(11, 10, 11), batch(13, 12, 13))
	part.RecordBatches[len(part.RecordBatches)-1]++
	if pg, err := read(TopicPartition{"t", 1}, 10, part); err != nil || pg.next != 12 {
		t.Errorf("next %d, %v", pg.next, err)
	}
	if pg, err := read(TopicPartition{"t", 1}, 12, part); err == nil {
		t.Errorf("taken, next %d", pg.next)
	}
}

// TestAbortedAreNotUnpacked: which batches of transactions are read, by the list of aborted ones and the markers between.
func TestAbortedAreNotUnpacked(t *testing.T) {
	t.Parallel()
	of := func(producer int64, attributes int16, offset int64) *consumertest.Batch {
		return &consumertest.Batch{First: offset, Producer: producer, Attributes: attributes, Records: []consumertest.BatchRecord{{Offset: offset}}}
	}
	const transactional, marker = 0x10, 0x30
	part := answerOf(of(1, transactional, 10), of(2, transactional, 11), of(-1, 0, 12), of(1, marker, 13), of(1, transactional, 14), of(1, marker, 15),
		of(2, transactional, 16), of(2, marker, 17), of(2, transactional, 18), of(2, marker, 19))
	for _, a := range [][2]int64{{2, 11}, {1, 10}} {
		tx := kmsg.NewFetchResponseTopicPartitionAbortedTransaction()
		tx.ProducerID, tx.FirstOffset = a[0], a[1]
		part.AbortedTransactions = append(part.AbortedTransactions, tx)
	}
	pg, err := read(TopicPartition{"t", 1}, 10, part)
	if err != nil {
		t.Fatal(err)
	}
	var got []int64
	for r := range pg.records() {
		got = append(got, r.Offset)
	}
	if want := []int64{12, 14, 18}; !slices.Equal(got, want) || pg.next != 20 {
		t.Errorf("read %d, want %d", got, want)
	}
}

// TestLargeParts: what is more than any topic takes is not kept, and refused with its size.
func TestLargeParts(t *testing.T) {
	t.Parallel()
	large := make([]byte, recordset.PartBytes+1)
	whole := large[:recordset.PartBytes]
	for _, tt := range []struct {
		name       string
		key, value []byte
		header     []byte
		dropped    int
	}{
		{"value", []byte("k"), large, []byte("h"), recordset.PartBytes + 1},
		{"key", large, []byte("v"), []byte("h"), recordset.PartBytes + 1},
		{"headers", []byte("k"), []byte("v"), large, recordset.PartBytes + 2},
		{"all", large, large, large, 3*recordset.PartBytes + 4},
		{"value at the limit", []byte("k"), whole, nil, 0},
		{"headers at the limit", nil, nil, large[:recordset.PartBytes-1], 0},
	} {
		b := &consumertest.Batch{First: 10, Records: []consumertest.BatchRecord{
			{Offset: 10, Key: tt.key, Value: tt.value, Headers: [][2]string{{"n", string(tt.header)}}},
		}}
		pg, err := read(TopicPartition{"t", 1}, 10, answerOf(b))
		var records []Record
		for r := range pg.records() {
			records = append(records, r)
		}
		if err != nil || len(records) != 1 || pg.next != 11 {
			t.Errorf("%s: %v, %d records", tt.name, err, len(records))
			continue
		}
		rec := records[0]
		if rec.Dropped != tt.dropped {
			t.Errorf("%s: %d bytes dropped, want %d", tt.name, rec.Dropped, tt.dropped)
		}
		if tt.dropped == 0 {
			continue
		}
		if rec.size() > recordset.PartBytes {
			t.Errorf("%s: %d bytes are kept", tt.name, rec.size())
		}
		item := Decode(rec, profile.Limits{})
		if item.Refusal == nil || item.Refusal.Reason != profile.ReasonTooLarge || item.Refusal.Value != strconv.Itoa(tt.dropped) {
			t.Errorf("%s: refusal %v", tt.name, item.Refusal)
			continue
		}
		if _, _, headers := DeadLetter(&item); string(headers[len(headers)-1].Value) != strconv.Itoa(tt.dropped) {
			t.Errorf("%s: the dead letter has the headers %q", tt.name, headers)
		}
	}
}

// produceRaw sends a batch as it is.
func produceRaw(t *testing.T, client *kgo.Client, topic string, partition int32, b *consumertest.Batch) {
	t.Helper()
	produceBytes(t, client, topic, partition, b.Bytes())
}

func produceBytes(t *testing.T, client *kgo.Client, topic string, partition int32, raw []byte) {
	t.Helper()
	part := kmsg.NewProduceRequestTopicPartition()
	part.Partition, part.Records = partition, raw
	sent := kmsg.NewProduceRequestTopic()
	sent.Topic, sent.Partitions = topic, []kmsg.ProduceRequestTopicPartition{part}
	req := kmsg.NewPtrProduceRequest()
	req.Version, req.Acks, req.TimeoutMillis, req.Topics = 7, -1, 10_000, []kmsg.ProduceRequestTopic{sent}
	eventually(t, "the broker knows the new topic", func() bool {
		res, err := req.RequestWith(t.Context(), client)
		if err != nil {
			t.Fatal(err)
		}
		code := kafka.Error(res.Topics[0].Partitions[0].ErrorCode)
		if code != 0 && code != kafka.UnknownTopicOrPartition {
			t.Fatalf("produce: %v", code)
		}
		return code == 0
	})
}

// TestPeakMemory: two partitions have each a batch that unpacks to 192 MiB, of which 48 MiB are kept, and the others are too large.
// What is alive whenever a batch is applied is bounded by the sum that doc.go states.
func TestPeakMemory(t *testing.T) {
	const inFlight, large, records, partitions = 4 << 20, 8 << 20, 6, 2
	_, cluster := startBroker(t, kfake.SeedTopics(partitions, topic))
	zstd := consumertest.Codecs()[4]
	client := testClient(t, cluster, kgo.MaxVersions(kversion.V2_4_0())) // later ones name topics by id
	for p := range int32(partitions) {
		bomb := &consumertest.Batch{Producer: -1, Codec: zstd}
		for i := range int64(2 * records) {
			bomb.Records = append(bomb.Records, consumertest.BatchRecord{Offset: i, Zeros: large + i%2*recordset.PartBytes})
		}
		produceRaw(t, client, topic, p, bomb)
	}
	alive := func() uint64 {
		runtime.GC()
		runtime.GC() // what pools held through the first
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	base, peak := alive(), uint64(0)
	sink := newStore()
	dropped := 0
	sink.before = func(_ context.Context, b *Batch) error {
		peak = max(peak, alive())
		for i := range b.Items {
			b.Items[i].Value = nil // the sink keeps all items
			if b.Items[i].Dropped > 0 {
				dropped++
			}
		}
		return nil
	}
	cfg := testConfig()
	cfg.InFlightBytes = inFlight
	startMember(t, cfg, cluster, sink)
	sink.wait(t, 2*records*partitions)
	if dropped != records*partitions {
		t.Errorf("%d records were dropped, want %d", dropped, records*partitions)
	}
	// In flight: one record, which is larger than the budget. Ahead of it: one more, with the reader's growing answer. The rest is
	// the window, a chunk and the broker.
	const most = 2*large + recordset.WindowBytes + 16<<20
	if peak-base > most {
		t.Errorf("%d MiB were alive beside %d, want at most %d", (peak-base)>>20, base>>20, most>>20)
	}
}

// TestUnreadableIsADeadLetter: a batch that can't be unpacked is told by its offsets, and reading goes on behind it.
func TestUnreadableIsADeadLetter(t *testing.T) {
	t.Parallel()
	_, cluster := startBroker(t, kfake.SeedTopics(1, topic))
	client := testClient(t, cluster, kgo.MaxVersions(kversion.V2_4_0()))
	broken := &consumertest.Batch{Producer: -1, Codec: consumertest.Codecs()[1], Records: []consumertest.BatchRecord{{Key: []byte("a")}, {Offset: 1, Key: []byte("b")}}}
	produceBytes(t, client, topic, 0, broken.Around([]byte("no gzip")))
	produce(t, client, artifact(0, 2))
	sink := newStore()
	m := startMember(t, testConfig(), cluster, sink)
	sink.wait(t, 2)
	m.stop(t)
	items := sink.items[TopicPartition{topic, 0}]
	if r := items[0].Refusal; items[0].Offset != 0 || r == nil || r.Reason != profile.ReasonBadEnvelope || !strings.Contains(r.Detail, "offsets 0 to 1") {
		t.Errorf("%+v", items[0])
	}
	if items[1].Offset != 2 || items[1].Artifact == nil {
		t.Errorf("%+v", items[1])
	}
}
