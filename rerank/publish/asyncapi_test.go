package publish

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/segmentio/kafka-go"

	"kilim/consumer"
	"kilim/consumer/profile"
	"kilim/daemon/judgments"
	"kilim/rerank"
)

// document returns the description; strict lets no object have properties that are not described.
func document(t *testing.T, strict bool) map[string]any {
	t.Helper()
	b, err := os.ReadFile("asyncapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	b, err = yaml.YAMLToJSON(b)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if strict {
		forbidMore(doc)
	}
	return doc.(map[string]any)
}

func forbidMore(v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, sub := range v {
			forbidMore(sub)
		}
		if _, ok := v["additionalProperties"]; !ok && v["type"] == "object" && v["properties"] != nil {
			v["additionalProperties"] = false
		}
	case []any:
		for _, sub := range v {
			forbidMore(sub)
		}
	}
}

func compile(t *testing.T, doc map[string]any, pointer string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft7) // what AsyncAPI 3's schema object is made of
	c.AssertFormat()
	if err := c.AddResource("mem:///asyncapi.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("mem:///asyncapi.json#" + pointer)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validate(t *testing.T, s *jsonschema.Schema, what string, text []byte) {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if err := s.Validate(v); err != nil {
		t.Errorf("%s: %v\n%s", what, err, text)
	}
}

func headersJSON(t *testing.T, headers []kafka.Header) []byte {
	t.Helper()
	m := map[string]string{}
	for _, h := range headers {
		m[h.Key] = string(h.Value)
	}
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Every reference leads somewhere, and channels and operations say what they must.
func TestAsyncAPIHoldsTogether(t *testing.T) {
	t.Parallel()
	doc := document(t, false)
	if doc["asyncapi"] != "3.0.0" {
		t.Errorf("asyncapi: %v, want 3.0.0", doc["asyncapi"])
	}
	refs := 0
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok {
				refs++
				if lookup(doc, ref) == nil {
					t.Errorf("reference %s leads nowhere", ref)
				}
			}
			for _, sub := range v {
				walk(sub)
			}
		case []any:
			for _, sub := range v {
				walk(sub)
			}
		}
	}
	walk(doc)
	if refs == 0 {
		t.Error("no references: the test sees nothing")
	}
	topics := map[string]bool{}
	for _, c := range doc["channels"].(map[string]any) {
		topics[c.(map[string]any)["address"].(string)] = true
	}
	for _, topic := range []string{"kilim.artifacts", "kilim.similar", "kilim.similar.{theme}", "kilim.artifacts.dlq", "kilim.judgments"} {
		if !topics[topic] {
			t.Errorf("topic %s is not described", topic)
		}
	}
	if len(doc["operations"].(map[string]any)) != len(topics) {
		t.Error("want one operation a channel")
	}
}

// A Beat is as described.
func TestBeatsAreAsDescribed(t *testing.T) {
	t.Parallel()
	schema := compile(t, document(t, true), "/components/messages/Beat/payload")
	for _, b := range []Beat{{Writer: uuid, Reached: []Reached{}}, {Writer: uuid, Reached: []Reached{{Topic: "in", Partition: 1, Next: 5}}, Left: true}} {
		text, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		validate(t, schema, "beat", text)
	}
}

// What is judged is as described, and what is not as described is no judgment.
func TestJudgmentsAreAsDescribed(t *testing.T) {
	t.Parallel()
	schema := compile(t, document(t, true), "/components/messages/Judgment/payload")
	for _, text := range []string{`{"a":"a","b":"b","grade":0,"by":"Ada"}`, `{"a":"b","b":"a","grade":10,"theme":"craft","by":"Ada"}`} {
		j, err := judgments.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		written, err := json.Marshal(j)
		if err != nil {
			t.Fatal(err)
		}
		validate(t, schema, "judgment", written)
	}
	for _, text := range []string{`{"a":"a","b":"b","by":"x"}`, `{"a":"a","grade":1,"by":"x"}`, `{"a":"a","b":"b","grade":11,"by":"x"}`, `{"a":"a","b":"b","grade":-1,"by":"x"}`,
		`{"a":"","b":"b","grade":1,"by":"x"}`, `{"a":"a","b":"b","grade":1,"by":""}`} {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		_, refused := judgments.Parse([]byte(text))
		if described := schema.Validate(v) == nil; described || refused == nil {
			t.Errorf("%s: described %v, refused: %v", text, described, refused)
		}
	}
}

func lookup(doc map[string]any, ref string) any {
	var v any = doc
	for _, part := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
		m, _ := v.(map[string]any)
		v = m[part]
	}
	return v
}

