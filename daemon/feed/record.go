package feed

import (
	"encoding/json"

	"github.com/segmentio/kafka-go"

	"kilim/consumer/profile"
)

// deletedField marks a line that deletes its artifact.
const deletedField = "__deleted"

// record is a line on its way to the topic.
type record struct {
	line  int
	bytes int // of the line, its media's uris absolute
	msg   kafka.Message
	err   error // the input ended here
}

func newRecord(no int, line []byte) record {
	r := record{line: no, bytes: len(line), msg: kafka.Message{Value: line}}
	id, deleted := identify(line)
	if id != "" {
		r.msg.Key = []byte(id)
		if deleted {
			r.msg.Value = nil
		}
	}
	return r
}

// identify returns a line's id, "" when it has none that can be used as a key, and
// whether it asks for a deletion. The line is read as strictly as the daemon will read
// it: what that refuses gets no key.
func identify(line []byte) (id string, deleted bool) {
	fields, refusal := profile.Object(line, profile.Limits{RecordBytes: MaxLine})
	if refusal != nil {
		return "", false
	}
	if err := json.Unmarshal(fields["id"], &id); err != nil {
		return "", false // missing, or not a string
	}
	mark := string(fields[deletedField])
	return id, mark == "true" || mark == `"true"`
}
