package consumer

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"kilim/consumer/consumertest"
	"kilim/consumer/profile"
)

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	for _, bad := range consumertest.Hostile() {
		item := Decode(received(bad), profile.Limits{})
		switch {
		case item.Refusal == nil:
			t.Errorf("%s: accepted as %+v, want %s", bad.Name, item.Artifact, bad.Reason)
		case item.Refusal.Reason != bad.Reason:
			t.Errorf("%s: got %v, want %s", bad.Name, item.Refusal, bad.Reason)
		case item.Artifact != nil:
			t.Errorf("%s: refused, but there is an artifact", bad.Name)
		}
	}
}

func TestDecodeEnvelopes(t *testing.T) {
	t.Parallel()
	const raw = `{"id":"a","title":"T"}`
	const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	connect := func(payload string) string { return `{"schema":{"type":"struct"},"payload":` + payload + `}` }
	cloudEvent := func(op, data string) string {
		return `{"id":"name:srv;lsn:1","source":"/debezium/x","specversion":"1.0","type":"io.debezium.x.datachangeevent","iodebeziumop":"` + op + `","data":` + data + `}`
	}
	ceBinary := consumertest.Headers("ce_specversion", "1.0", "ce_id", "1", "ce_type", "t", "ce_source", "s", "content-type", "application/json")
	ceStructured := consumertest.Headers("content-type", "application/cloudevents+json; charset=utf-8")
	tests := []struct {
		name, key, value string
		headers          []kafka.Header
		trace            string
		deleted          bool
	}{
		{name: "native", key: "a", value: raw},
		{name: "native without key", value: raw},
		{name: "id from key", key: "a", value: `{"title":"T"}`},
		{name: "trace", key: "a", value: raw, headers: consumertest.Headers("traceparent", trace), trace: trace},
		{name: "tombstone", key: "a", value: "<null>", deleted: true},
		{name: "frame", key: "a", value: consumertest.Frame(77, raw)},
		{name: "framed key", key: consumertest.Frame(3, "a"), value: consumertest.Frame(77, raw)},
		{name: "JSON key", key: `"a"`, value: raw},
		{name: "struct key", key: `{"id":"a"}`, value: raw},
		{name: "struct key with schema", key: connect(`{"id":"a"}`), value: "<null>", deleted: true},
		{name: "string key with schema", key: connect(`"a"`), value: raw},
		{name: "CloudEvent, binary", key: "a", value: raw, headers: append(consumertest.Headers("ce_traceparent", trace), ceBinary...), trace: trace},
		{name: "CloudEvent, binary, tombstone", key: "a", value: "<null>", headers: ceBinary, deleted: true},
		{name: "CloudEvent, binary, suffix", key: "a", value: raw, headers: consumertest.Headers("ce_specversion", "1.0", "Content-Type", "application/vnd.x+json")},
		{name: "CloudEvent, structured", key: "a", value: `{"specversion":"1.0","id":"9","source":"s","type":"t","traceparent":"` + trace + `","data":` + raw + `}`,
			headers: ceStructured, trace: trace},
		{name: "CloudEvent, structured, base64", key: "a", value: `{"specversion":"1.0","data_base64":"eyJpZCI6ImEiLCJ0aXRsZSI6IlQifQ=="}`, headers: ceStructured},
		{name: "CloudEvent, structured, no header", key: "a", value: `{"specversion":"1.0","id":"9","source":"s","type":"t","data":` + raw + `}`},
		{name: "Connect", key: "a", value: connect(raw)},
		{name: "Connect null", key: "a", value: connect("null"), deleted: true},
		{name: "Debezium create", key: `{"id":"a"}`, value: `{"before":null,"after":` + raw + `,"source":{"db":"x"},"op":"c","ts_ms":1,"transaction":null}`},
		{name: "Debezium snapshot with schema", key: connect(`{"id":"a"}`), value: connect(`{"before":null,"after":` + raw + `,"op":"r"}`)},
		{name: "Debezium delete", key: `{"id":"a"}`, value: `{"before":` + raw + `,"after":null,"op":"d"}`, deleted: true},
		{name: "Debezium delete without key", value: `{"before":` + raw + `,"after":null,"op":"d"}`, deleted: true},
		{name: "Debezium delete with the key only", key: "a", value: connect(`{"before":null,"after":null,"op":"d"}`), deleted: true},
		{name: "Debezium with a foreign field", key: "a", value: `{"before":null,"after":` + raw + `,"op":"c","shard":3}`},
		{name: "Debezium with a field of an artifact beside", key: "a", value: `{"before":null,"after":` + raw + `,"op":"c","source":{},"collection":"x"}`},
		{name: "Debezium in a payload alone", key: "a", value: `{"payload":{"before":null,"after":` + raw + `,"op":"c"}}`},
		{name: "Debezium delete in a payload alone", key: "a", value: `{"payload":{"before":` + raw + `,"after":null,"op":"d"}}`, deleted: true},
		{name: "CloudEvent of Debezium", key: `{"id":"a"}`, value: cloudEvent("r", `{"before":null,"after":`+raw+`}`)},
		{name: "CloudEvent of Debezium, delete", key: `{"id":"a"}`, value: cloudEvent("d", `{"before":`+raw+`,"after":null}`), deleted: true},
		{name: "CloudEvent of Debezium, delete without key", value: cloudEvent("d", `{"before":`+raw+`,"after":null}`), deleted: true},
		{name: "CloudEvent of Debezium with schema", key: "a", value: cloudEvent("u", connect(`{"before":null,"after":`+raw+`}`))},
		{name: "CloudEvent of Debezium, of a bare row", key: "a", value: cloudEvent("c", raw)},
		{name: "CloudEvent of Debezium, delete of a bare row", key: "a", value: cloudEvent("d", raw), deleted: true},
		{name: "CloudEvent of Debezium, MongoDB", key: "a", value: cloudEvent("c", `{"after":"{\"_id\":\"a\",\"title\":\"T\"}"}`)},
		{name: "CloudEvent of Debezium behind a schema", key: "a", value: connect(cloudEvent("r", `{"before":null,"after":`+raw+`}`))},
		{name: "CloudEvent of Debezium, binary", key: "a", value: `{"before":` + raw + `,"after":null}`, headers: append(consumertest.Headers("ce_iodebeziumop", "d"), ceBinary...), deleted: true},
		{name: "CloudEvent, suffix in capitals", key: "a", value: `{"specversion":"1.0","data":` + raw + `}`, headers: consumertest.Headers("content-type", "Application/CloudEvents+JSON")},
		{name: "CloudEvent, odd parameter", key: "a", value: `{"specversion":"1.0","data":` + raw + `}`, headers: consumertest.Headers("content-type", "application/cloudevents+json; charset")},
		{name: "CloudEvent, data in capitals", key: "a", value: `{"specversion":"1.0","datacontenttype":"TEXT/JSON","data":` + raw + `}`, headers: ceStructured},
		{name: "CloudEvent, binary, in capitals", key: "a", value: raw, headers: consumertest.Headers("CE_SpecVersion", "1.0", "Content-Type", "APPLICATION/JSON; Charset=UTF-8")},
		{name: "MongoDB", key: "a", value: `{"before":null,"after":"{\"_id\": \"a\", \"title\": \"T\"}","updateDescription":null,"source":{},"op":"u"}`},
		{name: "MongoDB without key", value: `{"after":"{\"_id\":\"a\",\"title\":\"T\"}","source":{},"op":"c"}`},
		{name: "MongoDB with its key", key: `{"id":"\"a\""}`, value: `{"after":"{\"_id\":\"a\",\"title\":\"T\"}","source":{},"op":"r"}`},
		{name: "MongoDB with an ObjectId", key: `{"id":"{\"$oid\": \"a\"}"}`, value: `{"after":"{\"_id\":{\"$oid\":\"a\"},\"title\":\"T\"}","source":{},"op":"r"}`},
		{name: "MongoDB delete", key: `{"id":"\"a\""}`, value: `{"before":null,"after":null,"updateDescription":null,"source":{},"op":"d"}`, deleted: true},
		{name: "MongoDB delete without key", value: `{"before":"{\"_id\":{\"$oid\":\"a\"}}","after":null,"op":"d"}`, deleted: true},
		{name: "MongoDB tombstone", key: `{"id":"{\"$oid\": \"a\"}"}`, value: "<null>", deleted: true},
		{name: "CockroachDB", key: `["a"]`, value: `{"after":` + raw + `}`},
		{name: "CockroachDB with metadata", key: `["a"]`, value: `{"after":` + raw + `,"before":null,"key":["a"],"topic":"t","updated":"1.0","mvcc_timestamp":"1.0"}`},
		{name: "CockroachDB delete", key: `["a"]`, value: `{"after":null,"updated":"1.0"}`, deleted: true},
		{name: "CockroachDB delete with diff", value: `{"after":null,"before":` + raw + `}`, deleted: true},
		{name: "CockroachDB bare", key: `["a"]`, value: `{"id":"a","title":"T","__crdb__":{"updated":"1.0"}}`},
		{name: "CockroachDB bare delete", key: `["a"]`, value: `{"id":"a","__crdb__":{"deleted":true}}`, deleted: true},
		{name: "CockroachDB enriched", key: `{"id":"a"}`, value: `{"payload":{"after":` + raw + `,"op":"c","source":{},"ts_ns":1},"schema":{}}`},
		{name: "CockroachDB enriched delete", key: `["a"]`, value: `{"payload":{"before":` + raw + `,"after":null,"op":"d","ts_ns":1}}`, deleted: true},
		{name: "CockroachDB key only", key: `["a"]`, value: "<null>", deleted: true},
		{name: "payload alone", key: "a", value: `{"payload":` + raw + `}`},
		{name: "payload as a string", key: "a", value: `{"schema":{"type":"string"},"payload":"{\"title\":\"T\"}"}`},
		{name: "unwrapped, deleted", key: "a", value: `{"id":"a","title":"T","__deleted":"true","__op":"d"}`, deleted: true},
		{name: "unwrapped, deleted, without key", value: `{"id":"a","__deleted":true}`, deleted: true},
		{name: "unwrapped, deleted, in a list", key: "a", value: `{"id":["a"],"title":["T"],"__deleted":["true"]}`, deleted: true},
		{name: "unwrapped, deleted, with schema", key: connect(`{"id":"a"}`), value: connect(`{"id":"a","title":"T","__deleted":"true"}`), deleted: true},
		{name: "unwrapped, not deleted", key: "a", value: `{"id":"a","title":"T","__deleted":"false"}`},
		{name: "framed Debezium", key: "a", value: consumertest.Frame(1, `{"before":null,"after":`+raw+`,"op":"u"}`)},
	}
	for _, tt := range tests {
		bad := consumertest.Bad{Key: tt.key, Value: tt.value, Headers: tt.headers}
		item := Decode(received(bad), profile.Limits{})
		if item.Refusal != nil || item.ID != "a" || (item.Artifact == nil) != tt.deleted || item.TraceParent != tt.trace {
			t.Errorf("%s: id %q, artifact %v, trace %q, refusal %v", tt.name, item.ID, item.Artifact, item.TraceParent, item.Refusal)
			continue
		}
		if !tt.deleted && item.Artifact.Title != "T" {
			t.Errorf("%s: got %+v", tt.name, item.Artifact)
		}
	}
}

