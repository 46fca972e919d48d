package recordset

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/segmentio/kafka-go/protocol"
)

// oldRecords gives the records of a message of version 0 or 1, and of those that are packed in it.
func oldRecords(message []byte, from int64) iter.Seq[Record] {
	return func(yield func(Record) bool) {
		last := int64(binary.BigEndian.Uint64(message))
		next := from
		var set protocol.RecordSet
		framed := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(message)), uint32(len(message)))
		_, err := set.ReadFrom(bytes.NewReader(append(framed, message...)))
		for err == nil && set.Records != nil {
			var r *protocol.Record
			if r, err = set.Records.ReadRecord(); err != nil {
				break
			}
			var rec Record
			if rec, err = oldRecord(r); err != nil || rec.Offset < from {
				continue
			}
			next = rec.Offset + 1
			if !yield(rec) {
				return
			}
		}
		if err != nil && !errors.Is(err, io.EOF) && next <= last {
			yield(Record{Offset: next, Fault: fmt.Errorf("offsets %d to %d: %w", next, last, err)})
		}
	}
}

func oldRecord(r *protocol.Record) (rec Record, err error) {
	rec.Offset, rec.Time, rec.Headers = r.Offset, r.Time, slices.Clone(r.Headers)
	if rec.Key, err = take(r.Key, &rec.Dropped); err != nil {
		return rec, err
	}
	rec.Value, err = take(r.Value, &rec.Dropped)
	return rec, err
}

// take copies bytes out of kafka-go's pages and lets go of those. It copies all of them or none.
func take(b protocol.Bytes, dropped *int) ([]byte, error) {
	if b == nil {
		return nil, nil
	}
	defer b.Close()
	if n := b.Len(); n > PartBytes {
		*dropped += n
		return nil, nil
	}
	return protocol.ReadAll(b)
}
