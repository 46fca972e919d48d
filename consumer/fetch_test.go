package consumer

import (
	"strconv"
	"testing"

	"github.com/segmentio/kafka-go/protocol"
	fetchapi "github.com/segmentio/kafka-go/protocol/fetch"

	"kilim/consumer/kafkaconn"
	"kilim/consumer/profile"
)

var _ Cluster = (*kafkaconn.Conn)(nil)

func batch(offsets ...int64) *protocol.RecordBatch {
	var records []protocol.Record
	for _, o := range offsets {
		records = append(records, protocol.Record{Offset: o, Value: protocol.NewBytes([]byte("v"))})
	}
	return &protocol.RecordBatch{Records: protocol.NewRecordReader(records...)}
}

// TestReadAnswers: what a page says of answers that a broker gives rarely.
func TestReadAnswers(t *testing.T) {
	t.Parallel()
	const offset = 10
	control := &protocol.ControlBatch{Records: protocol.NewRecordReader(protocol.Record{Offset: 12})}
	tests := []struct {
		name    string
		batches []protocol.RecordReader
		records []int64
		next    int64
		stalled bool
	}{
		{"nothing", nil, nil, 10, false},
		{"a batch that begins before", []protocol.RecordReader{batch(8, 9, 10, 11)}, []int64{10, 11}, 12, false},
		{"holes of compaction", []protocol.RecordReader{batch(8, 13), batch(20)}, []int64{13, 20}, 21, false},
		{"a marker only", []protocol.RecordReader{control}, nil, 13, false},
		{"all before", []protocol.RecordReader{batch(7, 8)}, nil, 11, true},
		{"an emptied batch", []protocol.RecordReader{batch()}, nil, 11, true},
		{"an emptied batch, then records", []protocol.RecordReader{batch(), batch(40)}, []int64{40}, 41, false},
	}
	for _, tt := range tests {
		part := &fetchapi.ResponsePartition{HighWatermark: 50, LastStableOffset: 45}
		if tt.batches != nil {
			part.RecordSet.Records = &protocol.RecordStream{Records: tt.batches}
		}
		pg, err := read(TopicPartition{"t", 1}, offset, part)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if pg.next != tt.next || pg.stalled != tt.stalled || pg.end != 45 || len(pg.records) != len(tt.records) {
			t.Errorf("%s: got %+v, want next %d, stalled %v", tt.name, pg, tt.next, tt.stalled)
			continue
		}
		for i, want := range tt.records {
			if r := pg.records[i]; r.Offset != want || r.Topic != "t" || r.Partition != 1 || r.Key != nil || string(r.Value) != "v" {
				t.Errorf("%s: record %d is %+v, want offset %d", tt.name, i, r, want)
			}
		}
	}
}

// TestLargeParts: what is more than any topic takes is not kept, and refused with its size.
func TestLargeParts(t *testing.T) {
	t.Parallel()
	large := make([]byte, wholeBytes+1)
	whole := large[:wholeBytes]
	for _, tt := range []struct {
		name       string
		key, value []byte
		header     []byte
		dropped    int
	}{
		{"value", []byte("k"), large, []byte("h"), wholeBytes + 1},
		{"key", large, []byte("v"), []byte("h"), wholeBytes + 1},
		{"headers", []byte("k"), []byte("v"), large, wholeBytes + 2},
		{"all", large, large, large, 3*wholeBytes + 4},
		{"value at the limit", []byte("k"), whole, nil, 0},
		{"headers at the limit", nil, nil, large[:wholeBytes-1], 0},
	} {
		r := protocol.Record{Offset: 10, Headers: []protocol.Header{{Key: "n", Value: tt.header}}}
		if tt.key != nil {
			r.Key = protocol.NewBytes(tt.key)
		}
		if tt.value != nil {
			r.Value = protocol.NewBytes(tt.value)
		}
		part := &fetchapi.ResponsePartition{HighWatermark: 50, LastStableOffset: 45}
		part.RecordSet.Records = &protocol.RecordStream{Records: []protocol.RecordReader{&protocol.RecordBatch{Records: protocol.NewRecordReader(r)}}}
		pg, err := read(TopicPartition{"t", 1}, 10, part)
		if err != nil || len(pg.records) != 1 || pg.next != 11 {
			t.Errorf("%s: %v, %d records", tt.name, err, len(pg.records))
			continue
		}
		rec := pg.records[0]
		if rec.Dropped != tt.dropped {
			t.Errorf("%s: %d bytes dropped, want %d", tt.name, rec.Dropped, tt.dropped)
		}
		if tt.dropped == 0 {
			continue
		}
		if rec.size() > wholeBytes {
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