// TestResolvedTimestamps: what CockroachDB's changefeeds tell of the time does not reach the Sink, what is only like it does, and records
// around are read.
func TestResolvedTimestamps(t *testing.T) {
	t.Parallel()
	_, cluster := startBroker(t, kfake.SeedTopics(1, topic))
	client := testClient(t, cluster)
	value := func(key []byte, value string) *kgo.Record {
		return &kgo.Record{Topic: topic, Key: key, Value: []byte(value)}
	}
	feed := []*kgo.Record{artifact(0, 0)}
	for _, passed := range []string{
		`{"resolved":"1536168205000000000.0000000000"}`, `{ "resolved" : "1.0" }`, `{"__crdb__":{"resolved":"1536168205000000000.0000000001"}}`,
		`{"payload":{"resolved":"1536168205000000000.0000000000"}}`,
	} {
		feed = append(feed, value(nil, passed))
	}
	feed = append(feed, artifact(0, 1))
	refused := []*kgo.Record{value([]byte("k"), `{"resolved":"1.0"}`), value([]byte{}, `{"resolved":"1.0"}`)}
	for _, like := range []string{
		`{"resolved":"1.0","key":1}`, `{"resolved":"soon"}`, `{"resolved":"1"}`, `{"resolved":1.0}`, `{"resolved":"1.0","resolved":"2.0"}`, `["resolved"]`,
		`{"__crdb__":{"resolved":"1.0","deleted":true}}`, `{"__crdb__":{"resolved":"1.0"},"a":1}`, `{"payload":{"resolved":"1.0"},"schema":{}}`, `"resolved"`,
	} {
		refused = append(refused, value(nil, like))
	}
	produce(t, client, append(feed, refused...)...)
	produce(t, client, value(nil, `{"resolved":"9.0"}`))
	sink := newStore()
	m := startMember(t, testConfig(), cluster, sink)
	sink.wait(t, 2+len(refused))
	eventually(t, "the last is passed over", m.CaughtUp)
	m.stop(t)
	items := sink.items[TopicPartition{topic, 0}]
	if len(items) != 2+len(refused) || items[0].Artifact == nil || items[1].Artifact == nil {
		t.Fatalf("%d items: %+v", len(items), items)
	}
	for _, item := range items[2:] {
		if item.Refusal == nil {
			t.Errorf("%s is not refused", item.Value)
		}
	}
}

