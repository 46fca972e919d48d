package consumer

import (
	"context"
	"strconv"
	"time"

	"github.com/segmentio/kafka-go"

	"kilim/consumer/profile"
)

// Cluster is how to reach Kafka; *kafkaconn.Conn is one.
type Cluster interface {
	Brokers() []string
	// Dialer and Transport return a value of the caller's own.
	Dialer() *kafka.Dialer
	Transport() *kafka.Transport
}

// TopicPartition names one partition.
type TopicPartition struct {
	Topic     string
	Partition int
}

func (tp TopicPartition) String() string { return tp.Topic + "/" + strconv.Itoa(tp.Partition) }

// Record is a Kafka record as received. A nil Value is a tombstone; an empty
// one is not.
type Record struct {
	Topic     string
	Partition int
	Offset    int64
	Time      time.Time
	Key       []byte
	Value     []byte
	Headers   []kafka.Header
	// Dropped counts the bytes of key, value and headers that were not kept because they are more than any
	// topic of kilim's takes. Such a record is refused.
	Dropped int
	// Unreadable says why the batch can't be unpacked from this offset on. Such a record is refused too.
	Unreadable error
}

// size is what a record costs in memory, about.
func (r *Record) size() int64 {
	const overhead = 512 // of the structures around it
	n := len(r.Key) + len(r.Value) + overhead
	for i := range r.Headers {
		n += len(r.Headers[i].Key) + len(r.Headers[i].Value) + 48
	}
	return int64(n)
}

// Item is a decoded record: an artifact to put (Artifact is not nil), an
// artifact to delete (neither), or a dead letter (Refusal is not nil).
type Item struct {
	Record
	ID          string // the artifact's; of a dead letter what the key says, perhaps ""
	Artifact    *profile.Artifact
	Refusal     *profile.Refusal
	TraceParent string // W3C trace context of the record, "" when it has none
}

// Offset is the next record to read of a partition. Log tells the partition's log from another of the same name: the Sink stores
// it with Next and gives it back, and need not know what is in it.
type Offset struct {
	Topic     string
	Partition int
	Next      int64
	Log       string
}

// Batch is what one Apply makes durable.
type Batch struct {
	Items []Item   // never empty; of one partition in its order
	Next  []Offset // one for each partition of Items, sorted; to be stored with their effects
	Bytes int64    // sum of the records' sizes
}

// Part is a batch of b.Items[from:to], to be applied after all before them and before all behind them. Its Next are the offsets
// that are reached then.
func (b *Batch) Part(from, to int) *Batch {
	part := &Batch{Items: b.Items[from:to]}
	at := func(o *Offset, item *Item) bool { return o.Topic == item.Topic && o.Partition == item.Partition }
	for i := range b.Next {
		next, in, behind := b.Next[i], false, false
		var last *Item
		for j := range b.Items[from:] {
			item := &b.Items[from+j]
			switch {
			case !at(&next, item):
			case from+j < to:
				in, last = true, item
			default:
				behind = true
			}
		}
		if in && behind { // otherwise next is beyond the last record, where the log has gaps
			next = next.cut(last)
		}
		if in {
			part.Next = append(part.Next, next)
		}
	}
	for i := range part.Items {
		part.Bytes += int64(len(part.Items[i].Key) + len(part.Items[i].Value))
	}
	return part
}

// Sink is where records go.
type Sink interface {
	// StoredOffset is what the last successful Apply stored for the
	// partition; ok is false when none ever did.
	StoredOffset(topic string, partition int) (stored Offset, ok bool, err error)

	// Apply returns once the batch's effects and its offsets are durable,
	// together. Calls never overlap.
	//
	// ctx ends when the process stops or the partitions are revoked: Apply
	// may then return an error that wraps ctx.Err() if it has changed nothing
	// yet (the batch is dropped, and read again), and should finish otherwise.
	// Any other error ends Run: a restart reads on from the stored offsets.
	Apply(ctx context.Context, b *Batch) error
}
