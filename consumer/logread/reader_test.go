package logread

import (
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"kilim/consumer/consumertest"
	"kilim/consumer/recordset"
)

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
		pg, err := read(offset, answerOf(tt.batches...))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		var records []recordset.Record
		for r := range pg.Records() {
			records = append(records, r)
		}
		if pg.Next != tt.next || pg.End != 45 || len(records) != len(tt.records) {
			t.Errorf("%s: got %+v, %d records, want next %d", tt.name, pg, len(records), tt.next)
			continue
		}
		for i, want := range tt.records {
			if r := records[i]; r.Offset != want || r.Key != nil || string(r.Value) != "v" {
				t.Errorf("%s: record %d is %+v, want offset %d", tt.name, i, r, want)
			}
		}
	}
	if pg, err := read(offset, answerOf(batch(9, 7, 8))); err == nil {
		t.Errorf("batches that end before the asked offset: %+v", pg)
	}
}

// TestDamagedBatch: records before a damaged batch are given, and the damage is told when it is all that there is.
func TestDamagedBatch(t *testing.T) {
	t.Parallel()
	part := answerOf(batch(11, 10, 11), batch(13, 12, 13))
	part.RecordBatches[len(part.RecordBatches)-1]++
	if pg, err := read(10, part); err != nil || pg.Next != 12 {
		t.Errorf("next %d, %v", pg.Next, err)
	}
	if pg, err := read(12, part); err == nil {
		t.Errorf("taken, next %d", pg.Next)
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
	pg, err := read(10, part)
	if err != nil {
		t.Fatal(err)
	}
	var got []int64
	for r := range pg.Records() {
		got = append(got, r.Offset)
	}
	if want := []int64{12, 14, 18}; !slices.Equal(got, want) || pg.Next != 20 {
		t.Errorf("read %d, want %d", got, want)
	}
}