// An artifact may have fields that envelopes have too.
func TestDecodeDoesNotTakeArtifactsForEnvelopes(t *testing.T) {
	t.Parallel()
	for _, value := range []string{
		`{"id":"a","title":"T","op":"d","after":null}`,
		`{"id":"a","title":"T","payload":{"id":"b"},"schema":1}`,
		`{"id":"a","title":"T","specversion":"1.0","data":{"id":"b"}}`,
		`{"id":"a","title":"T","specversion":"1.0","source":"s","type":"t"}`,
		`{"id":"a","title":"T","before":null,"after":{"id":"b"}}`,
		`{"id":"a","title":"T","before":"1900","op":"d"}`,
		`{"id":"a","type":"vase","op":"d","after":null}`,
		`{"id":"a","title":"T","payload":null}`,
		`{"id":"a","title":"T","database":"x","table":"y","type":"vase"}`,
		`{"id":"a","type":"vase","database":"x"}`,
		`{"id":"a","title":"T","__deleted":"no","resolved":true,"metadata":{},"data":{}}`,
	} {
		item := Decode(Record{Value: []byte(value)}, profile.Limits{})
		if item.Refusal != nil || item.ID != "a" || item.Artifact == nil || string(item.Artifact.Raw) != value {
			t.Errorf("%s: got %q, %+v, %v", value, item.ID, item.Artifact, item.Refusal)
		}
	}
}

