package graphstore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/dgraph-io/badger/v4"
)

// outbox is what is known of the outbox without reading it. Messages acked+1
// to next-1 are in it.
type outbox struct {
	mu    sync.Mutex
	acked uint64
	next  uint64
	// times are those of the oldest message and of each that is younger than
	// the one before it.
	times []stampedSeq
	// changed is closed, and made anew, when messages were acknowledged or
	// the store has ended.
	changed chan struct{}

	// ackLock is held by the one acknowledgement in progress.
	ackLock sync.Mutex
}

type stampedSeq struct {
	seq uint64
	at  time.Time
}

// load finds what is in the outbox of a store whose next message is next.
func (o *outbox) load(txn *badger.Txn, next uint64) error {
	o.next, o.acked = next, next-1
	o.changed = make(chan struct{})
	first := true
	err := scanRows(txn, []byte{keyOutbox}, func(k, v []byte) error {
		if len(k) != 9 {
			return fmt.Errorf("key of %d bytes, want 9", len(k))
		}
		e, err := decodeMessage(binary.BigEndian.Uint64(k[1:]), v)
		if err != nil {
			return fmt.Errorf("message %d: %w", binary.BigEndian.Uint64(k[1:]), err)
		}
		if first {
			o.acked, first = e.Seq-1, false
		}
		o.stamp(e)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the outbox: %w", err)
	}
	return nil
}

func (o *outbox) stamp(e OutboxEntry) {
	if n := len(o.times); n == 0 || e.Time.After(o.times[n-1].at) {
		o.times = append(o.times, stampedSeq{e.Seq, e.Time})
	}
}

// committed adds the messages of a commit.
func (o *outbox) committed(messages []OutboxEntry) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, m := range messages {
		o.stamp(m)
		o.next = m.Seq + 1
	}
}

// wake lets everybody who waits look again.
func (o *outbox) wake() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.changed != nil {
		close(o.changed)
		o.changed = make(chan struct{})
	}
}

func (o *outbox) bounds() (acked, next uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.acked, o.next
}

// advance takes the messages up to seq out.
func (o *outbox) advance(seq uint64) {
	o.mu.Lock()
	o.acked = seq
	for len(o.times) > 1 && o.times[1].seq <= seq+1 {
		o.times = o.times[1:]
	}
	if o.acked+1 == o.next {
		o.times = nil
	}
	o.mu.Unlock()
	o.wake()
}

// OutboxDepth is the number of committed messages that are not acknowledged,
// and the time of the oldest of them (zero when there is none).
func (s *Store) OutboxDepth() (depth int, oldest time.Time) {
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	if len(s.box.times) > 0 {
		oldest = s.box.times[0].at
	}
	return int(s.box.next - 1 - s.box.acked), oldest
}

// WaitOutbox returns when fewer than max messages wait in the outbox, or with
// an error when ctx is done or the store has ended.
func (s *Store) WaitOutbox(ctx context.Context, max int) error {
	if max < 1 {
		return fmt.Errorf("graphstore: wait for fewer than %d messages: want at least 1", max)
	}
	for {
		s.box.mu.Lock()
		depth, changed := int(s.box.next-1-s.box.acked), s.box.changed
		s.box.mu.Unlock()
		if err := s.usable(); err != nil {
			return err
		}
		if depth < max {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("graphstore: wait for the outbox (%d messages): %w", depth, ctx.Err())
		}
	}
}

func (s *Store) usable() error {
	if err := s.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return ErrClosed
	}
	return nil
}

// ackRows is the most messages that one transaction of Ack removes, with
// memtables large enough for it.
const ackRows = 4096

