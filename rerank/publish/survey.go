package publish

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"time"

	"kilim/consumer/logread"
	"kilim/consumer/recordset"
)

const (
	fetchBytes = 4 << 20
	fetchWait  = 500 * time.Millisecond
	// fetchTries bounds how often in a row a broker may answer with nothing below the end.
	fetchTries = 20
)

// message is what a record in an output topic says of the outbox entry that it was.
type message struct {
	offset int64
	key    []byte
	writer string
	seq    uint64
	// value is null (nil) of a tombstone, revision 0 of a dead letter.
	value    []byte
	revision uint64
	// shortened is true of one that its topic did not take whole.
	shortened bool
}

// survey is where a topic's partitions begin and end, and where the reading of each has begun.
type survey struct {
	partitions []int // rising
	spans      map[int]span
	// shortened is true if a partition ends before its stored position, or has begun anew: what was published there is gone.
	shortened bool
}

// read calls fn for every message of the store's state, by whichever of its writers, from the stored positions to the ends of
// a topic. spans finds where the partitions begin and end.
func (p *Publisher) read(ctx context.Context, name string, spans func(context.Context, string, []int) (map[int]span, error),
	fn func(topicPartition, *message)) (*survey, error) {
	var s survey
	var err error
	if s.partitions, err = p.partitions(ctx, name); err != nil {
		return nil, err
	}
	if s.spans, err = spans(ctx, name, s.partitions); err != nil {
		return nil, err
	}
	for _, partition := range s.partitions {
		at := topicPartition{name, partition}
		from, shortened := p.start(at, s.spans[partition])
		s.shortened = s.shortened || shortened
		err := p.readPartition(ctx, at, from, s.spans[partition].end, func(m *message) { fn(at, m) })
		if err != nil {
			return nil, fmt.Errorf("partition %d: %w", partition, err)
		}
	}
	return &s, nil
}

// start is where to begin reading: the stored position, if the log still has it. shortened says that the log has been there
// and is no more.
func (p *Publisher) start(at topicPartition, s span) (from int64, shortened bool) {
	from, ok := p.positions[at]
	_, anew := p.begunAnew[at]
	switch {
	case anew, from > s.end:
		p.cfg.Log.Warn("the log ends before the stored position: the topic was created anew, or lost records",
			"topic", at.topic, "partition", at.partition, "position", from, "end", s.end)
		return s.first, true
	case !ok, from < s.first:
		return s.first, false
	}
	return from, false
}

// readPartition calls fn for every message of the store's state in [from, end) of a partition.
func (p *Publisher) readPartition(ctx context.Context, at topicPartition, from, end int64, fn func(*message)) error {
	return p.readRecords(ctx, at, from, end, func(r *recordset.Record) {
		if m := messageOf(r); m != nil && stateOf(m.writer) == stateOf(p.writer) {
			fn(m)
		}
	})
}

// readRecords calls fn for every record in [from, end) of a partition.
func (p *Publisher) readRecords(ctx context.Context, at topicPartition, from, end int64, fn func(*recordset.Record)) error {
	tries := 0
	for from < end {
		pg, err := p.logs.Fetch(ctx, logread.Log{Topic: at.topic, Partition: at.partition}, from)
		if err != nil {
			return err
		}
		for r := range pg.Records() {
			if r.Fault != nil {
				// Brokers take what they can't unpack. Nobody can, and this package sends nothing of that kind.
				p.cfg.Log.Warn("a batch in an output topic can't be unpacked; it is passed over", "topic", at.topic, "partition", at.partition, "err", r.Fault)
				continue
			}
			fn(&r)
		}
		if pg.Next > from {
			from, tries = pg.Next, 0
		} else if tries++; tries == fetchTries {
			return fmt.Errorf("fetch at %d: no records, though the log ends at %d", from, end)
		}
	}
	return nil
}

// messageOf is nil for a record that no Publisher wrote.
func messageOf(r *recordset.Record) *message {
	m := &message{offset: r.Offset, key: r.Key, value: r.Value}
	if r.Dropped > 0 && m.value == nil {
		m.value, m.shortened = []byte{}, true // too large to be kept, and so none to compare, and no tombstone
	}
	ok := false
	for _, h := range r.Headers {
		switch h.Key {
		case HeaderWriter:
			m.writer = string(h.Value)
		case HeaderSeq:
			n, err := strconv.ParseUint(string(h.Value), 10, 64)
			m.seq, ok = n, err == nil
		case HeaderDropped:
			m.shortened = true
		case "ce_id": // see event; that of a dead letter, which it came with, is no revision of ours
			if id, found := bytes.CutPrefix(h.Value, append(bytes.Clone(r.Key), '/')); found {
				m.revision, _ = strconv.ParseUint(string(id), 10, 64)
			}
		}
	}
	if !ok || m.writer == "" {
		return nil
	}
	return m
}