func TestDeadLetter(t *testing.T) {
	t.Parallel()
	item := Decode(Record{
		Topic: "in", Partition: 3, Offset: 42, Key: []byte("k"), Value: []byte(`{"title":1}`),
		Headers: consumertest.Headers("mine", "x", "__connect.errors.topic", "old", "mine", "y"),
	}, profile.Limits{})
	key, value, got := DeadLetter(&item)
	if string(key) != "k" || string(value) != `{"title":1}` {
		t.Errorf("key %q, value %q: want them as received", key, value)
	}
	want := consumertest.Headers("mine", "x", "mine", "y",
		"__connect.errors.topic", "in", "__connect.errors.partition", "3", "__connect.errors.offset", "42",
		"__connect.errors.connector.name", "kilim", "__connect.errors.stage", "VALUE_CONVERTER",
		"__connect.errors.exception.class.name", "wrong_type",
		"__connect.errors.exception.message", "wrong_type: title 1: want a string")
	if !reflect.DeepEqual(got, want) {
		t.Errorf("headers\n%q, want\n%q", got, want)
	}
}

// A panic in the decoder is the record's refusal. JSON can't cause one that we
// know of, so an impossible item is made.
func TestDecodeCatchesPanics(t *testing.T) {
	t.Parallel()
	item := guard(Record{Key: []byte("k")}, func(*Item) { panic("the record's doing") })
	if item.Refusal == nil || item.Refusal.Reason != profile.ReasonPanic || !strings.Contains(item.Refusal.Detail, "the record's doing") {
		t.Errorf("got %+v", item.Refusal)
	}
}

