package consumer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"slices"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	fetchapi "github.com/segmentio/kafka-go/protocol/fetch"
)

// fetcher asks brokers for records of a partition.
type fetcher struct {
	transport *kafka.Transport
	addr      net.Addr
	maxBytes  int
	wait      time.Duration // of the broker, for the first record
	timeout   time.Duration // beyond wait
}

// page is what one fetch gave: committed records from the asked offset on.
type page struct {
	records []Record
	next    int64 // where the next fetch goes on
	end     int64 // the partition's end that can be read up to
	stalled bool  // the broker sent batches, but nothing at the asked offset or behind it
}

// fetch returns a kafka.Error for what the broker refuses, and blocks while
// there is nothing to read, for wait at most.
func (f *fetcher) fetch(ctx context.Context, tp TopicPartition, offset int64) (page, error) {
	ctx, cancel := context.WithTimeout(ctx, f.wait+f.timeout)
	defer cancel()
	msg, err := f.transport.RoundTrip(ctx, f.addr, &fetchapi.Request{
		ReplicaID:      -1,
		MaxWaitTime:    int32(f.wait / time.Millisecond),
		MinBytes:       1,
		MaxBytes:       int32(min(f.maxBytes, math.MaxInt32)),
		IsolationLevel: int8(kafka.ReadCommitted),
		SessionEpoch:   -1, // no fetch session (KIP-227): one partition a request
		Topics: []fetchapi.RequestTopic{{
			Topic: tp.Topic,
			Partitions: []fetchapi.RequestPartition{{
				Partition:          int32(tp.Partition),
				CurrentLeaderEpoch: -1,
				FetchOffset:        offset,
				LogStartOffset:     -1,
				PartitionMaxBytes:  int32(min(f.maxBytes, math.MaxInt32)),
			}},
		}},
	})
	if err != nil {
		return page{}, fmt.Errorf("fetch %v@%d: %w", tp, offset, err)
	}
	res := msg.(*fetchapi.Response)
	if res.ErrorCode != 0 {
		return page{}, fmt.Errorf("fetch %v@%d: %w", tp, offset, kafka.Error(res.ErrorCode))
	}
	if len(res.Topics) != 1 || len(res.Topics[0].Partitions) != 1 {
		return page{}, fmt.Errorf("fetch %v@%d: the answer is not about one partition", tp, offset)
	}
	part := &res.Topics[0].Partitions[0]
	if part.ErrorCode != 0 {
		return page{}, fmt.Errorf("fetch %v@%d: %w", tp, offset, kafka.Error(part.ErrorCode))
	}
	pg, err := read(tp, offset, part)
	if err != nil {
		return page{}, fmt.Errorf("fetch %v@%d: %w", tp, offset, err)
	}
	return pg, nil
}

// read copies the records out of an answer.
func read(tp TopicPartition, offset int64, part *fetchapi.ResponsePartition) (page, error) {
	pg := page{next: offset, end: part.HighWatermark}
	if part.LastStableOffset >= 0 && part.LastStableOffset < pg.end {
		pg.end = part.LastStableOffset
	}
	if part.RecordSet.Records == nil {
		return pg, nil
	}
	batches := []protocol.RecordReader{part.RecordSet.Records}
	if stream, ok := part.RecordSet.Records.(*protocol.RecordStream); ok {
		batches = stream.Records
	}
	aborted := newAborted(part.AbortedTransactions)
	for _, b := range batches {
		records, last, err := readBatch(tp, offset, b)
		if err != nil {
			return pg, err
		}
		if aborted.keeps(b, last) {
			pg.records = append(pg.records, records...)
		}
		pg.next = max(pg.next, last+1)
	}
	if pg.next == offset && len(batches) > 0 {
		// The batch that covers offset was emptied by compaction and the
		// client library does not tell where it ends. No record has this
		// offset, so the next one may be tried.
		pg.next, pg.stalled = offset+1, true
	}
	return pg, nil
}

// readBatch gives the records from offset on, and the offset of the batch's
// last record whether it is among them or not (-1: none).
func readBatch(tp TopicPartition, offset int64, b protocol.RecordReader) (records []Record, last int64, err error) {
	last = -1
	for {
		r, err := b.ReadRecord()
		if errors.Is(err, io.EOF) {
			return records, last, nil
		}
		if err != nil {
			return nil, last, err
		}
		last = max(last, r.Offset)
		rec := Record{Topic: tp.Topic, Partition: tp.Partition, Offset: r.Offset, Time: r.Time}
		if rec.Key, err = rec.take(r.Key); err == nil {
			rec.Value, err = rec.take(r.Value)
		}
		if err != nil {
			return nil, last, fmt.Errorf("record %d: %w", r.Offset, err)
		}
		if r.Offset < offset {
			continue // brokers send whole batches
		}
		rec.takeHeaders(r.Headers)
		records = append(records, rec)
	}
}

// wholeBytes is the most that is kept of a record's key, of its value, and of all of its headers: more than the 15 MiB that
// a topic of kilim's takes, packed. What is packed may be a thousand times as much when it is unpacked, and a refused
// record goes into the store, on its way to the dead letters, as it was received.
const wholeBytes = 16 << 20

// take copies bytes out of the client library's pages and lets go of those. It copies all of them or none.
func (r *Record) take(b protocol.Bytes) ([]byte, error) {
	if b == nil {
		return nil, nil
	}
	defer b.Close()
	if n := b.Len(); n > wholeBytes {
		r.Dropped += n
		return nil, nil
	}
	return protocol.ReadAll(b)
}

func (r *Record) takeHeaders(headers []protocol.Header) {
	n := 0
	for i := range headers {
		n += len(headers[i].Key) + len(headers[i].Value)
	}
	if n > wholeBytes {
		r.Dropped += n
		return
	}
	r.Headers = slices.Clone(headers)
}

// aborted filters the records of aborted transactions, which brokers send
// along (KIP-98, "read_committed").
type aborted struct {
	coming []fetchapi.ResponseTransaction // by first offset
	open   map[int64]bool                 // producers within an aborted transaction
}

func newAborted(list []fetchapi.ResponseTransaction) *aborted {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b fetchapi.ResponseTransaction) int {
		return cmp.Compare(a.FirstOffset, b.FirstOffset)
	})
	return &aborted{coming: list, open: make(map[int64]bool)}
}

// keeps is called for each batch in turn; last is the offset of its last record.
func (a *aborted) keeps(b protocol.RecordReader, last int64) bool {
	for len(a.coming) > 0 && a.coming[0].FirstOffset <= last {
		a.open[a.coming[0].ProducerID] = true
		a.coming = a.coming[1:]
	}
	switch b := b.(type) {
	case *protocol.ControlBatch:
		// Commit or abort: it ends the transaction of its producer. Other
		// control records (leader changes) are of no producer.
		delete(a.open, b.ProducerID)
		return false
	case *protocol.RecordBatch:
		return !b.Attributes.Transactional() || !a.open[b.ProducerID]
	}
	return true
}
