package consumer

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/segmentio/kafka-go"
)

// ErrOtherLog is returned by Run when a partition's log is not the one that its stored offset is of.
var ErrOtherLog = errors.New("the state was made from another log")

// logMark tells the log that an offset is of from another log of the same name: by the id of its topic, and by the last record
// before the offset.
//
// The offset alone does not: a topic that was deleted and made anew, or one of another cluster, has an offset of that number
// too as soon as it is long enough, and reading on from there would pass over all records before it without a word. What is found
// to be another log is refused, and not read from its beginning: whether the new log replaces the old one (then what is stored has
// to go) or follows it (then it has to stay) is not told by any of the two, and mixing two archives can't be undone.
//
// The id tells of a topic made anew whatever became of the records. The record tells of a log that was cut off and written
// again under the same id (brokers restored from a backup, a leader elected that lacked the last records), and is all there is with
// brokers that give no id. A record that retention or compaction has taken says nothing. Its time is left out: a broker that
// stamps records with the time of its own gives other times to clients after it has compacted them.
type logMark struct {
	topic topicID
	last  int64 // offset of the record, -1: none
	sum   uint64
}

// markOf is that of the log of which r is the last record that was read. A record that was not kept whole is none to compare.
func markOf(topic topicID, r *Record) logMark {
	if r.Dropped > 0 {
		return logMark{topic: topic, last: -1}
	}
	return logMark{topic, r.Offset, r.sum()}
}

// sum is a checksum of key and value.
func (r *Record) sum() uint64 {
	h := sha256.New()
	for _, b := range [][]byte{r.Key, r.Value} {
		length := int64(len(b))
		if b == nil {
			length = -1 // a tombstone is not an empty value
		}
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(length)))
		h.Write(b)
	}
	return binary.BigEndian.Uint64(h.Sum(nil))
}

// markVersion begins an encoded logMark.
const markVersion = 1

func (m logMark) encode() string {
	b := append(make([]byte, 0, 33), markVersion)
	b = append(b, m.topic[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(m.last))
	return string(binary.BigEndian.AppendUint64(b, m.sum))
}

// decodeLogMark reads Offset.Log. One that says nothing is a logMark that fits every log.
func decodeLogMark(log string) (logMark, error) {
	if log == "" {
		return logMark{last: -1}, nil
	}
	if len(log) != 33 || log[0] != markVersion {
		return logMark{}, fmt.Errorf("a mark of %d bytes, version %d: this program reads 33 bytes of version %d", len(log), log[0], markVersion)
	}
	m := logMark{topic: topicID([]byte(log[1:17]))}
	m.last = int64(binary.BigEndian.Uint64([]byte(log[17:25])))
	m.sum = binary.BigEndian.Uint64([]byte(log[25:]))
	return m, nil
}

// cut is the offset after an earlier record of the same log.
func (o Offset) cut(last *Item) Offset {
	o.Next = last.Offset + 1
	m, err := decodeLogMark(o.Log)
	if err != nil || o.Log == "" {
		o.Log = "" // nothing that this program knows, and so nothing to compare
		return o
	}
	o.Log = markOf(m.topic, &last.Record).encode()
	return o
}

// sameTopic is an ErrOtherLog when the topic has another id than m says. An id that is not known is no other one.
func (m logMark) sameTopic(tp TopicPartition, id topicID) error {
	if m.topic == id || m.topic == (topicID{}) || id == (topicID{}) {
		return nil
	}
	return fmt.Errorf("consumer: %w: it stands in the topic %q with the id %v, and the topic has the id %v now: "+
		"it was deleted and made anew, or these are the brokers of another cluster", ErrOtherLog, tp.Topic, m.topic, id)
}

// sameRecord is an ErrOtherLog when another record is where m has one; first is where the log begins now.
func (g *generation) sameRecord(ctx context.Context, tp TopicPartition, m logMark, first int64) error {
	if m.last < first {
		return nil // there is none, or retention took it
	}
	pg, err := g.c.fetcher.fetch(ctx, tp, m.last)
	if errors.Is(err, kafka.OffsetOutOfRange) {
		return nil // retention took it just now
	}
	if err != nil {
		return err
	}
	for r := range pg.records() {
		if r.Offset != m.last || r.Dropped > 0 || r.sum() == m.sum {
			return nil
		}
		break
	}
	return fmt.Errorf("consumer: %w: record %d of %v is another one now: the log was cut off and written again "+
		"(brokers restored from a backup, a leader without the last records), or these are the brokers of another cluster", ErrOtherLog, m.last, tp)
}