func FuzzDecode(f *testing.F) {
	for _, bad := range consumertest.Hostile() {
		if len(bad.Value) < 4096 {
			kind, _ := header(bad.Headers, "content-type")
			version, _ := header(bad.Headers, "ce_specversion")
			f.Add([]byte(bad.Key), []byte(bad.Value), kind, version)
		}
	}
	f.Add([]byte(`{"id":"\"a\""}`), []byte(`{"after":"{\"_id\":{\"$oid\":\"a\"},\"title\":\"T\"}","source":{},"op":"r"}`), "", "")
	f.Add([]byte(`["a"]`), []byte(`{"payload":{"after":null,"updated":"1.0"}}`), "", "")
	f.Add([]byte(`[5.0]`), []byte(`{"id":5,"title":"T","__deleted":"true","__crdb__":{"deleted":true}}`), "", "")
	f.Add([]byte(`a`), []byte(`{"specversion":"1.0","id":"1","source":"s","type":"t","iodebeziumop":"d","data":{"before":{"id":"a"},"after":null}}`), "", "")
	f.Add([]byte(`{"id":"a"}`), []byte(`{"before":null,"after":{"id":"a"},"op":"c"}`), "", "")
	f.Add([]byte(`"a"`), []byte(`{"specversion":"1.0","data":{"id":"a"}}`), "application/cloudevents+json", "")
	f.Add([]byte(`a`), []byte("\x00\x00\x00\x00\x01{\"schema\":{},\"payload\":{\"id\":\"a\"}}"), "", "1.0")
	f.Fuzz(func(t *testing.T, key, value []byte, kind, version string) {
		rec := Record{Topic: "t", Key: key, Value: value}
		if kind != "" {
			rec.Headers = append(rec.Headers, kafka.Header{Key: "content-type", Value: []byte(kind)})
		}
		if version != "" {
			rec.Headers = append(rec.Headers, kafka.Header{Key: "ce_specversion", Value: []byte(version)})
		}
		before := fmt.Sprintf("%q %q", key, value)
		item := Decode(rec, profile.Limits{})
		if fmt.Sprintf("%q %q", key, value) != before {
			t.Fatal("the record was written to")
		}
		if r := item.Refusal; r != nil {
			if r.Reason == profile.ReasonPanic || !slices.Contains(profile.Reasons(), r.Reason) || item.Artifact != nil {
				t.Fatalf("refused with %v, artifact %v", r, item.Artifact)
			}
			k, v, _ := DeadLetter(&item)
			if !bytes.Equal(k, key) || !bytes.Equal(v, value) {
				t.Fatal("the dead letter is not as received")
			}
			return
		}
		if r := profile.CheckID("id", item.ID, profile.Limits{}); r != nil {
			t.Fatalf("accepted with a bad id: %v", r)
		}
		if item.Artifact == nil {
			return
		}
		if fields, r := profile.Object(item.Artifact.Raw, profile.Limits{}); r != nil || !(len(fields) == 1 && fields["id"] != nil) && hasOnly(fields, "id") {
			t.Fatalf("an artifact without content: %s", item.Artifact.Raw)
		}
		again, err := profile.Parse(item.Artifact.Raw, item.ID, profile.Limits{})
		if err != nil || !reflect.DeepEqual(again, item.Artifact) {
			t.Fatalf("from Raw: %+v, %v\nfirst: %+v", again, err, item.Artifact)
		}
	})
}

