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

// Rejection is what the headers of a dead letter tell: where its record came from and why it was refused.
type Rejection struct {
	Topic     string `json:"topic"`
	Partition int    `json:"partition"`
	Offset    int64  `json:"offset"`
	Reason    string `json:"reason"` // empty: no dead letter of kilim's
	Detail    string `json:"detail"`
}

// RejectionOf reads the headers that DeadLetter writes. What is not there, or is no number, stays zero.
func RejectionOf(headers []kafka.Header) (r Rejection) {
	for _, h := range headers {
		name, ok := strings.CutPrefix(h.Key, errorHeader)
		if !ok {
			continue
		}
		switch value := string(h.Value); name {
		case "topic":
			r.Topic = value
		case "partition":
			r.Partition, _ = strconv.Atoi(value)
		case "offset":
			r.Offset, _ = strconv.ParseInt(value, 10, 64)
		case "exception.class.name":
			r.Reason = value
		case "exception.message":
			r.Detail = value
		}
	}
	return r
}
