package rerank

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
)

// Kind tells what an outbox entry is.
type Kind uint8

const (
	// KindUpdate is an Update for the topic of lists.
	KindUpdate Kind = 1
	// KindTombstone says that an artifact is gone, and its lists with it.
	KindTombstone Kind = 2
	// KindMessage is a ready message for a topic by name: a dead letter.
	KindMessage Kind = 3
	// KindThemed is an artifact's list of a theme, for that theme's topic; without a value it says that there is none any more.
	KindThemed Kind = 4
	// KindCell is a cell of a map of cultures, periods or places, for the topic of these; without a value it says that it is not there any more.
	KindCell Kind = 5
	// kindOrdered is how an Update of which a list is in a learned order is written; it is decoded as a KindUpdate.
	kindOrdered Kind = 6
	// KindQuery is an Update of a standing query, by whose name its ID is, for the topic of these; without an Update the query is there no more.
	KindQuery Kind = 7
)

const outboxVersion = 2

// Header is a header of a ready message. A nil value is null.
type Header struct {
	Key   string
	Value []byte
}

// OutMessage is a decoded outbox entry.
type OutMessage struct {
	Kind Kind
	// ID, Revision and Recorded are set for updates, tombstones and lists of themes, ID, the key, and Revision for cells and standing queries.
	ID       string
	Revision uint64
	Recorded time.Time
	// Update is set for updates, of standing queries too.
	Update *Update
	// Topic and Value are set for messages and lists of themes, Value for cells, Key and Headers for messages. A nil key or value is null.
	Topic   string
	Key     []byte
	Value   []byte
	Headers []Header
	// TraceParent is the trace context of the record that caused a list of a theme, or empty.
	TraceParent string
}

// EncodeUpdate returns the outbox form of an update.
func EncodeUpdate(u *Update) []byte {
	kind := KindUpdate
	if u.Ordered != nil {
		kind = kindOrdered
	}
	return appendUpdate(append(make([]byte, 0, 256+64*u.Lists.size()), outboxVersion, byte(kind)), u)
}

// appendUpdate ends with the Ordered, if there is one.
func appendUpdate(b []byte, u *Update) []byte {
	b = appendString(b, u.ID)
	b = binary.AppendUvarint(b, u.Revision)
	b = binary.AppendUvarint(b, uint64(u.Epoch))
	b = appendLists(b, u.Lists)
	b = binary.AppendUvarint(b, uint64(len(u.Changes)))
	for _, name := range slices.Sorted(maps.Keys(u.Changes)) {
		c := u.Changes[name]
		b = appendString(b, name)
		b = appendStrings(b, c.Entered)
		b = appendStrings(b, c.Left)
		b = appendStrings(b, c.Moved)
	}
	b = appendStrings(b, u.Cause)
	b = appendTime(b, u.Recorded)
	b = appendString(b, u.TraceParent)
	if u.Ordered != nil {
		b = appendOrdered(b, u.Ordered)
	}
	return b
}

// EncodeTombstone returns the outbox form of the message that deletes an artifact's lists.
// recorded is the timestamp of the record that deleted the artifact.
func EncodeTombstone(id string, revision uint64, recorded time.Time) []byte {
	b := append(make([]byte, 0, 32+len(id)), outboxVersion, byte(KindTombstone))
	b = appendString(b, id)
	b = binary.AppendUvarint(b, revision)
	return appendTime(b, recorded)
}

// EncodeMessage returns the outbox form of a ready message. A nil key or value is null.
func EncodeMessage(topic string, key, value []byte, headers []Header) []byte {
	b := append(make([]byte, 0, 64+len(topic)+len(key)+len(value)+64*len(headers)), outboxVersion, byte(KindMessage))
	b = appendString(b, topic)
	b = appendOptional(b, key)
	b = appendOptional(b, value)
	b = binary.AppendUvarint(b, uint64(len(headers)))
	for _, h := range headers {
		b = appendString(b, h.Key)
		b = appendOptional(b, h.Value)
	}
	return b
}

// EncodeThemed returns the outbox form of an artifact's list of a theme. A nil value says that it has none any more.
func EncodeThemed(m *OutMessage) []byte {
	b := append(make([]byte, 0, 64+len(m.Topic)+len(m.ID)+len(m.Value)+len(m.TraceParent)), outboxVersion, byte(KindThemed))
	b = appendString(b, m.Topic)
	b = appendString(b, m.ID)
	b = binary.AppendUvarint(b, m.Revision)
	b = appendTime(b, m.Recorded)
	b = appendString(b, m.TraceParent)
	return appendOptional(b, m.Value)
}

