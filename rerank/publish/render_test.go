package publish

import (
	"math"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"kilim/rerank"
)

func sampleUpdate() *rerank.Update {
	return &rerank.Update{
		ID: "walters:22764", Revision: 300, Epoch: 2,
		Lists: both(
			[]rerank.Entry{{ID: "b", Score: 0.75, Parts: rerank.Parts{Cosine: 0.5, Entities: 1, Words: 0.25, Date: 0.125, Link: 1}}, {ID: "c", Score: -0.5}},
			[]rerank.Entry{{ID: "c", Score: 0.5}}),
		Changes:     map[string]rerank.Changes{"total": {Entered: []string{"b"}, Left: []string{"d", "e"}, Moved: []string{"c"}}, "general": {}},
		Cause:       []string{"walters:22764", "b"},
		Recorded:    time.UnixMilli(1_750_000_000_123).UTC(),
		TraceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	}
}

func both(total, general []rerank.Entry) rerank.Lists {
	return rerank.Lists{{Name: rerank.ListTotal, Entries: total}, {Name: rerank.ListGeneral, Entries: general}}
}

func sampleEntries() [][]byte {
	return [][]byte{
		rerank.EncodeUpdate(sampleUpdate()),
		rerank.EncodeUpdate(&rerank.Update{}),
		rerank.EncodeTombstone("a/b ü", math.MaxUint64, time.UnixMilli(0).UTC()),
		rerank.EncodeTombstone("x", 0, time.Time{}),
		rerank.EncodeMessage("dlq", []byte("k"), nil, []rerank.Header{{Key: "h", Value: []byte{}}, {Key: "h"}}),
		rerank.EncodeMessage("dlq", nil, []byte{}, nil),
	}
}

const goldenUpdate = `{"id":"walters:22764","revision":300,"epoch":2,"lists":{` +
	`"total":[{"id":"b","score":0.75,"parts":{"cosine":0.5,"entities":1,"words":0.25,"date":0.125,"link":1}},` +
	`{"id":"c","score":-0.5,"parts":{"cosine":0,"entities":0,"words":0,"date":0,"link":0}}],` +
	`"general":[{"id":"c","score":0.5,"parts":{"cosine":0,"entities":0,"words":0,"date":0,"link":0}}]},` +
	`"changes":{"general":{"entered":[],"left":[],"moved":[]},"total":{"entered":["b"],"left":["d","e"],"moved":["c"]}},` +
	`"cause":["walters:22764","b"]}`

func TestUpdateJSON(t *testing.T) {
	t.Parallel()
	for want, u := range map[string]*rerank.Update{
		goldenUpdate: sampleUpdate(),
		`{"id":"","revision":0,"epoch":0,"lists":{"total":[],"general":[]},"changes":{},"cause":[]}`: {Lists: both(nil, nil)},
	} {
		if got, err := JSON(u); err != nil || string(got) != want {
			t.Errorf("got\n%s, %v, want\n%s", got, err, want)
		}
	}
}

func renderSample(t *testing.T, i int) (kafka.Message, map[string]string) {
	t.Helper()
	m, err := rerank.Decode(sampleEntries()[i])
	if err != nil {
		t.Fatal(err)
	}
	msg, err := render(&m, Topics{Similar: "kilim.similar", DeadLetters: "dlq"}, "/kilim/u", "u", 42)
	if err != nil {
		t.Fatal(err)
	}
	headers := map[string]string{}
	for _, h := range msg.Headers {
		if _, ok := headers[h.Key]; ok && i < 4 {
			t.Errorf("header %s twice", h.Key)
		}
		headers[h.Key] = string(h.Value)
	}
	return msg, headers
}

func TestRender(t *testing.T) {
	t.Parallel()
	msg, headers := renderSample(t, 0)
	if msg.Topic != "kilim.similar" || string(msg.Key) != "walters:22764" || string(msg.Value) != goldenUpdate {
		t.Errorf("update: topic %s, key %s, value %s", msg.Topic, msg.Key, msg.Value)
	}
	equal(t, headers, map[string]string{
		"ce_specversion": "1.0", "ce_id": "walters:22764/300", "ce_source": "/kilim/u", "ce_type": "kilim.similar.updated",
		"ce_subject": "walters:22764", "ce_time": "2025-06-15T15:06:40.123Z", "content-type": "application/json",
		"traceparent":  "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		"kilim_writer": "u", "kilim_seq": "42",
	})
	msg, headers = renderSample(t, 3)
	if msg.Topic != "kilim.similar" || string(msg.Key) != "x" || msg.Value != nil {
		t.Errorf("tombstone: topic %s, key %s, value %q", msg.Topic, msg.Key, msg.Value)
	}
	equal(t, headers, map[string]string{
		"ce_specversion": "1.0", "ce_id": "x/0", "ce_source": "/kilim/u", "ce_type": "kilim.similar.deleted",
		"ce_subject": "x", "kilim_writer": "u", "kilim_seq": "42",
	})
	msg, _ = renderSample(t, 5)
	if msg.Topic != "dlq" || msg.Key != nil || msg.Value == nil || len(msg.Value) != 0 {
		t.Errorf("message: topic %s, key %v, value %v: null and empty must stay apart", msg.Topic, msg.Key, msg.Value)
	}
}

// A dead letter may be a message of ours that somebody fed back.
func TestRenderDropsForeignMarks(t *testing.T) {
	t.Parallel()
	m := rerank.OutMessage{Kind: rerank.KindMessage, Topic: "dlq", Headers: []rerank.Header{
		{Key: HeaderSeq, Value: []byte("7")}, {Key: "keep", Value: []byte("1")}, {Key: HeaderWriter, Value: []byte("other")}}}
	msg, err := render(&m, Topics{}, "/kilim/u", "u", 42)
	if err != nil {
		t.Fatal(err)
	}
	want := []kafka.Header{{Key: "keep", Value: []byte("1")}, {Key: HeaderWriter, Value: []byte("u")}, {Key: HeaderSeq, Value: []byte("42")}}
	if len(msg.Headers) != len(want) || len(m.Headers) != 3 {
		t.Fatalf("headers %v, want %v", msg.Headers, want)
	}
	for i := range want {
		if msg.Headers[i].Key != want[i].Key || string(msg.Headers[i].Value) != string(want[i].Value) {
			t.Errorf("header %d: %v, want %v", i, msg.Headers[i], want[i])
		}
	}
}

func equal(t *testing.T, got, want map[string]string) {
	t.Helper()
	for k, v := range want {
		if got[k] != v {
			t.Errorf("header %s: %q, want %q", k, got[k], v)
		}
	}
	for k, v := range got {
		if _, ok := want[k]; !ok {
			t.Errorf("header %s: %q was not expected", k, v)
		}
	}
}

// Whatever can be decoded can be rendered: a message that can't would hold up the outbox for ever.
func FuzzRender(f *testing.F) {
	for _, b := range sampleEntries() {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := rerank.Decode(b)
		if err != nil {
			return
		}
		if _, err := render(&m, Topics{Similar: "s", Cultures: "cultures", Queries: "kilim.queries.similar", DeadLetters: "d"}, "/kilim/x", "x", 1); err != nil {
			t.Fatalf("decoded %+v and could not render it: %v", m, err)
		}
	})
}
