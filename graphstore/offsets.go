package graphstore

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Offset is where to go on reading a partition. Log is the caller's: what tells the log that Next is of from another that
// has the same name. The two are one row, for an offset means nothing in another log.
type Offset struct {
	Next int64
	Log  string
}

// maxLog is more than any caller needs to tell logs apart.
const maxLog = 1 << 10

// SetOffset stores where to go on reading a partition.
func (t *Tx) SetOffset(topic string, partition int, o Offset) error {
	if t.broken != nil {
		return t.broken
	}
	if err := checkPartition(topic, partition); err != nil {
		return fmt.Errorf("graphstore: set offset: %w", err)
	}
	if o.Next < 0 {
		return fmt.Errorf("graphstore: set offset of %s/%d: next %d is negative", topic, partition, o.Next)
	}
	if len(o.Log) > maxLog {
		return &SizeError{What: fmt.Sprintf("what tells the log of %s/%d", topic, partition), Size: int64(len(o.Log)), Limit: maxLog}
	}
	t.ov.rows[string(partitionKey(keyOffset, topic, partition))] = encodeOffset(o)
	return nil
}

// ForgetOffsets removes the offsets of all partitions and tells how many there were: whoever reads next begins at the beginning.
// It wants a Tx that has set none.
func (t *Tx) ForgetOffsets() (int, error) {
	if t.broken != nil {
		return 0, t.broken
	}
	n := 0
	err := scanRows(t.snap.txn, []byte{keyOffset}, func(k, _ []byte) error {
		t.ov.rows[string(k)] = nil
		n++
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("graphstore: forget offsets: %w", err)
	}
	return n, nil
}

// Offset returns where to go on reading a partition; ok is false when nothing
// was stored for it.
func (r *Reader) Offset(topic string, partition int) (o Offset, ok bool, err error) {
	row, err := r.row(partitionKey(keyOffset, topic, partition))
	if err == nil && row == nil {
		return Offset{}, false, nil
	}
	if err == nil {
		o, err = decodeOffset(row)
	}
	if err != nil {
		return Offset{}, false, fmt.Errorf("graphstore: read offset of %s/%d: %w", topic, partition, err)
	}
	return o, true, nil
}

func encodeOffset(o Offset) []byte {
	b := binary.AppendUvarint(newRow(16+len(o.Log)), uint64(o.Next))
	return appendBytes(b, o.Log)
}

func decodeOffset(row []byte) (Offset, error) {
	d := decodeRow(row)
	o := Offset{Next: int64(d.uvarint()), Log: d.string()}
	if d.err == nil && o.Next < 0 {
		return Offset{}, errors.New("the offset is negative")
	}
	return o, d.end()
}
