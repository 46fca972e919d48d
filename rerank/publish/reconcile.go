package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

const (
	fetchBytes = 4 << 20
	fetchWait  = 500 * time.Millisecond
	// fetchTries bounds how often in a row a broker may answer with nothing below the end.
	fetchTries = 20
)

// topic is an output topic as reconciliation found it.
type topic struct {
	partitions []int // rising
	// lastOfKey is the highest sequence number above Publisher.acked found for a key.
	lastOfKey map[string]uint64
}

// span is a partition's log.
type span struct{ first, end int64 }

// topic returns the state of a topic, reconciled.
func (p *Publisher) topic(ctx context.Context, name string) (*topic, error) {
	if t := p.topics[name]; t != nil {
		return t, nil
	}
	t, err := p.reconcile(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("reconcile topic %q: %w", name, err)
	}
	p.topics[name] = t
	return t, nil
}

// reconcile finds the messages of this store which are in the topic and still in the outbox.
func (p *Publisher) reconcile(ctx context.Context, name string) (*topic, error) {
	partitions, err := p.partitions(ctx, name)
	if err != nil {
		return nil, err
	}
	spans, err := p.settled(ctx, name, partitions)
	if err != nil {
		return nil, err
	}
	t := &topic{partitions: partitions, lastOfKey: map[string]uint64{}}
	var positions []Position
	found := 0
	for _, partition := range partitions {
		at, s := topicPartition{name, partition}, spans[partition]
		from := p.start(at, s)
		// next is where the next reconciliation has to begin.
		next := s.end
		err := p.own(ctx, at, from, s.end, func(offset int64, key []byte, seq uint64) {
			if seq <= p.acked {
				return
			}
			next = min(next, offset)
			if key != nil {
				t.lastOfKey[string(key)] = max(t.lastOfKey[string(key)], seq)
			}
			if _, ok := p.delivered[seq]; !ok {
				p.delivered[seq] = struct{}{}
				found++
			}
		})
		if err != nil {
			return nil, fmt.Errorf("partition %d: %w", partition, err)
		}
		if old, ok := p.positions[at]; !ok || old != next {
			positions = append(positions, Position{Topic: name, Partition: partition, Next: next})
		}
	}
	if len(positions) > 0 {
		if err := p.ack(p.acked, positions); err != nil {
			return nil, err
		}
	}
	p.cfg.Metrics.reconciled.Add(float64(found))
	if found > 0 {
		p.cfg.Log.Info("messages of the outbox were already in Kafka", "topic", name, "messages", found)
	}
	return t, nil
}

// anchor gives a position to the partitions of the known topics that have none, while the
// outbox is empty: a store's first reconciliation need not read what others wrote before.
func (p *Publisher) anchor(ctx context.Context) error {
	if p.acked == 0 {
		// The outbox was empty from the start: the predecessor had no request open.
		p.unsettled = false
	}
	var positions []Position
	for _, name := range []string{p.cfg.Topics.Similar, p.cfg.Topics.DeadLetters} {
		partitions, err := p.partitions(ctx, name)
		if err != nil {
			return err
		}
		partitions = slices.DeleteFunc(partitions, func(partition int) bool {
			_, ok := p.positions[topicPartition{name, partition}]
			return ok
		})
		if len(partitions) == 0 {
			continue
		}
		spans, err := p.spans(ctx, name, partitions)
		if err != nil {
			return err
		}
		for _, partition := range partitions {
			positions = append(positions, Position{Topic: name, Partition: partition, Next: spans[partition].end})
		}
	}
	if len(positions) == 0 {
		return nil
	}
	return p.ack(p.acked, positions)
}

// start is where to begin reading: the stored position, if the log still has it.
func (p *Publisher) start(at topicPartition, s span) int64 {
	from, ok := p.positions[at]
	switch {
	case !ok, from < s.first:
		return s.first
	case from > s.end:
		p.cfg.Log.Warn("the log ends before the stored position: the topic was created anew, or lost records",
			"topic", at.topic, "partition", at.partition, "position", from, "end", s.end)
		return s.first
	}
	return from
}

func (p *Publisher) partitions(ctx context.Context, name string) ([]int, error) {
	res, err := p.client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{name}})
	if err != nil {
		return nil, err
	}
	for _, t := range res.Topics {
		if t.Name != name {
			continue
		}
		if t.Error != nil {
			return nil, fmt.Errorf("topic %q: %w", name, t.Error)
		}
		ids := make([]int, len(t.Partitions))
		for i := range ids {
			ids[i] = t.Partitions[i].ID
		}
		if len(ids) > 0 {
			slices.Sort(ids)
			return ids, nil
		}
	}
	return nil, fmt.Errorf("topic %q: the cluster names no partitions", name)
}

