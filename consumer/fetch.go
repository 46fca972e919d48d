package consumer

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"math"
	"net"
	"slices"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kilim/consumer/recordset"
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
	tp     TopicPartition
	offset int64              // the asked one
	kept   []*recordset.Batch // what is packed is unpacked by records
	next   int64              // where the next fetch goes on
	end    int64              // the partition's end that can be read up to
}

// fetch returns a kafka.Error for what the broker refuses, and blocks while
// there is nothing to read, for wait at most.
func (f *fetcher) fetch(ctx context.Context, tp TopicPartition, offset int64) (page, error) {
	ctx, cancel := context.WithTimeout(ctx, f.wait+f.timeout)
	defer cancel()
	part, err := f.ask(ctx, tp, offset)
	if err != nil {
		return page{}, fmt.Errorf("fetch %v@%d: %w", tp, offset, err)
	}
	pg, err := read(tp, offset, part)
	if err != nil {
		return page{}, fmt.Errorf("fetch %v@%d: %w", tp, offset, err)
	}
	return pg, nil
}

func (f *fetcher) ask(ctx context.Context, tp TopicPartition, offset int64) (*kmsg.FetchResponseTopicPartition, error) {
	req := kmsg.NewFetchRequest()
	req.MaxWaitMillis = int32(f.wait / time.Millisecond)
	req.MinBytes = 1
	req.MaxBytes = int32(min(f.maxBytes, math.MaxInt32))
	req.IsolationLevel = int8(kafka.ReadCommitted)
	req.SessionEpoch = -1 // no fetch session (KIP-227): one partition a request
	part := kmsg.NewFetchRequestTopicPartition()
	part.Partition, part.FetchOffset, part.PartitionMaxBytes = int32(tp.Partition), offset, req.MaxBytes
	topic := kmsg.NewFetchRequestTopic()
	topic.Topic, topic.Partitions = tp.Topic, []kmsg.FetchRequestTopicPartition{part}
	req.Topics = []kmsg.FetchRequestTopic{topic}

	msg, err := f.transport.RoundTrip(ctx, f.addr, &fetchRequest{FetchRequest: req, tp: tp, clientID: f.transport.ClientID, usual: f.maxBytes})
	if err != nil {
		return nil, err
	}
	res := msg.(*fetchAnswer)
	if res.ErrorCode != 0 {
		return nil, kafka.Error(res.ErrorCode)
	}
	if len(res.Topics) != 1 || len(res.Topics[0].Partitions) != 1 {
		return nil, fmt.Errorf("the answer is not about one partition")
	}
	answer := &res.Topics[0].Partitions[0]
	if answer.ErrorCode != 0 {
		return nil, kafka.Error(answer.ErrorCode)
	}
	return answer, nil
}

// read finds the batches to be read in an answer.
func read(tp TopicPartition, offset int64, part *kmsg.FetchResponseTopicPartition) (page, error) {
	pg := page{tp: tp, offset: offset, next: offset, end: part.HighWatermark}
	if part.LastStableOffset >= 0 && part.LastStableOffset < pg.end {
		pg.end = part.LastStableOffset
	}
	aborted := newAborted(part.AbortedTransactions)
	for b, err := range recordset.Batches(part.RecordBatches) {
		if err != nil && pg.next > offset {
			return pg, nil // the next fetch begins with what is wrong
		}
		if err != nil {
			return pg, err
		}
		if aborted.keeps(b) && b.Last >= offset {
			pg.kept = append(pg.kept, b)
		}
		pg.next = max(pg.next, b.Last+1)
	}
	if pg.next == offset && len(part.RecordBatches) > 0 {
		return pg, fmt.Errorf("the broker sent %d bytes of batches that end before that offset", len(part.RecordBatches))
	}
	return pg, nil
}

// records unpacks the page's records, one at a time. It can be called once.
func (pg *page) records() iter.Seq[Record] {
	return func(yield func(Record) bool) {
		for _, b := range pg.kept {
			for r := range b.Records(pg.offset) {
				if !yield(Record{
					Topic: pg.tp.Topic, Partition: pg.tp.Partition, Offset: r.Offset, Time: r.Time,
					Key: r.Key, Value: r.Value, Headers: r.Headers, Dropped: r.Dropped, Unreadable: r.Fault,
				}) {
					return
				}
			}
		}
	}
}

// aborted filters the records of aborted transactions, which brokers send
// along (KIP-98, "read_committed").
type aborted struct {
	coming []kmsg.FetchResponseTopicPartitionAbortedTransaction // by first offset
	open   map[int64]bool                                       // producers within an aborted transaction
}

func newAborted(list []kmsg.FetchResponseTopicPartitionAbortedTransaction) *aborted {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b kmsg.FetchResponseTopicPartitionAbortedTransaction) int {
		return cmp.Compare(a.FirstOffset, b.FirstOffset)
	})
	return &aborted{coming: list, open: make(map[int64]bool)}
}

// keeps is called for each batch in turn.
func (a *aborted) keeps(b *recordset.Batch) bool {
	for len(a.coming) > 0 && a.coming[0].FirstOffset <= b.Last {
		a.open[a.coming[0].ProducerID] = true
		a.coming = a.coming[1:]
	}
	if b.Control {
		// Commit or abort: it ends the transaction of its producer. Other
		// control records (leader changes) are of no producer.
		delete(a.open, b.Producer)
		return false
	}
	return !b.Transactional || !a.open[b.Producer]
}
