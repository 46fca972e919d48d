package graphstore

import (
	"bytes"
	"errors"
	"fmt"
)

// TakeOutbox makes what stands between the store and Kafka that of another store: the outbox with its numbers, the
// Positions of what was acknowledged, the writer (see Store.Writer), the offsets (see SetOffset), the lists of themes with their histories, the cells of maps and the rows of standing queries, which say
// what was told last, and the encoders' dimensions.
// The first seven replace those of the store; the dimensions are added to its own, which
// stay where both have a name: the store's encoders say how long their vectors are, not what records said before.
//
// Both stores must have one identity (see Options.UUID), for a state does not take over another's. No message of either may be acknowledged until the Tx has ended.
func (t *Tx) TakeOutbox(from *Reader) error {
	if err := t.takeOutbox(from); err != nil {
		return fmt.Errorf("graphstore: take the outbox of %q: %w", from.s.dir, err)
	}
	return nil
}

func (t *Tx) takeOutbox(from *Reader) error {
	switch {
	case t.broken != nil:
		return t.broken
	case from.broken != nil:
		return from.broken
	case from.ov != nil:
		return errors.New("it is being changed: want a committed state")
	case from.s.uuid != t.s.uuid:
		return fmt.Errorf("it is %s, this store is %s", from.s.uuid, t.s.uuid)
	case len(t.ov.messages) > 0:
		return errors.New("this transaction has messages of its own")
	}
	for name, dim := range from.EncoderDims() {
		if _, own := t.EncoderDim(name); own {
			continue
		}
		if err := t.SetEncoderDim(name, dim); err != nil {
			return err
		}
	}
	t.dropPositions(func(string) bool { return true })
	if err := t.takeRows(from, keyOffset, keyPosition, keyWriter, keyThemeLists, keyThemePast, keyCell, keyStanding); err != nil {
		return err
	}
	for _, p := range from.s.box.unwrittenPositions() {
		t.ov.rows[string(p.key())] = encodeNumber(uint64(p.Next))
	}
	next := from.snap.state.nextSeq
	messages, err := allMessages(from)
	if err != nil {
		return err
	}
	first := next
	if len(messages) > 0 {
		first = messages[0].Seq
	}
	if err := t.dropMessages(first, next); err != nil {
		return err
	}
	t.state.nextSeq, t.ov.messages, t.ov.outboxTaken = next, messages, true
	return nil
}

// dropMessages removes the rows of messages outside of first to next: those inside are overwritten at Commit.
func (t *Tx) dropMessages(first, next uint64) error {
	return scanRows(t.snap.txn, []byte{keyOutbox}, func(k, _ []byte) error {
		if bytes.Compare(k, seqKey(first)) < 0 || bytes.Compare(k, seqKey(next)) >= 0 {
			t.ov.rows[string(k)] = nil
		}
		return nil
	})
}

// allMessages returns what is in the outbox, in order.
func allMessages(r *Reader) ([]OutboxEntry, error) {
	const page = 1024
	var all []OutboxEntry
	for after := uint64(0); ; {
		some, err := r.Outbox(after, page)
		if err != nil {
			return nil, err
		}
		if len(some) == 0 {
			return all, nil
		}
		all = append(all, some...)
		after = some[len(some)-1].Seq
	}
}

// takeRows replaces the rows of some prefixes by those of another store.
func (t *Tx) takeRows(from *Reader, prefixes ...byte) error {
	for _, p := range prefixes {
		prefix := []byte{p}
		if err := scanRows(t.snap.txn, prefix, func(k, _ []byte) error {
			t.ov.rows[string(k)] = nil
			return nil
		}); err != nil {
			return err
		}
		if err := from.rows(prefix, func(k, v []byte) error {
			t.ov.rows[string(k)] = bytes.Clone(v)
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// reset makes the outbox the messages up to next, and no others.
func (o *outbox) reset(messages []OutboxEntry, next uint64) {
	o.mu.Lock()
	o.next, o.acked, o.times, o.sizes, o.bytes, o.positions = next, next-1, nil, nil, 0, nil
	if len(messages) > 0 {
		o.acked = messages[0].Seq - 1
	}
	o.written = o.acked
	for _, m := range messages {
		o.stamp(m)
	}
	o.mu.Unlock()
	o.wake()
}
