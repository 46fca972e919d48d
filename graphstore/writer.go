package graphstore

import (
	"errors"
	"fmt"
	"slices"
)

// Writer names who writes the messages of the outbox: with its number it makes a message known again in Kafka. It is the
// UUID until ResetOutbox gives another, and goes with the outbox from store to store.
//
// The UUID alone would not do. A folder that is put back as it was gives the numbers after its last one a second time, to other
// messages; and it must stay the state that its standby was made for.
func (r *Reader) Writer() (string, error) {
	b, err := r.blob([]byte{keyWriter}, "writer")
	if err != nil || b != nil {
		return string(b), err
	}
	return r.s.uuid, nil
}

// NextSeq is the number that the next committed message gets.
func (s *Store) NextSeq() uint64 {
	_, next := s.box.bounds()
	return next
}

// ResetOutbox makes values, in their order, all that is in the outbox, as messages of a new writer, which counts from 1, and
// stores positions. No message may be acknowledged until the Tx has ended.
func (t *Tx) ResetOutbox(writer string, values [][]byte, positions []Position) error {
	switch {
	case t.broken != nil:
		return t.broken
	case writer == "":
		return errors.New("graphstore: reset the outbox: the writer has no name")
	case len(t.ov.messages) > 0:
		return errors.New("graphstore: reset the outbox: this transaction has messages of its own")
	}
	if err := t.resetOutbox(writer, values, positions); err != nil {
		return fmt.Errorf("graphstore: reset the outbox: %w", err)
	}
	return nil
}

func (t *Tx) resetOutbox(writer string, values [][]byte, positions []Position) error {
	if err := checkName("the name of a writer", writer); err != nil {
		return err
	}
	for _, v := range values {
		if err := t.s.checkSize("a message", len(v)); err != nil {
			return err
		}
	}
	for _, p := range positions {
		if err := p.check(); err != nil {
			return err
		}
	}
	for _, p := range positions {
		t.ov.rows[string(partitionKey(keyPosition, p.Topic, p.Partition))] = encodeNumber(uint64(p.Next))
	}
	now := t.s.opts.Now().UTC()
	messages := make([]OutboxEntry, len(values))
	for i, v := range values {
		messages[i] = OutboxEntry{Seq: uint64(i) + 1, Time: now, Value: v}
	}
	next := uint64(len(values)) + 1
	if err := t.dropMessages(1, next); err != nil {
		return err
	}
	t.ov.rows[string([]byte{keyWriter})] = encodeBlob([]byte(writer))
	t.state.nextSeq, t.ov.messages, t.ov.outboxTaken = next, messages, true
	return nil
}

// ForgetPositions removes all positions of some topics. No message may be acknowledged until the Tx has ended.
func (t *Tx) ForgetPositions(topics []string) error {
	if t.broken != nil {
		return t.broken
	}
	t.dropPositions(func(topic string) bool { return slices.Contains(topics, topic) })
	err := scanRows(t.snap.txn, []byte{keyPosition}, func(k, _ []byte) error {
		topic, _, err := parsePartitionKey(k)
		if err == nil && slices.Contains(topics, topic) {
			t.ov.rows[string(k)] = nil
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("graphstore: forget positions: %w", err)
	}
	return nil
}

// dropPositions removes positions that were acknowledged and are not written yet: Commit writes them before what the Tx says.
func (t *Tx) dropPositions(of func(topic string) bool) {
	for _, p := range t.s.box.unwrittenPositions() {
		if of(p.Topic) {
			t.ov.rows[string(p.key())] = nil
		}
	}
}