// received is the record as a broker gives it.
func received(bad consumertest.Bad) Record {
	m := bad.Message()
	return Record{Topic: "t", Key: m.Key, Value: m.Value, Headers: m.Headers}
}

// A whole number is the same artifact wherever it stands.
func TestWholeNumbersInKeys(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"5", `"5"`, `["5"]`, `[5]`, `[5.0]`, `{"id":5}`, `{"id":"5"}`, `{"id":5.0}`, `{"_id":5}`, `{"schema":{},"payload":5}`,
		`{"schema":{},"payload":{"id":5}}`, `{"id":"{\"$numberLong\": \"5\"}"}`, consumertest.Frame(1, `{"id":5}`)} {
		for value, deleted := range map[string]bool{
			"<null>": true, `{"id":5,"title":"T"}`: false, `{"id":"5","title":"T"}`: false, `{"id":5.0,"title":"T"}`: false, `{"title":"T"}`: false,
			`{"before":{"id":5},"after":null,"op":"d"}`: true, `{"before":null,"after":{"id":5,"title":"T"},"op":"c"}`: false, `{"id":5,"__deleted":true}`: true,
		} {
			item := Decode(received(consumertest.Bad{Key: key, Value: value}), profile.Limits{})
			if item.Refusal != nil || item.ID != "5" || (item.Artifact == nil) != deleted {
				t.Errorf("key %s, value %s: id %q, artifact %v, refusal %v", key, value, item.ID, item.Artifact, item.Refusal)
			}
		}
	}
	for _, key := range []string{`["a","b"]`, `[]`, `"a`, `[["a"]]`, `{"name":"x"}`, `"a","b":"c"`, `{"id":["a","b"]}`, `007`} {
		if id := keyID([]byte(key), profile.Limits{}); id != key {
			t.Errorf("key %s: the id %q", key, id)
		}
	}
}

// What is no trace context of W3C's form is dropped, wherever it stands; the record is kept.
func TestTraceContexts(t *testing.T) {
	t.Parallel()
	const good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	bad := []string{
		"", " ", "x", good + "0", good[1:], good + "-00", " " + good, strings.ToUpper(good), strings.Repeat("a", 700_000), "ff" + good[2:],
		"00-00000000000000000000000000000000-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
		strings.Replace(good, "-", "_", 1), strings.Replace(good, "a", "g", 1), strings.Replace(good, "0a", "é", 1),
	}
	for _, v := range append(bad, good) {
		want := ""
		if v == good {
			want = good
		}
		escaped := strings.NewReplacer(`"`, `\"`).Replace(v)
		for name, rec := range map[string]Record{
			"header":   {Value: []byte(`{"id":"a"}`), Headers: consumertest.Headers("TraceParent", v)},
			"ce":       {Value: []byte(`{"id":"a"}`), Headers: consumertest.Headers("traceparent", "x", "ce_traceparent", v)},
			"tomb":     {Key: []byte("a"), Headers: consumertest.Headers("traceparent", v)},
			"envelope": {Value: []byte(`{"specversion":"1.0","id":"1","source":"s","type":"t","traceparent":"` + escaped + `","data":{"id":"a"}}`)},
		} {
			if item := Decode(rec, profile.Limits{}); item.Refusal != nil || item.TraceParent != want {
				t.Errorf("%s %.60q: refusal %v, trace context %.60q", name, v, item.Refusal, item.TraceParent)
			}
		}
	}
}
