package publish

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"

	"kilim/rerank"
)

// Headers that every published message carries: which store wrote it, and the outbox
// sequence number. By these the publisher knows its own messages again.
const (
	HeaderWriter = "kilim_writer"
	HeaderSeq    = "kilim_seq"
)

// CloudEvents types of what is published about lists.
const (
	TypeUpdated = "kilim.similar.updated"
	TypeDeleted = "kilim.similar.deleted"
)

// CloudEvents types of what is published about cells of maps.
const (
	TypeCellUpdated = "kilim.cultures.updated"
	TypeCellDeleted = "kilim.cultures.deleted"
)

// CloudEvents types of what is published about standing queries.
const (
	TypeQueryUpdated = "kilim.queries.updated"
	TypeQueryDeleted = "kilim.queries.deleted"
)

// Topics are the names of the topics that outbox entries don't name themselves. Entries that do are dead letters, and lists of themes, whose
// topics begin with Similar and a dot.
type Topics struct {
	Similar     string
	Cultures    string
	Queries     string // lists of standing queries
	DeadLetters string
	// Owner is where the owner of the transactional id says that it is there, see Beat; empty: it does not.
	Owner string
}

// themed tells whether a topic is one of lists of a theme.
func (t Topics) themed(name string) bool {
	return name != t.DeadLetters && name != t.Cultures && name != t.Queries && name != t.Owner && strings.HasPrefix(name, t.Similar+".")
}

// all are those that are there, whether or not there is something to say in them.
func (t Topics) all() []string { return []string{t.Similar, t.Cultures, t.Queries, t.DeadLetters} }

// told are those of all() whose keys have one newest message each, that says what holds.
func (t Topics) told(name string) bool {
	return name == t.Similar || name == t.Cultures || name == t.Queries
}

// render returns the Kafka message of an outbox entry: always the same bytes for the same
// arguments. Lists are CloudEvents 1.0 in binary mode (CloudEvents Kafka protocol
// binding, section 3.2) with source as ce_source; their id is "<artifact>/<revision>".
// writer and seq become the headers HeaderWriter and HeaderSeq; headers of these names
// that a dead letter came with are dropped, lest it be taken for one of ours.
// Partition, offset and time are left to whoever sends it.
func render(m *rerank.OutMessage, topics Topics, source, writer string, seq uint64) (kafka.Message, error) {
	own := []kafka.Header{
		{Key: HeaderWriter, Value: []byte(writer)},
		{Key: HeaderSeq, Value: strconv.AppendUint(nil, seq, 10)},
	}
	switch m.Kind {
	case rerank.KindUpdate:
		return renderUpdate(m, topics.Similar, event(m, TypeUpdated, source, own))
	case rerank.KindQuery:
		if m.Update == nil {
			return kafka.Message{Topic: topics.Queries, Key: []byte(m.ID), Headers: event(m, TypeQueryDeleted, source, own)}, nil
		}
		return renderUpdate(m, topics.Queries, event(m, TypeQueryUpdated, source, own))
	case rerank.KindTombstone:
		return kafka.Message{Topic: topics.Similar, Key: []byte(m.ID), Headers: event(m, TypeDeleted, source, own)}, nil
	case rerank.KindThemed:
		if m.Value == nil {
			return kafka.Message{Topic: m.Topic, Key: []byte(m.ID), Headers: event(m, TypeDeleted, source, own)}, nil
		}
		headers := append(event(m, TypeUpdated, source, own), kafka.Header{Key: "content-type", Value: []byte("application/json")})
		if t := m.TraceParent; t != "" {
			headers = append(headers, kafka.Header{Key: "traceparent", Value: []byte(t)})
		}
		return kafka.Message{Topic: m.Topic, Key: []byte(m.ID), Value: m.Value, Headers: headers}, nil
	case rerank.KindCell:
		out := kafka.Message{Topic: topics.Cultures, Key: []byte(m.ID), Value: m.Value}
		if out.Headers = event(m, TypeCellDeleted, source, own); m.Value != nil {
			out.Headers = append(event(m, TypeCellUpdated, source, own), kafka.Header{Key: "content-type", Value: []byte("application/json")})
		}
		return out, nil
	case rerank.KindMessage:
		headers := make([]kafka.Header, 0, len(m.Headers)+len(own))
		for _, h := range m.Headers {
			if h.Key != HeaderWriter && h.Key != HeaderSeq {
				headers = append(headers, kafka.Header(h))
			}
		}
		return kafka.Message{Topic: m.Topic, Key: m.Key, Value: m.Value, Headers: append(headers, own...)}, nil
	}
	return kafka.Message{}, fmt.Errorf("publish: render outbox entry %d: kind %d is not known", seq, m.Kind)
}

func renderUpdate(m *rerank.OutMessage, topic string, headers []kafka.Header) (kafka.Message, error) {
	value, err := JSON(m.Update)
	if err != nil {
		return kafka.Message{}, fmt.Errorf("publish: render update of %q: %w", m.ID, err)
	}
	headers = append(headers, kafka.Header{Key: "content-type", Value: []byte("application/json")})
	if t := m.Update.TraceParent; t != "" {
		headers = append(headers, kafka.Header{Key: "traceparent", Value: []byte(t)})
	}
	return kafka.Message{Topic: topic, Key: []byte(m.ID), Value: value, Headers: headers}, nil
}

// event returns the CloudEvents attributes. ce_time is the time of the record that
// caused the change; what no record caused has none, so that it renders the same at any time.
func event(m *rerank.OutMessage, kind, source string, own []kafka.Header) []kafka.Header {
	attr := func(name, value string) kafka.Header {
		return kafka.Header{Key: "ce_" + name, Value: []byte(value)}
	}
	headers := append(make([]kafka.Header, 0, 10),
		attr("specversion", "1.0"),
		attr("id", m.ID+"/"+strconv.FormatUint(m.Revision, 10)),
		attr("source", source),
		attr("type", kind),
		attr("subject", m.ID))
	if !m.Recorded.IsZero() {
		headers = append(headers, attr("time", m.Recorded.UTC().Format(time.RFC3339Nano)))
	}
	return append(headers, own...)
}