// Ack removes the messages up to and including upto from the outbox and
// stores positions. It runs beside the writer. Acknowledging what is gone
// already only stores positions; what was never committed is an error.
//
// An Ack of very many messages takes several transactions. The positions go
// with the last: after a crash between them the positions are older than the
// outbox, so that reconciling reads too much, never too little.
func (s *Store) Ack(upto uint64, positions []Position) error {
	for _, p := range positions {
		if err := p.check(); err != nil {
			return fmt.Errorf("graphstore: acknowledge up to %d: %w", upto, err)
		}
	}
	snap, err := s.acquire() // Close waits for the end
	if err != nil {
		return err
	}
	defer s.release(snap)
	s.box.ackLock.Lock()
	defer s.box.ackLock.Unlock()
	acked, next := s.box.bounds()
	if upto >= next {
		return fmt.Errorf("graphstore: acknowledge up to %d: the last message is %d", upto, next-1)
	}
	rows := min(ackRows, int(s.db.MaxBatchCount()/2))
	for {
		var ops []op
		for acked < upto && len(ops) < rows {
			acked++
			ops = append(ops, op{key: seqKey(acked)})
		}
		last := acked >= upto
		if last {
			for _, p := range positions {
				ops = append(ops, op{key: partitionKey(keyPosition, p.Topic, p.Partition), value: encodeNumber(uint64(p.Next))})
			}
		}
		if len(ops) > 0 {
			if err := s.commitRoom(ops, s.Margin()/4); err != nil {
				return fmt.Errorf("graphstore: acknowledge up to %d: %w", upto, err)
			}
			if err := s.write("ack", ops); err != nil {
				s.poison(err)
				return fmt.Errorf("graphstore: acknowledge up to %d: %w", upto, s.Err())
			}
			s.box.advance(acked)
		}
		if last {
			s.refresh()
			return nil
		}
	}
}

func (p Position) check() error {
	err := checkPartition(p.Topic, p.Partition)
	if err == nil && p.Next < 0 {
		err = fmt.Errorf("next %d of %s/%d is negative", p.Next, p.Topic, p.Partition)
	}
	if err != nil {
		return fmt.Errorf("position: %w", err)
	}
	return nil
}

// Positions returns those stored with the last acknowledgements, by topic and
// partition.
func (s *Store) Positions() ([]Position, error) {
	var out []Position
	err := s.View(func(r *Reader) error {
		return r.rows([]byte{keyPosition}, func(k, v []byte) error {
			topic, partition, err := parsePartitionKey(k)
			if err != nil {
				return err
			}
			next, err := decodeNumber(v)
			out = append(out, Position{topic, partition, int64(next)})
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("graphstore: read positions: %w", err)
	}
	return out, nil
}

// outboxBytes is how much Outbox returns at once, one larger message aside: a dead letter is as large as its record.
const outboxBytes = 8 << 20

// Outbox returns messages with numbers above after, in order: at most limit of them, fewer where they are large, and
// none only where there are no more. Messages that were acknowledged since r's state are left out.
func (r *Reader) Outbox(after uint64, limit int) ([]OutboxEntry, error) {
	if r.broken != nil {
		return nil, r.broken
	}
	if limit < 1 {
		return nil, fmt.Errorf("graphstore: read the outbox: limit %d: want at least 1", limit)
	}
	acked, _ := r.s.box.bounds()
	after = max(after, acked)
	var out []OutboxEntry
	bytes := 0
	full := func(value []byte) bool {
		bytes += len(value)
		return len(out) == limit || len(out) > 0 && bytes > outboxBytes
	}
	err := scanFrom(r.snap.txn, []byte{keyOutbox}, seqKey(after+1), func(k, v []byte) error {
		if full(v) {
			return errStop
		}
		if len(k) != 9 {
			return fmt.Errorf("key of %d bytes, want 9", len(k))
		}
		e, err := decodeMessage(binary.BigEndian.Uint64(k[1:]), v)
		if err != nil {
			return fmt.Errorf("message %d: %w", e.Seq, err)
		}
		out = append(out, e)
		return nil
	})
	if err != nil && !errors.Is(err, errStop) {
		return nil, fmt.Errorf("graphstore: read the outbox: %w", err)
	}
	if r.ov == nil || errors.Is(err, errStop) {
		return out, nil
	}
	for _, m := range r.ov.messages {
		if m.Seq <= after {
			continue
		}
		if full(m.Value) {
			break
		}
		out = append(out, m)
	}
	return out, nil
}

func encodeMessage(at time.Time, value []byte) []byte {
	return append(appendTime(newRow(16+len(value)), at), value...)
}

func decodeMessage(seq uint64, row []byte) (OutboxEntry, error) {
	d := decodeRow(row)
	e := OutboxEntry{Seq: seq, Time: d.time()}
	e.Value = append([]byte{}, d.b...)
	return e, d.err
}