// Messages on their whole way: scored, cut, enqueued, decoded, rendered.
func TestListsAreAsDescribed(t *testing.T) {
	t.Parallel()
	doc := document(t, true)
	payload := compile(t, doc, "/components/messages/SimilarUpdated/payload")
	updated := compile(t, doc, "/components/messages/SimilarUpdated/headers")
	deleted := compile(t, doc, "/components/messages/SimilarDeleted/headers")
	rng := rand.New(rand.NewPCG(5, 5))
	scorer, err := rerank.NewScorer(rerank.DefaultScoreWeights())
	if err != nil {
		t.Fatal(err)
	}
	evidence := func() *rerank.Evidence {
		e := &rerank.Evidence{ID: string(rune('a' + rng.IntN(26))), Node: rng.Uint64N(9), Begin: math.NaN(), End: 100 * rng.Float64(),
			Entities: []uint64{1, 2 + rng.Uint64N(3)}, Words: []rerank.Word{{Bucket: rng.Uint32N(4), Count: 1}, {Bucket: 9, Count: 3}}}
		if rng.IntN(2) == 0 {
			e.Links = []uint64{rng.Uint64N(9)}
		}
		return e
	}
	cut := func() []rerank.Entry {
		var out []rerank.Entry
		for range rng.IntN(6) {
			score, parts := scorer.Score(evidence(), evidence(), 2.2*rng.Float32()-1.1, flat{})
			out = append(out, rerank.Entry{ID: evidence().ID, Score: score, Parts: parts})
		}
		return rerank.TopK(out, 4)
	}
	for i := range 200 {
		old, new := both(cut(), cut()), both(cut(), cut())
		u := rerank.Update{ID: "walters:1/é", Revision: rng.Uint64() >> 1, Epoch: 1, Lists: new, Changes: rerank.DiffAll(old, new)}
		if i%2 == 0 {
			u.Cause, u.Recorded = []string{"x"}, time.UnixMilli(rng.Int64N(1<<41))
			u.TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
		}
		if i%3 == 0 {
			u.Ordered = ordered(new.Get(rerank.ListTotal), rng)
			u.Lists = u.Ordered.Over(new)
		}
		msg := rendered(t, rerank.EncodeUpdate(&u))
		validate(t, payload, "update", msg.Value)
		if u.Ordered != nil {
			addsUp(t, msg.Value, u.Ordered)
		}
		validate(t, updated, "headers of an update", headersJSON(t, msg.Headers))
		msg = rendered(t, rerank.EncodeTombstone(u.ID, u.Revision, u.Recorded))
		if msg.Value != nil {
			t.Fatal("a tombstone with a value")
		}
		validate(t, deleted, "headers of a tombstone", headersJSON(t, msg.Headers))
	}
}

// ordered is a list in a learned order: the parts are whole numbers of 2^-20, as those of package rank are.
func ordered(stated []rerank.Entry, rng *rand.Rand) *rerank.Ordered {
	o := &rerank.Ordered{Ranker: 1 + rng.Uint64()>>1}
	for _, e := range stated {
		parts := []rerank.OrderedPart{{Name: "stated", Value: float64(rng.IntN(1<<40)) / (1 << 20)}, {Name: "title_words", Value: -float64(rng.IntN(1<<20)) / (1 << 20)}}
		o.Entries = append(o.Entries, rerank.OrderedEntry{ID: e.ID, Score: parts[0].Value + parts[1].Value, Parts: parts})
	}
	return o
}

// addsUp wants a message to name the ranker, and the parts of each score of its total list to add up to it as numbers of JSON, in any order.
func addsUp(t *testing.T, value []byte, o *rerank.Ordered) {
	t.Helper()
	var told struct {
		Ranker string            `json:"ranker"`
		Lists  map[string][]item `json:"lists"`
	}
	if err := json.Unmarshal(value, &told); err != nil {
		t.Fatal(err)
	}
	if total := told.Lists[rerank.ListTotal]; told.Ranker != RankerName(o.Ranker) || len(total) != len(o.Entries) {
		t.Fatalf("%s is told of %+v", value, o)
	}
	for i, e := range told.Lists[rerank.ListTotal] {
		sum := 0.0
		for _, v := range e.Parts {
			sum += v
		}
		if e.ID != o.Entries[i].ID || sum != o.Entries[i].Score || e.Score != sum {
			t.Errorf("%+v is told, of parts that sum to %v, want %+v", e, sum, o.Entries[i])
		}
	}
}

// themed is a list of a theme as package daemon/themes/stored writes it, where a test holds it to this text.
const themed = `{"id":"a","revision":7,"model":"m1","lists":{"theme:motif":[{"id":"b","score":0.75,"parts":{"terms":0.5,"neighbours":0.25,"profile":0,"words":0}}]},` +
	`"changes":{"theme:motif":{"entered":["b"],"left":["c"],"moved":[]}},"cause":["b"]}`

