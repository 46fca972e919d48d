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
// to next-1 are in it; those above written and up to acked have their rows still,
// see Store.Ack.
type outbox struct {
	mu      sync.Mutex
	written uint64
	acked   uint64
	next    uint64
	// positions are those acknowledged whose rows are not written yet.
	positions []Position
	// writing, where it is not nil, has them written if no commit does before.
	writing *time.Timer
	// times are those of the oldest message and of each that is younger than
	// the one before it.
	times []stampedSeq
	// sizes are those of the messages in it, in their order, and bytes their sum.
	sizes []int
	bytes int64
	// changed is closed, and made anew, when messages were acknowledged or
	// the store has ended.
	changed chan struct{}
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
	o.written = o.acked
	return nil
}

func (o *outbox) stamp(e OutboxEntry) {
	o.sizes = append(o.sizes, len(e.Value))
	o.bytes += int64(len(e.Value))
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

// OutboxBytes is how large the messages are that are committed and not acknowledged.
func (s *Store) OutboxBytes() int64 {
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	return s.box.bytes
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
