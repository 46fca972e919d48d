package logread

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

// Reader asks brokers for records of a partition.
type Reader struct {
	Transport *kafka.Transport
	Addr      net.Addr
	// Isolation says whether records of open and aborted transactions are read.
	Isolation kafka.IsolationLevel
	MaxBytes  int
	Wait      time.Duration // of the broker, for the first record
	Timeout   time.Duration // beyond Wait
}

// Page is what one fetch gave: batches from the asked offset on.
type Page struct {
	Kept []*recordset.Batch // those to be read; what is packed is unpacked by Records
	Next int64              // where the next fetch goes on
	End  int64              // the partition's end that can be read up to

	offset int64 // the asked one
}

// Fetch blocks while there is nothing to read, for Wait at most. It returns a kafka.Error for what the broker refuses, which is
// kafka.UnknownTopicID (or kafka.InconsistentTopicID) where log.ID is not that of the topic any more.
func (r *Reader) Fetch(ctx context.Context, log Log, offset int64) (Page, error) {
	pg, err := r.fetch(ctx, log, offset)
	if err != nil {
		return Page{}, fmt.Errorf("fetch %s/%d@%d: %w", log.Topic, log.Partition, offset, err)
	}
	if len(pg.Kept) == 0 || log.byID || log.ID == (TopicID{}) {
		return pg, nil
	}
	id, err := r.topicID(ctx, log.Topic, log.Partition, false)
	if err == nil && id.id != log.ID && id.id != (TopicID{}) {
		err = fmt.Errorf("fetch %s/%d@%d: the topic has the id %v, not %v: %w", log.Topic, log.Partition, offset, id.id, log.ID, kafka.UnknownTopicID)
	}
	if err != nil {
		return Page{}, err
	}
	return pg, nil
}

func (r *Reader) fetch(ctx context.Context, log Log, offset int64) (Page, error) {
	ctx, cancel := context.WithTimeout(ctx, r.Wait+r.Timeout)
	defer cancel()
	req := kmsg.NewFetchRequest()
	req.MaxWaitMillis = int32(r.Wait / time.Millisecond)
	req.MinBytes = 1
	req.MaxBytes = int32(min(r.MaxBytes, math.MaxInt32))
	req.IsolationLevel = int8(r.Isolation)
	req.SessionEpoch = -1 // no fetch session (KIP-227): one partition a request
	part := kmsg.NewFetchRequestTopicPartition()
	part.Partition, part.FetchOffset, part.PartitionMaxBytes = int32(log.Partition), offset, req.MaxBytes
	topic := kmsg.NewFetchRequestTopic()
	topic.Topic, topic.TopicID, topic.Partitions = log.Topic, log.ID, []kmsg.FetchRequestTopicPartition{part}
	req.Topics = []kmsg.FetchRequestTopic{topic}

	msg, err := r.Transport.RoundTrip(ctx, r.Addr, &fetchRequest{
		FetchRequest: req, leader: leader{log.Topic, log.Partition}, byID: log.byID, clientID: r.Transport.ClientID, usual: r.MaxBytes,
	})
	if err != nil {
		return Page{}, err
	}
	res := msg.(*fetchAnswer)
	if res.ErrorCode != 0 {
		return Page{}, kafka.Error(res.ErrorCode)
	}
	if len(res.Topics) != 1 || len(res.Topics[0].Partitions) != 1 {
		return Page{}, fmt.Errorf("the answer is not about one partition")
	}
	answer := &res.Topics[0].Partitions[0]
	if answer.ErrorCode != 0 {
		return Page{}, kafka.Error(answer.ErrorCode)
	}
	return read(offset, answer)
}

// read finds the batches to be read in an answer.
func read(offset int64, part *kmsg.FetchResponseTopicPartition) (Page, error) {
	pg := Page{offset: offset, Next: offset, End: part.HighWatermark}
	if part.LastStableOffset >= 0 && part.LastStableOffset < pg.End {
		pg.End = part.LastStableOffset
	}
	aborted := newAborted(part.AbortedTransactions)
	for b, err := range recordset.Batches(part.RecordBatches) {
		if err != nil && pg.Next > offset {
			return pg, nil // the next fetch begins with what is wrong
		}
		if err != nil {
			return Page{}, err
		}
		if aborted.keeps(b) && b.Last >= offset {
			pg.Kept = append(pg.Kept, b)
		}
		pg.Next = max(pg.Next, b.Last+1)
	}
	if pg.Next == offset && len(part.RecordBatches) > 0 {
		return Page{}, fmt.Errorf("the broker sent %d bytes of batches that end before that offset", len(part.RecordBatches))
	}
	return pg, nil
}

// Records unpacks the page's records, one at a time. It can be called once.
func (pg *Page) Records() iter.Seq[recordset.Record] {
	return func(yield func(recordset.Record) bool) {
		for _, b := range pg.Kept {
			for r := range b.Records(pg.offset) {
				if !yield(r) {
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
