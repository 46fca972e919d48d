package publish

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// producer numbers batches as an idempotent producer does (KIP-98, "Exactly Once Delivery
// and Transactional Messaging"): a broker appends a batch only if its sequence
// follows the last one's of the same producer id in the partition.
type producer struct {
	// known is true while id and epoch (Kafka's producer epoch) are valid. denied is true in a cluster that gives no producer
	// ids; batches carry none then.
	known, denied bool
	// owned is true once the transactional id was this process's.
	owned      bool
	id         int64
	epoch      int16
	partitions map[topicPartition]*numbering
}

// numbering is where the sequence numbers of one partition stand. Each is used by one goroutine at a time.
type numbering struct {
	next int32
	// open is the batch whose fate is unknown. It must be sent again as it was, for the
	// broker knows it by its first and last sequence number.
	open *openBatch
}

type openBatch struct {
	first, last uint64 // outbox sequence numbers of its first and last message
	count       int32
}

// begin settles which open batches arrived, and gets a producer id when there is none; all
// topics of the shares are reconciled.
func (p *Publisher) begin(ctx context.Context, shares map[topicPartition]*share) error {
	pr := &p.producer
	for at, n := range pr.partitions {
		if n.open == nil {
			continue
		}
		if _, ok := p.delivered[n.open.last]; ok || n.open.last <= p.acked {
			n.close()
		} else if s := shares[at]; s != nil && !n.open.begins(s.messages) {
			// The same numbers on other messages could be taken for a repetition, and be
			// acknowledged without being stored. (Keys moved, for partitions were added.)
			n.open, pr.known, p.unsettled = nil, false, true
		}
	}
	if !pr.known && !pr.denied {
		if err := p.initProducer(ctx); err != nil {
			return err
		}
	}
	for at := range shares {
		if pr.partitions[at] == nil {
			pr.partitions[at] = &numbering{}
		}
	}
	// From here on every request carries a producer id, unless denied: the broker drops a repeated one, so nothing is unsettled.
	p.unsettled = pr.denied
	return nil
}

func (p *Publisher) initProducer(ctx context.Context) error {
	pr := &p.producer
	pr.partitions = map[topicPartition]*numbering{}
	res, err := p.client.InitProducerID(ctx, &kafka.InitProducerIDRequest{ProducerID: -1, ProducerEpoch: -1})
	if err == nil {
		err = res.Error
	}
	switch {
	case isAny(err, kafka.ClusterAuthorizationFailed, kafka.TransactionalIDAuthorizationFailed, kafka.UnsupportedVersion):
		p.cfg.Log.Warn("the cluster gives no producer id: a request that a broker answers very late may lead to a repeated message", "err", err)
		pr.denied = true
	case err != nil:
		return fmt.Errorf("get a producer id: %w", err)
	default:
		pr.known, pr.id, pr.epoch = true, int64(res.Producer.ProducerID), int16(res.Producer.ProducerEpoch)
	}
	return nil
}

// begins tells whether the messages begin with those of the batch.
func (b *openBatch) begins(messages []*outgoing) bool {
	n := int(b.count)
	return len(messages) >= n && messages[0].seq == b.first && messages[n-1].seq == b.last
}

// close counts the open batch as appended.
func (n *numbering) close() {
	// Sequence numbers go from the largest int32 on to 0.
	n.next = int32((int64(n.next) + int64(n.open.count)) & math.MaxInt32)
	n.open = nil
}

// outOfStep says that the broker counts otherwise than the producer: it needs a new id.
func outOfStep(err error) bool {
	return isAny(err, kafka.OutOfOrderSequenceNumber, kafka.DuplicateSequenceNumber, kafka.UnknownProducerId,
		kafka.InvalidProducerEpoch, kafka.InvalidProducerIDMapping, kafka.ProducerFenced, kafka.InvalidTransactionState)
}

func isAny(err error, of ...kafka.Error) bool {
	for _, e := range of {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// Places in a record batch of version 2, after the 4 bytes of the set's size
// (Kafka protocol guide, "Record Batch").
const (
	sizeBytes        = 4
	crcAt            = sizeBytes + 17
	crcFrom          = sizeBytes + 21
	producerIDAt     = sizeBytes + 43
	producerEpochAt  = sizeBytes + 51
	baseSequenceAt   = sizeBytes + 53
	batchHeaderBytes = sizeBytes + 61
)

// encode returns the messages as one batch. kafka-go writes it, without a producer; that is
// put in afterwards.
func (p *Publisher) encode(messages []*outgoing, sequence int32) ([]byte, error) {
	records := make([]protocol.Record, len(messages))
	for i, o := range messages {
		records[i] = protocol.Record{
			Key: protocol.NewBytes(o.msg.Key), Value: protocol.NewBytes(o.msg.Value), Headers: o.msg.Headers,
		}
	}
	set := protocol.RecordSet{
		Version: 2, Attributes: protocol.Attributes(p.compression), Records: protocol.NewRecordReader(records...),
	}
	if p.transactional() {
		set.Attributes |= protocol.Transactional
	}
	var buf bytes.Buffer
	if _, err := set.WriteTo(&buf); err != nil {
		return nil, fmt.Errorf("encode a batch of %d messages: %w", len(messages), err)
	}
	b := buf.Bytes()
	if len(b) < batchHeaderBytes {
		return nil, fmt.Errorf("encode a batch of %d messages: got %d bytes", len(messages), len(b))
	}
	if p.producer.known {
		binary.BigEndian.PutUint64(b[producerIDAt:], uint64(p.producer.id))
		binary.BigEndian.PutUint16(b[producerEpochAt:], uint16(p.producer.epoch))
		binary.BigEndian.PutUint32(b[baseSequenceAt:], uint32(sequence))
		binary.BigEndian.PutUint32(b[crcAt:], crc32.Checksum(b[crcFrom:], crc32.MakeTable(crc32.Castagnoli)))
	}
	return b, nil
}