// TestListsOfThemesAreAsDescribed is about messages as package daemon/themes/stored puts them into the outbox.
func TestListsOfThemesAreAsDescribed(t *testing.T) {
	t.Parallel()
	doc := document(t, true)
	m := rerank.OutMessage{Topic: "kilim.similar.motif", ID: "a", Revision: 7, Recorded: time.UnixMilli(1 << 40), Value: []byte(themed),
		TraceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
	msg := rendered(t, rerank.EncodeThemed(&m))
	validate(t, compile(t, doc, "/components/messages/ThemeUpdated/payload"), "list", msg.Value)
	validate(t, compile(t, doc, "/components/messages/ThemeUpdated/headers"), "headers of a list", headersJSON(t, msg.Headers))
	m.Value = nil
	msg = rendered(t, rerank.EncodeThemed(&m))
	if msg.Value != nil || msg.Topic != m.Topic || string(msg.Key) != "a" {
		t.Fatalf("a tombstone: %+v", msg)
	}
	validate(t, compile(t, doc, "/components/messages/ThemeDeleted/headers"), "headers of a tombstone", headersJSON(t, msg.Headers))
}

const celled = `{"field":"culture","theme":"motif","a":{"key":"a","label":"A","artifacts":2},"b":{"key":"b","label":"B","artifacts":3},"mean":0.5,"low":0.4,"high":0.6,` +
	`"contrast":0.1,"pairs":6,"nearest":[{"a":"x","b":"y","cosine":0.9}],"since":"2026-11-30T10:00:00.123Z","revision":7,"model":"m"}`

// TestCellsAreAsDescribed is about messages as package daemon/cultures puts them into the outbox.
func TestCellsAreAsDescribed(t *testing.T) {
	t.Parallel()
	doc := document(t, true)
	msg := rendered(t, rerank.EncodeCell("culture|a|b|motif", 7, []byte(celled)))
	validate(t, compile(t, doc, "/components/messages/CellUpdated/payload"), "cell", msg.Value)
	validate(t, compile(t, doc, "/components/messages/CellUpdated/headers"), "headers of a cell", headersJSON(t, msg.Headers))
	msg = rendered(t, rerank.EncodeCell("culture|a|b", 8, nil))
	if msg.Value != nil || msg.Topic != "kilim.cultures" || string(msg.Key) != "culture|a|b" {
		t.Fatalf("a tombstone: %+v", msg)
	}
	validate(t, compile(t, doc, "/components/messages/CellDeleted/headers"), "headers of a tombstone", headersJSON(t, msg.Headers))
}

// TestStandingQueriesAreAsDescribed is about messages as package daemon/queries puts them into the outbox.
func TestStandingQueriesAreAsDescribed(t *testing.T) {
	t.Parallel()
	doc := document(t, true)
	entries := []rerank.Entry{{ID: "b", Score: 0.5}}
	lists := rerank.Lists{{Name: rerank.ListTotal, Entries: entries}, {Name: rerank.ListGeneral, Entries: entries}}
	u := rerank.Update{ID: "horses", Revision: 7, Epoch: 1, Lists: lists, Changes: rerank.DiffAll(nil, lists), Cause: []string{"b"}, Recorded: time.UnixMilli(1 << 40)}
	for range 2 {
		msg := rendered(t, rerank.EncodeQuery(&u))
		if msg.Topic != "kilim.queries.similar" || string(msg.Key) != "horses" {
			t.Fatalf("%+v", msg)
		}
		validate(t, compile(t, doc, "/components/messages/QueryUpdated/payload"), "list", msg.Value)
		validate(t, compile(t, doc, "/components/messages/QueryUpdated/headers"), "headers of a list", headersJSON(t, msg.Headers))
		u.Ordered = &rerank.Ordered{Ranker: 9, Entries: []rerank.OrderedEntry{{ID: "b", Score: 1, Parts: []rerank.OrderedPart{{Name: "stated", Value: 1}}}}}
	}
	msg := rendered(t, rerank.EncodeQueryGone("horses", 8))
	if msg.Value != nil || msg.Topic != "kilim.queries.similar" || string(msg.Key) != "horses" {
		t.Fatalf("a tombstone: %+v", msg)
	}
	validate(t, compile(t, doc, "/components/messages/QueryDeleted/headers"), "headers of a tombstone", headersJSON(t, msg.Headers))
}

type flat struct{}

func (flat) EntityIDF(uint64) float32 { return 2 }
func (flat) WordIDF(uint32) float32   { return 3 }

func rendered(t *testing.T, entry []byte) kafka.Message {
	t.Helper()
	m, err := rerank.Decode(entry)
	if err != nil {
		t.Fatal(err)
	}
	topics := Topics{Similar: "kilim.similar", Cultures: "kilim.cultures", Queries: "kilim.queries.similar", DeadLetters: "kilim.artifacts.dlq"}
	msg, err := render(&m, topics, "/kilim/u-1", "u-1", 17)
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

func TestDeadLettersAreAsDescribed(t *testing.T) {
	t.Parallel()
	headers := compile(t, document(t, true), "/components/messages/DeadLetter/headers")
	for _, reason := range profile.Reasons() {
		item := consumer.Item{Refusal: profile.Refuse(reason, "title", "\x00", "because")}
		item.Topic, item.Offset, item.Key, item.Value = "in", 9, []byte("k"), []byte("{")
		item.Headers = []kafka.Header{{Key: "x", Value: []byte("1")}}
		key, value, h := consumer.DeadLetter(&item)
		headersOf := make([]rerank.Header, len(h))
		for i := range h {
			headersOf[i] = rerank.Header(h[i])
		}
		msg := rendered(t, rerank.EncodeMessage("kilim.artifacts.dlq", key, value, headersOf))
		validate(t, headers, "dead letter "+reason, headersJSON(t, msg.Headers))
	}
}

// What the schema takes the parser takes, and what the schema refuses it refuses, where
// the schema can express it.
func TestArtifactsAreAsDescribed(t *testing.T) {
	t.Parallel()
	schema := compile(t, document(t, false), "/components/messages/Artifact/payload")
	for text, good := range map[string]bool{
		`{"id":"a"}`: true,
		`{"id":"a","title":"T","creator":["x",{"id":"http://x","label":"X"}],"date":{"begin":-500,"end":-400,"text":"5th c."},
		  "location":{"lat":1,"lon":-180},"theme":{"motif":["bird"]},"link":[{"type":"part_of","target":"b"}],"unknown":{"kept":true},
		  "media":[{"kind":"image","uri":"x.png"},{"kind":"text","text":"t","language":"en"},
		           {"kind":"audio","embedding":[1,2e-3],"encoder":"clap"},{"kind":"image","data":"AAECAw==","media_type":"image/png"}]}`: true,
		`[]`:                              false,
		`{"id":""}`:                       false,
		`{"id":"a\u0007"}`:                false,
		`{"id":"a","title":7}`:            false,
		`{"id":"a","creator":7}`:          false,
		`{"id":"a","date":{"begin":2e7}}`: false,
		`{"id":"a","location":{"lat":91,"lon":0}}`:                      false,
		`{"id":"a","location":{"lat":1}}`:                               false,
		`{"id":"a","media":[{"kind":"film","uri":"x"}]}`:                false,
		`{"id":"a","media":[{"kind":"image"}]}`:                         false,
		`{"id":"a","media":[{"kind":"image","embedding":[1]}]}`:         false,
		`{"id":"a","media":[{"kind":"image","embedding":["x"]}]}`:       false,
		`{"id":"a","theme":{"motif":[7]}}`:                              false,
		`{"id":"a","link":[{"type":"part_of"}]}`:                        false,
		`{"id":"a","link":[{"type":"part_of","target":"b\u0000"}]}`:     false,
		`{"id":"` + strings.Repeat("i", 1025) + `"}`:                    false,
		`{"id":"a","media":[{"kind":"image","uri":"x","encoder":1}]}`:   false,
		`{"id":"a","subject":[{"id":"u","label":["more","than one"]}]}`: false,
	} {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		verdict := schema.Validate(v)
		_, refusal := profile.Parse([]byte(text), "", profile.Limits{})
		if (verdict == nil) != good || (refusal == nil) != good {
			t.Errorf("%.200s: schema: %v; parser: %v; want good: %v", text, verdict, refusal, good)
		}
	}
}

func TestRealArtifactsAreAsDescribed(t *testing.T) {
	t.Parallel()
	schema := compile(t, document(t, true), "/components/messages/Artifact/payload")
	for _, name := range []string{"walters.jsonl.gz", "tate-12k.jsonl.gz"} {
		f, err := os.Open("../../../shared/data/" + name)
		if errors.Is(err, fs.ErrNotExist) {
			t.Skip("no real feeds in ../../../shared/data")
		}
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		d := json.NewDecoder(z)
		for range 300 {
			var raw json.RawMessage
			if err := d.Decode(&raw); err != nil {
				t.Fatal(err)
			}
			validate(t, schema, name, raw)
		}
	}
}