// settled returns the spans of the partitions. While p.unsettled it first waits until the ends have not moved for Config.Settle,
// so that no request of this store's publishers is carried out after reconcile has looked.
func (p *Publisher) settled(ctx context.Context, name string, partitions []int) (map[int]span, error) {
	now, err := p.spans(ctx, name, partitions)
	for err == nil && p.unsettled {
		before := now
		wait(ctx, p.cfg.Settle)
		if now, err = p.spans(ctx, name, partitions); err == nil && maps.Equal(before, now) {
			break
		}
	}
	return now, err
}

func (p *Publisher) spans(ctx context.Context, name string, partitions []int) (map[int]span, error) {
	var asked []kafka.OffsetRequest
	for _, partition := range partitions {
		asked = append(asked, kafka.FirstOffsetOf(partition), kafka.LastOffsetOf(partition))
	}
	res, err := p.client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{name: asked}})
	if err != nil {
		return nil, err
	}
	spans := make(map[int]span, len(partitions))
	for _, o := range res.Topics[name] {
		if o.Error != nil {
			return nil, fmt.Errorf("offsets of %s/%d: %w", name, o.Partition, o.Error)
		}
		if o.FirstOffset < 0 || o.LastOffset < o.FirstOffset {
			return nil, fmt.Errorf("offsets of %s/%d: first %d, end %d", name, o.Partition, o.FirstOffset, o.LastOffset)
		}
		spans[o.Partition] = span{o.FirstOffset, o.LastOffset}
	}
	if len(spans) != len(partitions) {
		return nil, fmt.Errorf("offsets of topic %q: %d of %d partitions answered", name, len(spans), len(partitions))
	}
	return spans, nil
}

// own calls fn for every message that this store wrote to [from, end) of a partition.
func (p *Publisher) own(ctx context.Context, at topicPartition, from, end int64, fn func(offset int64, key []byte, seq uint64)) error {
	tries := 0
	for from < end {
		res, err := p.client.Fetch(ctx, &kafka.FetchRequest{
			Topic: at.topic, Partition: at.partition, Offset: from,
			MinBytes: 1, MaxBytes: fetchBytes, MaxWait: fetchWait,
		})
		if err == nil {
			err = res.Error
		}
		if err != nil {
			return fmt.Errorf("fetch at %d: %w", from, err)
		}
		next, err := p.scan(res.Records, from, fn)
		if err != nil {
			return fmt.Errorf("fetch at %d: %w", from, err)
		}
		switch {
		case next > from:
			tries = 0
		case hasBatches(res.Records):
			// A batch that compaction emptied, or a transaction's marker, is here: kafka-go
			// does not say where it ends.
			next, tries = from+1, 0
		default:
			if tries++; tries == fetchTries {
				return fmt.Errorf("fetch at %d: no records, though the log ends at %d", from, end)
			}
		}
		from = next
	}
	return nil
}

func hasBatches(records kafka.RecordReader) bool {
	s, ok := records.(*protocol.RecordStream)
	return ok && len(s.Records) > 0
}

// scan reads fetched records and returns the offset after the last one.
func (p *Publisher) scan(records kafka.RecordReader, from int64, fn func(offset int64, key []byte, seq uint64)) (int64, error) {
	next := from
	for {
		r, err := records.ReadRecord()
		if errors.Is(err, io.EOF) {
			return next, nil
		}
		if err != nil {
			return next, err
		}
		key, err := takeKey(r)
		if err != nil {
			return next, err
		}
		if r.Offset < from { // a batch is returned whole
			continue
		}
		next = r.Offset + 1
		if seq, ok := p.sequence(r.Headers); ok {
			fn(r.Offset, key, seq)
		}
	}
}

func takeKey(r *protocol.Record) ([]byte, error) {
	if r.Value != nil {
		defer r.Value.Close()
	}
	if r.Key == nil {
		return nil, nil
	}
	defer r.Key.Close()
	return protocol.ReadAll(r.Key)
}

// sequence returns the outbox sequence number of a message that this store wrote.
func (p *Publisher) sequence(headers []protocol.Header) (uint64, bool) {
	mine, seq, ok := false, uint64(0), false
	for _, h := range headers {
		switch h.Key {
		case HeaderWriter:
			mine = string(h.Value) == p.writer
		case HeaderSeq:
			n, err := strconv.ParseUint(string(h.Value), 10, 64)
			seq, ok = n, err == nil
		}
	}
	return seq, mine && ok
}
