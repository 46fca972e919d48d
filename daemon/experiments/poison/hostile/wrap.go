package hostile

import (
	"encoding/base64"
	"encoding/binary"
	"strings"

	"github.com/segmentio/kafka-go"
)

func header(name, value string) kafka.Header { return kafka.Header{Key: name, Value: []byte(value)} }

// frame is that of a Schema Registry.
func (g *Generator) frame(s string) string {
	return string(binary.BigEndian.AppendUint32([]byte{0}, g.rng.Uint32())) + s
}

// wrap puts the record's artifact into one to three envelopes that are opened, and its id into one of the forms of a key.
func (g *Generator) wrap(r *Record) {
	value := string(r.Artifact)
	if g.one(2) {
		value = g.change(value)
	}
	for range g.rng.IntN(3) {
		value = g.around(value)
	}
	g.finish(r, value)
}

// finish ends an envelope: with the headers of a CloudEvent in binary mode, and the frame.
func (g *Generator) finish(r *Record, value string) {
	if g.one(4) {
		r.Headers = append(r.Headers, header("ce_specversion", "1.0"), header("ce_id", "e"), header("ce_source", "s"), header("ce_type", "t"),
			header("content-type", pick(g, "application/json", "application/json; charset=utf-8", "application/vnd.x+JSON")))
	}
	if g.one(6) {
		value = g.frame(value)
	}
	r.Key, r.Value = []byte(g.key(r.ID)), []byte(value)
}

// key is one of the forms of an artifact's key.
func (g *Generator) key(id string) string {
	q := quote(id)
	key := pick(g, id, id, q, `[`+q+`]`, `{"id":`+q+`}`, `{"_id":`+q+`}`, `{"schema":{"type":"string"},"payload":`+q+`}`,
		`{"schema":{"type":"struct"},"payload":{"id":`+q+`}}`)
	if g.one(8) {
		key = g.frame(key)
	}
	return key
}

// change is a change event around a row.
func (g *Generator) change(row string) string {
	after := row
	if g.one(3) {
		after = quote(row) // as MongoDB has it
	}
	source := pick(g, `,"source":{"connector":"x"},"ts_ms":1`, `,"source":{},"transaction":null`)
	return pick(g,
		`{"before":null,"after":`+after+`,"op":"`+pick(g, "c", "u", "r")+`"`+source+`}`,
		`{"after":`+after+`}`,
		`{"after":`+after+`,"updateDescription":{"updatedFields":"{}"},"op":"u"`+source+`}`)
}

// around is an envelope around a value.
func (g *Generator) around(value string) string {
	switch g.rng.IntN(6) {
	case 0:
		return `{"schema":{"type":"struct"},"payload":` + value + `}`
	case 1:
		return `{"payload":` + value + pick(g, "", `,"topic":"t"`) + `}`
	case 2:
		return `{"id":"e","source":"s","specversion":"1.0","type":"t","subject":"u","data":` + value + `}`
	case 3:
		return `{"id":"e","source":"s","specversion":"1.0","type":"t","data_base64":"` + base64.StdEncoding.EncodeToString([]byte(value)) + `"}`
	case 4:
		return `{"schema":{"type":"string"},"payload":` + quote(value) + `}`
	}
	return value
}

// remove makes the record the deletion of its artifact.
func (g *Generator) remove(r *Record) {
	row := `{"id":` + quote(r.ID) + `,"title":"gone"}`
	switch g.rng.IntN(5) {
	case 0:
		g.finish(r, `{"before":`+pick(g, "null", row, quote(row))+`,"after":null,"op":"d","source":{}}`)
	case 1:
		g.finish(r, row[:len(row)-1]+`,"__deleted":`+pick(g, "true", `"true"`)+`}`)
	case 2:
		g.finish(r, `{"schema":null,"payload":null}`)
	default:
		r.Key = []byte(g.key(r.ID))
	}
}

// envelopes are the forms in which artifacts come, with something that does not belong there.
func envelopes(g *Generator, r *Record) {
	row := `{"id":` + quote(r.ID) + `,"title":` + quote(g.words(3)) + `,"culture":["Oruvle"]}`
	r.Artifact = []byte(row)
	change := g.change(row)
	event := `{"id":"e","source":"s","specversion":"1.0","type":"t","data":` + row + `}`
	deep := 1 + g.rng.IntN(200)
	value := pick(g,
		strings.Repeat(`{"payload":`, deep)+row+strings.Repeat("}", deep),
		strings.Repeat(`{"id":"e","source":"s","specversion":"1.0","type":"t","data":`, deep%9)+row+strings.Repeat("}", deep%9),
		strings.Repeat(`{"after":`, deep%9)+row+strings.Repeat("}", deep%9),
		change[:g.rng.IntN(len(change))],
		event[:g.rng.IntN(len(event))],
		strings.Replace(event, `"1.0"`, pick(g, `"2.0"`, `1.0`, `null`, `"1."`, quote(g.text(g.size(2000)))), 1),
		strings.Replace(change, `"op":"`, `"op":"`+pick(g, "t", "m", "x", "", "cc", g.words(1)), 1),
		strings.Replace(change, row, pick(g, "null", "[]", "7", `"x"`, `{}`, quote(quote(row)), `"__debezium_unavailable_value"`), 1),
		`{"schema":`+list(g.size(2000), func(int) string { return row })+`,"payload":`+row+`}`,
		`{"before":`+row+`,"after":`+row+`,"op":"d","op":"c"}`,
		`{"specversion":"1.0","id":"e","source":"s","type":"t","data":`+row+`,"data_base64":"e30="}`,
		`{"specversion":"1.0","id":"e","source":"s","type":"t","datacontenttype":`+quote(g.text(g.size(5000)))+`,"data":`+row+`}`,
		`{"__crdb__":{"deleted":true},"id":`+quote(r.ID)+`}`,
		`{"database":"m","table":"t","type":"insert","data":`+row+`}`,
		g.around(g.around(g.around(g.around(g.around(row))))),
	)
	if g.one(3) {
		r.Headers = append(r.Headers,
			header("content-type", pick(g, "application/cloudevents+json", "application/cloudevents+avro", "application/cloudevents-batch+json", "application/xml", "a;b;c", "\xff\x00/", strings.Repeat("a/", 5000))),
			header(pick(g, "ce_specversion", "CE_SPECVERSION", "ce_iodebeziumop"), pick(g, "1.0", "0.3", "d", "c", "x", "")))
	}
	// What a broken envelope says is up to it: a deletion, the row, or neither.
	r.Key, r.Value, r.Loose = []byte(r.ID), []byte(value), true
	if g.one(4) {
		r.Value = []byte(g.frame(value))
	}
}
