package graphstore

import (
	"bytes"
	"errors"
	"fmt"
)

// Adopt makes what stands between the store and Kafka that of another store: the outbox with its numbers, the positions of
// what was acknowledged, where to go on reading, and the encoders' dimensions. What the store had of
// the first three is replaced.
//
// Both stores must have one identity (see Options.UUID), for messages in Kafka are recognized by it and
// their number. No message of either may be acknowledged until the Tx has ended.
func (t *Tx) Adopt(from *Reader) error {
	if err := t.adopt(from); err != nil {
		return fmt.Errorf("graphstore: adopt the outbox of %q: %w", from.s.dir, err)
	}
	return nil
}

func (t *Tx) adopt(from *Reader) error {
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
		if err := t.SetEncoderDim(name, dim); err != nil {
			return err
		}
	}
	if err := t.adoptRows(from, keyOffset, keyPosition); err != nil {
		return err
	}
	next := from.snap.state.nextSeq
	const page = 1024
	var messages []OutboxEntry
	for after := uint64(0); ; {
		some, err := from.Outbox(after, page)
		if err != nil {
			return err
		}
		messages = append(messages, some...)
		if len(some) < page {
			break
		}
		after = some[len(some)-1].Seq
	}
	first := next
	if len(messages) > 0 {
		first = messages[0].Seq
	}
	err := scanRows(t.snap.txn, []byte{keyOutbox}, func(k, _ []byte) error {
		if bytes.Compare(k, seqKey(first)) < 0 || bytes.Compare(k, seqKey(next)) >= 0 {
			t.ov.rows[string(k)] = nil
		}
		return nil
	})
	if err != nil {
		return err
	}
	t.state.nextSeq, t.ov.messages, t.ov.adopted = next, messages, true
	return nil
}

// adoptRows replaces the rows of some prefixes by those of another store.
func (t *Tx) adoptRows(from *Reader, prefixes ...byte) error {
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

// adopted makes the outbox the messages up to next, and no others.
func (o *outbox) adopted(messages []OutboxEntry, next uint64) {
	o.mu.Lock()
	o.next, o.acked, o.times = next, next-1, nil
	if len(messages) > 0 {
		o.acked = messages[0].Seq - 1
	}
	for _, m := range messages {
		o.stamp(m)
	}
	o.mu.Unlock()
	o.wake()
}
