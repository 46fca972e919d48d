package publish

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/segmentio/kafka-go"

	"kilim/internal/pause"
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
	if p.cfg.Ensure != nil && p.cfg.Topics.themed(name) {
		if err := p.cfg.Ensure(ctx, name); err != nil {
			return nil, fmt.Errorf("make topic %q: %w", name, err)
		}
		if _, err := p.partitions(ctx, name); errors.Is(err, kafka.UnknownTopicOrPartition) {
			p.reconnect() // what is known of the cluster may be older than the topic
		}
	}
	t, err := p.reconcile(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("reconcile topic %q: %w", name, err)
	}
	p.topics[name] = t
	return t, nil
}

// ErrCopied is returned by Run when the topics hold messages of the store's state that the store has not written. Another
// process publishes them, from a copy of the folder: they could be taken for messages of this one.
var ErrCopied = errors.New("a copy of this state publishes too: let only one of the two go on")

// reconcile finds the messages of this store which are in the topic and still in the outbox.
func (p *Publisher) reconcile(ctx context.Context, name string) (*topic, error) {
	t := &topic{lastOfKey: map[string]uint64{}}
	// first is, by partition, where the first of them is: the next reconciliation has to begin there.
	first := map[int]int64{}
	found, unknown := 0, 0
	next := p.cfg.Store.Next()
	s, err := p.read(ctx, name, p.settled, func(at topicPartition, m *message) {
		switch {
		case m.writer != p.writer || m.seq >= next:
			unknown++
			return
		case m.seq <= p.acked:
			return
		}
		if _, ok := first[at.partition]; !ok {
			first[at.partition] = m.offset
		}
		if m.key != nil {
			t.lastOfKey[string(m.key)] = max(t.lastOfKey[string(m.key)], m.seq)
		}
		if _, ok := p.delivered[m.seq]; !ok {
			p.delivered[m.seq] = struct{}{}
			found++
		}
	})
	if err != nil {
		return nil, err
	}
	if unknown > 0 {
		return nil, storeError{fmt.Errorf("%w: %d messages in topic %q are not from here", ErrCopied, unknown, name)}
	}
	t.partitions = s.partitions
	var positions []Position
	for _, partition := range s.partitions {
		again, ok := first[partition]
		if !ok {
			again = s.spans[partition].end
		}
		if old, ok := p.positions[topicPartition{name, partition}]; !ok || old != again {
			positions = append(positions, Position{Topic: name, Partition: partition, Next: again})
		}
	}
	if s.shortened && name != p.cfg.Topics.DeadLetters && p.cfg.Republish != nil {
		if err := p.cfg.Republish(&Found{Lost: true, Positions: positions}); err != nil {
			return nil, storeError{fmt.Errorf("publish all lists again: %w", err)}
		}
	}
	if len(positions) > 0 {
		if err := p.ack(p.acked, positions); err != nil {
			return nil, err
		}
	}
	for _, partition := range s.partitions {
		delete(p.begunAnew, topicPartition{name, partition})
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
	for _, name := range p.cfg.Topics.all() {
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
		pause.For(ctx, p.cfg.Settle)
		if now, err = p.spans(ctx, name, partitions); err == nil && maps.Equal(before, now) {
			break
		}
	}
	return now, err
}

func (p *Publisher) spans(ctx context.Context, name string, partitions []int) (map[int]span, error) {
	return p.spansOf(ctx, name, partitions, kafka.ReadUncommitted)
}

func (p *Publisher) spansOf(ctx context.Context, name string, partitions []int, isolation kafka.IsolationLevel) (map[int]span, error) {
	var asked []kafka.OffsetRequest
	for _, partition := range partitions {
		asked = append(asked, kafka.FirstOffsetOf(partition), kafka.LastOffsetOf(partition))
	}
	res, err := p.client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{name: asked}, IsolationLevel: isolation})
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
