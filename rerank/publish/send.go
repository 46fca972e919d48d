package publish

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"golang.org/x/sync/errgroup"
)

// maxRequests bounds the requests in flight: one a partition, and of so many partitions.
const maxRequests = 16

// send delivers all shares. It waits for all, also after an error: a request that is given up
// is one more to reconcile.
func (p *Publisher) send(ctx context.Context, shares map[topicPartition]*share) error {
	partitions := slices.SortedFunc(maps.Keys(shares), topicPartition.compare)
	if err := p.begin(ctx, shares); err != nil {
		return err
	}
	in, requests := p.transactional() && len(partitions) > 0, maxRequests
	if in {
		enlisted := partitions
		if p.owning() {
			enlisted = append(slices.Clone(partitions), p.ownerPartition())
		}
		if err := p.enlist(ctx, enlisted); err != nil {
			return err
		}
		// A broker asks the coordinator whether a partition is in the transaction. It asks once at a time for a producer, and refuses
		// (NETWORK_EXCEPTION) the request that it was asking for when a second comes.
		requests = 1
	}
	var (
		g    errgroup.Group
		lock sync.Mutex
		errs []error
	)
	g.SetLimit(requests)
	for _, at := range partitions {
		s, n := shares[at], p.producer.partitions[at]
		g.Go(func() error {
			sent, err := p.sendShare(ctx, at, s, n)
			lock.Lock()
			defer lock.Unlock()
			for _, o := range s.messages[:sent] {
				p.delivered[o.seq] = struct{}{}
			}
			if err != nil {
				errs = append(errs, fmt.Errorf("send to %v: %w", at, err))
			}
			return nil
		})
	}
	_ = g.Wait() // the functions return nil
	for _, err := range errs {
		if outOfStep(err) {
			p.producer.known, p.unsettled = false, true
		}
		var anew begunAnewError
		if errors.As(err, &anew) {
			p.begunAnew[anew.at] = struct{}{}
		}
	}
	if in && len(errs) == 0 {
		if p.owning() {
			if err := p.sendBeat(ctx, false); err != nil {
				return err
			}
		}
		if err := p.end(ctx, true); err != nil {
			return err
		}
		p.beaten = time.Now()
		return nil
	}
	return errors.Join(errs...)
}

// begunAnewError says that messages were written before the stored position: the topic is not the one that was written to before.
type begunAnewError struct{ at topicPartition }

func (e begunAnewError) Error() string {
	return fmt.Sprintf("%v has begun anew: it was deleted and made again", e.at)
}

// sendShare returns how many messages were acknowledged, also with an error.
func (p *Publisher) sendShare(ctx context.Context, at topicPartition, s *share, n *numbering) (int, error) {
	sent, most := 0, len(s.messages)
	for sent < len(s.messages) {
		chunk := p.chunk(s.messages[sent:], n, most)
		base, err := p.produce(ctx, at, chunk, n)
		switch {
		case err == nil:
			if base >= 0 && base < p.positions[at] {
				return sent, begunAnewError{at}
			}
			sent += len(chunk)
			if base >= 0 {
				s.next = base + int64(len(chunk))
			}
		case !isAny(err, kafka.MessageSizeTooLarge, kafka.RecordListTooLarge):
			return sent, err
		case len(chunk) > 1:
			n.open = nil // refused as a whole, so it is not out there
			most = (len(chunk) + 1) / 2
		default:
			n.open = nil
			if err := p.shorten(chunk[0], err); err != nil {
				return sent, err
			}
		}
	}
	return sent, nil
}

// chunk returns the messages of the next request: as many as may go together, or the very
// ones of the request whose fate is unknown.
func (p *Publisher) chunk(messages []*outgoing, n *numbering, most int) []*outgoing {
	if n.open != nil {
		return messages[:n.open.count]
	}
	total := 0
	for i, o := range messages {
		total += o.bytes()
		if i > 0 && (i == most || total > p.cfg.MaxBatchBytes) {
			return messages[:i]
		}
	}
	return messages
}

// produce sends one batch, and returns the offset of its first message, or -1 where the
// broker does not say.
func (p *Publisher) produce(ctx context.Context, at topicPartition, messages []*outgoing, n *numbering) (int64, error) {
	batch, err := p.encode(messages, n.next)
	if err != nil {
		return -1, err
	}
	n.open = &openBatch{first: messages[0].seq, last: messages[len(messages)-1].seq, count: int32(len(messages))}
	res, err := p.client.RawProduce(ctx, &kafka.RawProduceRequest{
		Topic: at.topic, Partition: at.partition, RequiredAcks: kafka.RequireAll, TransactionalID: p.cfg.TransactionalID,
		RawRecords: protocol.RawRecordSet{Reader: bytes.NewReader(batch)},
	})
	if err == nil {
		err = res.Error
	}
	if err != nil {
		return -1, err
	}
	if len(res.RecordErrors) > 0 {
		return -1, fmt.Errorf("%d records refused: %v", len(res.RecordErrors), res.RecordErrors)
	}
	n.close()
	return res.BaseOffset, nil
}

// bytes is about what the message takes in a batch.
func (o *outgoing) bytes() int {
	n := 32 + len(o.msg.Key) + len(o.msg.Value)
	for _, h := range o.msg.Headers {
		n += 8 + len(h.Key) + len(h.Value)
	}
	return n
}
