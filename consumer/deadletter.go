package consumer

import (
	"strconv"
	"strings"

	"github.com/segmentio/kafka-go"
)

// errorHeader begins the names that Kafka Connect gives to a dead letter's
// headers (KIP-298).
const errorHeader = "__connect.errors."

// droppedHeader is on a dead letter that lacks bytes of its record. The publisher puts it there too, where a topic does not
// take one whole.
const droppedHeader = "kilim_dropped_bytes"

// DeadLetter makes the message that tells of a refused item: key, value and
// headers as received, then where the record came from and why it was refused.
// Headers of those names that it came with (a dead letter that was fed again)
// are replaced. Of a record that was not kept whole a header tells how many bytes are missing. item.Refusal must not be nil.
func DeadLetter(item *Item) (key, value []byte, headers []kafka.Header) {
	headers = make([]kafka.Header, 0, len(item.Headers)+8)
	for _, h := range item.Headers {
		if !strings.HasPrefix(h.Key, errorHeader) {
			headers = append(headers, h)
		}
	}
	for _, h := range [...]struct{ name, value string }{
		{"topic", item.Topic},
		{"partition", strconv.Itoa(item.Partition)},
		{"offset", strconv.FormatInt(item.Offset, 10)},
		{"connector.name", "kilim"},
		{"stage", "VALUE_CONVERTER"},
		{"exception.class.name", item.Refusal.Reason},
		{"exception.message", item.Refusal.Error()},
	} {
		headers = append(headers, kafka.Header{Key: errorHeader + h.name, Value: []byte(h.value)})
	}
	if item.Dropped > 0 {
		headers = append(headers, kafka.Header{Key: droppedHeader, Value: []byte(strconv.Itoa(item.Dropped))})
	}
	return item.Key, item.Value, headers
}
