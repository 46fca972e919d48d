package feed

import (
	"github.com/segmentio/kafka-go"

	"kilim/consumer"
	"kilim/consumer/profile"
)

// record is a line on its way to the topic.
type record struct {
	line    int
	bytes   int // of the line, its media's uris absolute
	msg     kafka.Message
	refusal *profile.Refusal // of the daemon, as far as the line alone tells
	unread  []string         // fields that the daemon does not understand
	err     error            // the input ended here
}

// newRecord decodes the line as the daemon will, so that both agree on its id and on what can be used. What is refused
// keeps the id that it names, so that it goes the same way as the artifact's other records.
func newRecord(no int, line []byte, lim profile.Limits) record {
	r := record{line: no, bytes: len(line), msg: kafka.Message{Value: line}}
	item := consumer.Decode(consumer.Record{Value: line}, lim)
	r.refusal = item.Refusal
	id := item.ID
	if item.Artifact != nil {
		r.unread = item.Artifact.Unread
	} else {
		lim.RecordBytes = MaxLine
		fields, _ := profile.Object(line, lim) // its refusal is the item's
		switch {
		case r.refusal != nil:
			id = profile.ID(fields["id"])
		case profile.Deleted(fields):
			r.msg.Value = nil
		}
	}
	if id != "" {
		r.msg.Key = []byte(id)
	}
	return r
}