// EncodeCell returns the outbox form of a cell. A nil value says that it is not there any more.
func EncodeCell(key string, revision uint64, value []byte) []byte {
	b := append(make([]byte, 0, 32+len(key)+len(value)), outboxVersion, byte(KindCell))
	b = appendString(b, key)
	b = binary.AppendUvarint(b, revision)
	return appendOptional(b, value)
}

// How an entry of a standing query goes on.
const (
	queryGone    = 0
	queryStated  = 1
	queryOrdered = 2
)

// EncodeQuery returns the outbox form of an update of a standing query.
func EncodeQuery(u *Update) []byte {
	form := byte(queryStated)
	if u.Ordered != nil {
		form = queryOrdered
	}
	return appendUpdate(append(make([]byte, 0, 256+64*u.Lists.size()), outboxVersion, byte(KindQuery), form), u)
}

// EncodeQueryGone returns the outbox form of the message that a standing query is there no more.
func EncodeQueryGone(name string, revision uint64) []byte {
	b := append(make([]byte, 0, 32+len(name)), outboxVersion, byte(KindQuery), queryGone)
	return binary.AppendUvarint(appendString(b, name), revision)
}

// Decode reads an outbox entry. The message does not refer to value's memory.
func Decode(value []byte) (OutMessage, error) {
	d := decoder{rest: value}
	d.version(outboxVersion)
	m := OutMessage{Kind: Kind(d.byte("kind"))}
	switch m.Kind {
	case KindUpdate, kindOrdered:
		m.Update = d.update()
		if m.Kind == kindOrdered {
			m.Kind, m.Update.Ordered = KindUpdate, d.ordered()
		}
		m.ID, m.Revision, m.Recorded = m.Update.ID, m.Update.Revision, m.Update.Recorded
	case KindTombstone:
		m.ID = d.string("id")
		m.Revision = d.uvarint("revision")
		m.Recorded = d.time("recorded")
	case KindMessage:
		m.Topic = d.string("topic")
		m.Key = d.optional("key")
		m.Value = d.optional("value")
		m.Headers = d.headers("headers")
	case KindThemed:
		m.Topic = d.string("topic")
		m.ID = d.string("id")
		m.Revision = d.uvarint("revision")
		m.Recorded = d.time("recorded")
		m.TraceParent = d.string("traceparent")
		m.Value = d.optional("value")
	case KindCell:
		m.ID = d.string("key")
		m.Revision = d.uvarint("revision")
		m.Value = d.optional("value")
	case KindQuery:
		d.query(&m)
	default:
		d.fail("kind", fmt.Errorf("%d is not known", m.Kind))
	}
	if err := d.finish("outbox entry"); err != nil {
		return OutMessage{}, err
	}
	return m, nil
}

func (d *decoder) query(m *OutMessage) {
	form := d.below("form", queryOrdered)
	if form == queryGone {
		m.ID = d.string("name")
		m.Revision = d.uvarint("revision")
		return
	}
	m.Update = d.update()
	if form == queryOrdered {
		m.Update.Ordered = d.ordered()
	}
	m.ID, m.Revision, m.Recorded = m.Update.ID, m.Update.Revision, m.Update.Recorded
}

func (d *decoder) update() *Update {
	u := &Update{
		ID:       d.string("id"),
		Revision: d.uvarint("revision"),
		Epoch:    uint32(d.below("epoch", math.MaxUint32)),
		Lists:    d.lists(),
	}
	if n := d.count("changes", 4); n > 0 {
		u.Changes = make(map[string]Changes, n)
		for range n {
			name := d.string("changes")
			u.Changes[name] = Changes{Entered: d.strings("entered"), Left: d.strings("left"), Moved: d.strings("moved")}
		}
	}
	u.Cause = d.strings("cause")
	u.Recorded = d.time("recorded")
	u.TraceParent = d.string("traceparent")
	return u
}

func appendStrings(b []byte, v []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(v)))
	for _, s := range v {
		b = appendString(b, s)
	}
	return b
}

func (d *decoder) strings(field string) []string {
	n := d.count(field, 1)
	if n == 0 {
		return nil
	}
	out := make([]string, n)
	for i := range out {
		out[i] = d.string(field)
	}
	return out
}

func (d *decoder) headers(field string) []Header {
	n := d.count(field, 2)
	if n == 0 {
		return nil
	}
	out := make([]Header, n)
	for i := range out {
		out[i] = Header{Key: d.string(field), Value: d.optional(field)}
	}
	return out
}
