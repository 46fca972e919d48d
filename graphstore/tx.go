package graphstore

import (
	"errors"
	"fmt"
	"iter"
	"strings"
)

// Tx is one atomic batch of changes. It reads its own writes, and nobody else
// sees them until Commit. It is for one goroutine at a time.
//
// A method that returns an error about an argument has changed nothing. After an error
// of a read from the disk a change may be half done: the Tx must be discarded.
type Tx struct {
	Reader
	done bool
}

var errDone = errors.New("graphstore: the transaction has ended")

func checkPartition(topic string, partition int) error {
	if err := checkName("the name of a topic", topic); err != nil {
		return err
	}
	if topic == "" || strings.ContainsRune(topic, 0) {
		return fmt.Errorf("topic %q: want a name without a zero byte", topic)
	}
	if partition < 0 || partition > 1<<31-1 {
		return fmt.Errorf("partition %d of topic %q: out of range", partition, topic)
	}
	return nil
}

// SetEncoderDim stores the length of an encoder's vectors. It can't be changed later.
func (t *Tx) SetEncoderDim(name string, dim int) error {
	if t.broken != nil {
		return t.broken
	}
	if name == "" || dim < 1 {
		return fmt.Errorf("graphstore: encoder %q of dimension %d: want a name and a positive dimension", name, dim)
	}
	if err := checkName("the name of an encoder", name); err != nil {
		return err
	}
	if have, ok := t.EncoderDim(name); ok && have != dim {
		return fmt.Errorf("graphstore: encoder %q of dimension %d: it has dimension %d", name, dim, have)
	}
	t.ov.dims[name] = dim
	t.ov.rows[string(stringKey(keyDim, name))] = encodeNumber(uint64(dim))
	return nil
}

// PutMeta stores anything under a key of the caller's; nil removes it.
func (t *Tx) PutMeta(key string, val []byte) error {
	if t.broken != nil {
		return t.broken
	}
	if key == "" {
		return errors.New("graphstore: put meta: the key is empty")
	}
	if err := checkName("the key of a meta row", key); err != nil {
		return err
	}
	if err := t.s.checkSize(fmt.Sprintf("the meta row %q", key), len(val)); err != nil {
		return err
	}
	var row []byte
	if val != nil {
		row = encodeBlob(val)
	}
	t.ov.rows[string(stringKey(keyMeta, key))] = row
	return nil
}

// AddTerms adds delta to the document frequency of each of buckets.
func (t *Tx) AddTerms(buckets iter.Seq[uint32], delta int32) error {
	if t.broken != nil {
		return t.broken
	}
	for bucket := range buckets {
		t.ov.terms = append(t.ov.terms, countTerm(bucket, delta))
	}
	return nil
}

// Enqueue appends a message to the outbox and returns its number: the first of
// the store is 1, and each is one more than the one before. The numbers of a
// Tx that is discarded are given again.
func (t *Tx) Enqueue(value []byte) (uint64, error) {
	if t.broken != nil {
		return 0, t.broken
	}
	if err := t.s.checkSize("a message", len(value)); err != nil {
		return 0, err
	}
	seq := t.state.nextSeq
	t.state.nextSeq++
	t.ov.messages = append(t.ov.messages, OutboxEntry{Seq: seq, Time: t.s.opts.Now().UTC(), Value: value})
	return seq, nil
}

// Commit makes all of the Tx durable, or none of it. After an error that is none of an earlier call, no ErrTooLarge
// and no ErrNoSpace, the store has failed: see ErrFailed.
func (t *Tx) Commit() error {
	if t.done {
		return errDone
	}
	defer t.end()
	if t.broken != nil {
		return fmt.Errorf("graphstore: commit: %w", t.broken)
	}
	if err := t.s.Err(); err != nil {
		return err
	}
	ops, err := t.writes()
	if err == nil {
		err = t.s.checkOps(ops)
	}
	if err != nil {
		return fmt.Errorf("graphstore: commit: %w", err)
	}
	if len(ops) == 0 {
		return nil
	}
	acks := t.s.unwritten()
	ops = append(acks.ops, ops...) // first: what the Tx does to the outbox and its positions comes after them
	if err := t.s.commitRoom(ops, t.s.Margin()/2); err != nil {
		return fmt.Errorf("graphstore: commit: %w", err)
	}
	if err := t.s.commit(t.state.commits, ops); err != nil {
		t.s.poison(err)
		return fmt.Errorf("graphstore: commit: %w", t.s.Err())
	}
	dims := t.snap.dims
	if len(t.ov.dims) > 0 {
		dims = t.EncoderDims()
	}
	// Before publish: whoever reads a message of this commit may acknowledge it at once, and Ack looks into s.box.
	if t.ov.outboxTaken {
		t.s.box.reset(t.ov.messages, t.state.nextSeq)
	} else {
		t.s.box.committed(t.ov.messages)
	}
	t.s.publish(t.state, dims, t.ov)
	if !t.ov.outboxTaken {
		t.s.box.wrote(acks)
	}
	return nil
}

// Discard ends the Tx without a trace. After Commit it does nothing.
func (t *Tx) Discard() {
	if !t.done {
		t.end()
	}
}

func (t *Tx) end() {
	t.done = true
	t.broken = errDone
	if t.snap != nil {
		t.s.release(t.snap)
	}
	if cap(t.ov.terms) <= mostKeptTerms {
		t.s.terms = t.ov.terms
	}
	t.s.writer.Unlock()
}

// writes turns the overlay into rows.
func (t *Tx) writes() ([]op, error) {
	ov := t.ov
	for id := range ov.deleted {
		ov.rows[string(idKey(keyLists, id))] = nil
	}
	if err := t.foldTerms(); err != nil {
		return nil, err
	}
	ops := make([]op, 0, 2*len(ov.nodes)+len(ov.rows)+len(ov.messages)+8*len(ov.edges)+64)
	for id, n := range ov.nodes {
		ops = nodeOps(ops, id, ov.below[id], n)
	}
	for from, p := range ov.edges {
		var err error
		if ops, err = t.edgeOps(ops, from, p); err != nil {
			return nil, err
		}
	}
	for c, m := range ov.uses {
		for by, on := range m {
			o := op{key: useKey(c, by)}
			if on {
				o.value = bareRow
			}
			ops = append(ops, o)
		}
	}
	for id, m := range ov.otherLabels {
		for text, o := range m {
			ops = append(ops, o.writes(id, text)...)
		}
	}
	for k, v := range ov.rows {
		ops = append(ops, op{key: []byte(k), value: v})
	}
	for _, m := range ov.messages {
		ops = append(ops, op{key: seqKey(m.Seq), value: encodeMessage(m.Time, m.Value)})
	}
	if len(ops) == 0 {
		return nil, nil
	}
	t.state.commits++
	return append(ops, op{key: []byte{keyState}, value: encodeState(t.state)}), nil
}
