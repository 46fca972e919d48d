package consumertest

import (
	"encoding/binary"
	"strings"

	"github.com/segmentio/kafka-go"
)

// Bad is a record that must be refused, and why.
type Bad struct {
	Name string
	// A Key of no bytes is sent as none, the value "<null>" as a tombstone.
	Key, Value string
	Headers    []kafka.Header
	Reason     string
}

// Headers makes headers of names and values in turn.
func Headers(pairs ...string) []kafka.Header {
	var list []kafka.Header
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, kafka.Header{Key: pairs[i], Value: []byte(pairs[i+1])})
	}
	return list
}

// Frame puts the frame of a Schema Registry before a value.
func Frame(id uint32, s string) string {
	return string(binary.BigEndian.AppendUint32([]byte{0}, id)) + s
}

func media(fields string) string { return `{"media":[{` + fields + `}]}` }

// Hostile returns one record of each kind that must be refused, for limits as they are by default.
func Hostile() []Bad {
	ceBinary := Headers("ce_specversion", "1.0", "ce_id", "1", "ce_type", "t", "ce_source", "s", "content-type", "application/json")
	ceStructured := Headers("content-type", "application/cloudevents+json; charset=utf-8")
	return []Bad{
		{"empty value", "k", "", nil, "not_json"},
		{"text", "k", "hello", nil, "not_json"},
		{"XML", "k", "<artifact/>", nil, "not_json"},
		{"cut off", "k", `{"title":"x`, nil, "not_json"},
		{"two values", "k", `{}{}`, nil, "not_json"},
		{"byte order mark", "k", "\ufeff{}", nil, "not_json"},
		{"NaN", "k", `{"location":{"lat":NaN,"lon":1}}`, nil, "not_json"},
		{"Infinity", "k", media(`"kind":"text","encoder":"e","embedding":[Infinity]`), nil, "not_json"},
		{"Avro behind a frame", "k", Frame(7, "\x02\x06abc"), nil, "not_json"},
		{"zero bytes", "k", "\x00\x00\x00", nil, "not_json"},
		{"not UTF-8", "k", "{\"title\":\"\xc3\x28\"}", nil, "not_utf8"},
		{"Latin-1", "k", "{\"title\":\"caf\xe9\"}", nil, "not_utf8"},
		{"UTF-16", "k", "\xff\xfe{\x00}\x00", nil, "not_utf8"},
		{"lone surrogate", "k", `{"title":"\ud83d"}`, nil, "not_utf8"},
		{"list", "k", `[{"id":"k"}]`, nil, "not_object"},
		{"number", "k", `42`, nil, "not_object"},
		{"string", "k", `"k"`, nil, "not_object"},
		{"null in JSON", "k", `null`, nil, "not_object"},
		{"too large", "k", `{"title":"` + strings.Repeat("x", 1<<20) + `"}`, nil, "too_large"},
		{"deep", "k", `{"x":` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + `}`, nil, "too_deep"},
		{"bomb", "k", strings.Repeat("[", 100_000), nil, "too_deep"},
		{"field twice", "k", `{"title":"a","title":"b"}`, nil, "duplicate_field"},
		{"no id", "", `{"title":"x"}`, nil, "no_id"},
		{"tombstone without key", "", "<null>", nil, "no_id"},
		{"id not whole", "", `{"id":5.5}`, nil, "wrong_type"},
		{"blank id", "", `{"id":" "}`, nil, "bad_id"},
		{"no field", "k", `{}`, nil, "no_fields"},
		{"no field of an artifact", "k", `{"name":"Vase","dept":7}`, nil, "no_fields"},
		{"no field beside an id", "k", `{"id":"k","name":"Vase"}`, nil, "no_fields"},
		{"long id", "", `{"id":"` + strings.Repeat("i", 1025) + `"}`, nil, "bad_id"},
		{"long key", strings.Repeat("i", 1025), `{}`, nil, "bad_id"},
		{"long key of a tombstone", strings.Repeat("i", 1025), "<null>", nil, "bad_id"},
		{"control in id", "", `{"id":"a\u0007"}`, nil, "bad_id"},
		{"key not UTF-8", "\xfe\xff", `{}`, nil, "bad_id"},
		{"key of another", "k", `{"id":"other"}`, nil, "id_mismatch"},
		{"title an object", "k", `{"title":{"en":"x"}}`, nil, "wrong_type"},
		{"culture a number", "k", `{"culture":[7]}`, nil, "wrong_type"},
		{"date a number", "k", `{"date":1900}`, nil, "wrong_type"},
		{"theme a string", "k", `{"theme":"knot"}`, nil, "wrong_type"},
		{"latitude", "k", `{"location":{"lat":91,"lon":0}}`, nil, "out_of_range"},
		{"longitude", "k", `{"location":{"lat":0,"lon":180.5}}`, nil, "out_of_range"},
		{"year", "k", `{"date":{"begin":12345678901}}`, nil, "out_of_range"},
		{"too many edges", "k", `{"subject":[` + strings.Repeat(`"s",`, 3000) + `"s"],"place":[` + strings.Repeat(`"s",`, 3000) + `"s"]}`, nil, "too_many"},
		{"too many terms", "k", `{"subject":[` + strings.Repeat(`"s",`, 5000) + `"s"]}`, nil, "too_many"},
		{"unknown kind", "k", media(`"kind":"video","uri":"u"`), nil, "media_kind"},
		{"no kind", "k", media(`"uri":"u"`), nil, "media_kind"},
		{"no content", "k", media(`"kind":"image","media_type":"image/png"`), nil, "media_empty"},
		{"bad base64", "k", media(`"kind":"image","data":"????"`), nil, "bad_base64"},
		{"no encoder", "k", media(`"kind":"text","embedding":[1,2]`), nil, "no_encoder"},
		{"beyond float32", "k", media(`"kind":"text","encoder":"e","embedding":[1e39]`), nil, "embedding_range"},
		{"embedding of zeros", "k", media(`"kind":"text","encoder":"e","embedding":[0,0]`), nil, "embedding_range"},
		{"embedding of strings", "k", media(`"kind":"text","encoder":"e","embedding":["1"]`), nil, "wrong_type"},
		{"link without target", "k", `{"link":[{"type":"part_of"}]}`, nil, "bad_link"},
		{"link to itself", "k", `{"link":[{"type":"part_of","target":"k"}]}`, nil, "bad_link"},
		{"CloudEvent of another version", "k", `{}`, Headers("ce_specversion", "0.3"), "bad_envelope"},
		{"CloudEvent with XML", "k", `{}`, Headers("ce_specversion", "1.0", "content-type", "application/xml"), "bad_envelope"},
		{"CloudEvent with a bad artifact", "k", `{"title":1}`, ceBinary, "wrong_type"},
		{"structured CloudEvent in Avro", "k", `{}`, Headers("content-type", "application/cloudevents+avro"), "bad_envelope"},
		{"batch of CloudEvents", "k", `[]`, Headers("content-type", "application/cloudevents-batch+json"), "bad_envelope"},
		{"structured without version", "k", `{"data":{}}`, ceStructured, "bad_envelope"},
		{"structured without data", "k", `{"specversion":"1.0"}`, ceStructured, "bad_envelope"},
		{"structured, data twice", "k", `{"specversion":"1.0","data":{},"data_base64":"e30="}`, ceStructured, "bad_envelope"},
		{"structured, other data", "k", `{"specversion":"1.0","datacontenttype":"text/plain","data":"x"}`, ceStructured, "bad_envelope"},
		{"structured, bad base64", "k", `{"specversion":"1.0","data_base64":"!"}`, ceStructured, "bad_base64"},
		{"structured, not JSON", "k", `oops`, ceStructured, "not_json"},
		{"structured, bad artifact", "k", `{"specversion":"1.0","data":[]}`, ceStructured, "not_object"},
		{"Debezium truncate", "", `{"before":null,"after":null,"op":"t","source":{}}`, nil, "bad_envelope"},
		{"Debezium without row", "k", `{"before":null,"after":null,"op":"u"}`, nil, "bad_envelope"},
		{"Debezium, bad row", "k", `{"before":null,"after":{"title":3},"op":"c"}`, nil, "wrong_type"},
		{"Debezium delete without id", "", `{"before":{},"after":null,"op":"d"}`, nil, "no_id"},
		{"Debezium delete of another", "k", `{"before":{"id":"l"},"after":null,"op":"d"}`, nil, "id_mismatch"},
		{"Debezium, row of another key", "k", `{"before":null,"after":{"id":3},"op":"c"}`, nil, "id_mismatch"},
		{"Debezium, row of another table", "k", `{"before":null,"after":{"name":"x"},"op":"c"}`, nil, "no_fields"},
		{"Debezium, unknown operation", "k", `{"before":null,"after":{"title":"x"},"op":"x","foreign":1}`, nil, "bad_envelope"},
		{"Debezium, operation a number", "k", `{"before":null,"after":{"title":"x"},"op":1}`, nil, "bad_envelope"},
		{"Debezium message", `{"prefix":"heartbeat"}`, `{"op":"m","ts_ms":1,"source":{},"message":{"prefix":"p","content":"e30="}}`, nil, "bad_envelope"},
		{"Debezium heartbeat", "k", `{"ts_ms":1}`, nil, "no_fields"},
		{"Debezium transaction", `{"id":"571"}`, `{"status":"END","id":"571","event_count":2,"data_collections":[]}`, nil, "bad_envelope"},
		{"Debezium schema change", "k", `{"source":{},"databaseName":"x","ddl":"ALTER TABLE"}`, nil, "bad_envelope"},
		{"Debezium with a column left out", "k", `{"before":null,"after":{"id":"k","title":"t","description":"__debezium_unavailable_value"},"op":"u"}`, nil, "bad_envelope"},
		{"MongoDB update without its document", "k", `{"after":null,"updateDescription":{"updatedFields":"{}"},"op":"u","source":{}}`, nil, "bad_envelope"},
		{"MongoDB update, field left out", "k", `{"before":null,"patch":"{}","op":"u","source":{}}`, nil, "bad_envelope"},
		{"MongoDB document that is no JSON", "k", `{"after":"{oops","op":"u","source":{}}`, nil, "not_json"},
		{"MongoDB document that is a text", "k", `{"after":"oops","op":"u","source":{}}`, nil, "not_object"},
		{"MongoDB of another key", "k", `{"after":"{\"_id\":\"l\",\"title\":\"x\"}","op":"u","source":{}}`, nil, "id_mismatch"},
		{"MongoDB change stream", `{"_id":{"_data":"82"}}`, `{"_id":{"_data":"82"},"operationType":"insert","fullDocument":{"_id":"k","title":"x"}}`, nil, "bad_envelope"},
		{"CloudEvent of Debezium without row", "k", `{"specversion":"1.0","id":"1","source":"s","type":"t","iodebeziumop":"u","data":{"before":null,"after":null}}`, nil, "bad_envelope"},
		{"CloudEvent of Debezium, message", "k", `{"specversion":"1.0","id":"1","source":"s","type":"t","iodebeziumop":"m","data":{"prefix":"p","content":"e30="}}`, nil, "bad_envelope"},
		{"CloudEvent without data or header", "k", `{"specversion":"1.0","id":"1","source":"s","type":"t","subject":"u"}`, nil, "bad_envelope"},
		{"CloudEvent with data null", "k", `{"specversion":"1.0","id":"1","source":"s","type":"t","data":null}`, nil, "bad_envelope"},
		{"CloudEvent of an old version without header", "k", `{"specversion":"0.3","id":"1","source":"s","type":"t","data":{"title":"x"}}`, nil, "bad_envelope"},
		{"CockroachDB resolved", "k", `{"resolved":"1536168205.0"}`, nil, "bad_envelope"},
		{"CockroachDB bare resolved", "k", `{"__crdb__":{"resolved":"1536168205.0"}}`, nil, "bad_envelope"},
		{"CockroachDB deletion with a foreign field", "k", `{"after":null,"shard":3}`, nil, "bad_envelope"},
		{"CockroachDB batch for webhooks", "k", `{"payload":[{"after":{"title":"x"}}],"length":1}`, nil, "not_object"},
		{"payload null without a schema", "k", `{"payload":null}`, nil, "bad_envelope"},
		{"payload of a change without its row", "k", `{"payload":{"before":null,"after":null,"op":"u"}}`, nil, "bad_envelope"},
		{"payload that is foreign", "k", `{"payload":{"name":"x"},"topic":"t"}`, nil, "no_fields"},
		{"payloads in one another", "k", strings.Repeat(`{"payload":`, 8) + `{"title":"x"}` + strings.Repeat("}", 8), nil, "bad_envelope"},
		{"Maxwell", "k", `{"database":"m","table":"object","type":"insert","ts":1,"xid":2,"commit":true,"data":{"id":"k","title":"x"}}`, nil, "bad_envelope"},
		{"Canal", "k", `{"data":[{"id":"k"}],"database":"m","table":"object","id":3,"isDdl":false,"type":"INSERT"}`, nil, "bad_envelope"},
		{"GoldenGate", "k", `{"table":"OBJECT","op_type":"I","op_ts":"x","pos":"0"}`, nil, "bad_envelope"},
		{"DMS", "k", `{"data":{"id":"k","title":"x"},"metadata":{"operation":"insert"}}`, nil, "bad_envelope"},
		{"deleted, without id", "", `{"title":"x","__deleted":true}`, nil, "no_id"},
		{"deleted, of another", "k", `{"id":"l","title":"x","__deleted":"true"}`, nil, "id_mismatch"},
		{"Connect payload a list", "k", `{"schema":null,"payload":[]}`, nil, "not_object"},
	}
}

// Message is the record as a producer sends it.
func (b *Bad) Message() kafka.Message {
	m := kafka.Message{Key: []byte(b.Key), Value: []byte(b.Value), Headers: b.Headers}
	if b.Key == "" {
		m.Key = nil
	}
	if b.Value == "<null>" {
		m.Value = nil
	}
	return m
}
