package consumer

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"

	"kilim/consumer/consumertest"
	"kilim/consumer/profile"
)

// wrapper puts a row, or the deletion of one, into one of the envelopes that are opened.
type wrapper struct{ rng *rand.Rand }

func (w wrapper) pick(options ...string) string { return options[w.rng.IntN(len(options))] }

// key is one of the forms of an artifact's key.
func (w wrapper) key(id string) string {
	quoted, _ := json.Marshal(id)
	q := string(quoted)
	if _, err := strconv.Atoi(id); err == nil {
		q = w.pick(q, id, id+".0")
	}
	inner, _ := json.Marshal(string(quoted))
	oid, _ := json.Marshal(`{"$oid":` + string(quoted) + `}`)
	key := w.pick(id, string(quoted), "["+q+"]", `{"id":`+q+`}`, `{"_id":`+q+`}`, `{"schema":{},"payload":`+q+`}`, `{"schema":{"type":"struct"},"payload":{"id":`+q+`}}`,
		`{"id":`+string(inner)+`}`, `{"id":`+string(oid)+`}`)
	if w.rng.IntN(4) == 0 {
		key = consumertest.Frame(w.rng.Uint32(), key)
	}
	return key
}

// change is a change event around a row; "" stands for the row of a deletion that is not told.
func (w wrapper) change(row string, deleted bool) string {
	text, _ := json.Marshal(row)
	foreign := w.pick("", `,"shard":3`, `,"transaction":null`, `,"__route":"x"`)
	source := w.pick("", `,"source":{"connector":"x"},"ts_ms":1`, `,"source":{},"collection":"beside"`)
	switch {
	case deleted:
		before := w.pick("null", row, string(text))
		return w.pick(
			`{"before":`+before+`,"after":null,"op":"d"`+foreign+source+`}`,
			`{"after":null,"updated":"1.0"}`,
			`{"before":`+w.pick("null", row)+`,"after":null,"mvcc_timestamp":"1.0","key":["x"]}`,
		)
	default:
		after := w.pick(row, string(text))
		op := w.pick("c", "u", "r")
		return w.pick(
			`{"before":null,"after":`+after+`,"op":"`+op+`"`+foreign+source+`}`,
			`{"after":`+after+foreign+`}`,
			`{"after":`+after+`,"updateDescription":{"updatedFields":"{}"},"op":"`+op+`"`+source+`}`,
		)
	}
}

func (w wrapper) around(value string) string {
	event := `{"id":"e","source":"s","specversion":"1.0","type":"t","subject":"u","data":` + value + `}`
	switch w.rng.IntN(5) {
	case 0:
		return `{"schema":{"type":"struct"},"payload":` + value + `}`
	case 1:
		return `{"payload":` + value + w.pick("", `,"topic":"t"`) + `}`
	case 2:
		return event
	case 3:
		text, _ := json.Marshal(value)
		return `{"schema":{"type":"string"},"payload":` + string(text) + `}`
	}
	return value
}

// TestWrappedAtRandom: what is put into envelopes comes out again, through up to three of them.
func TestWrappedAtRandom(t *testing.T) {
	t.Parallel()
	w := wrapper{rand.New(rand.NewPCG(18, 8))}
	for range 20_000 {
		id := w.pick("a", "museum:1", "77", "-5", "é [", `b"c`)
		idField := w.pick(fmt.Sprintf(`"id":%q,`, id), fmt.Sprintf(`"id":[%q],`, id), "")
		row := `{` + idField + `"title":"T","op":"x","culture":{"id":"u"}}`
		deleted := w.rng.IntN(3) == 0
		value := row
		switch {
		case w.rng.IntN(3) > 0:
			value = w.change(row, deleted)
		case deleted:
			value = row[:len(row)-1] + w.pick(`,"__deleted":true}`, `,"__deleted":"true"}`, `,"__crdb__":{"deleted":true}}`)
		}
		for range w.rng.IntN(4) {
			value = w.around(value)
		}
		key := w.key(id)
		if w.rng.IntN(4) == 0 {
			value = consumertest.Frame(1, value)
		}
		item := Decode(Record{Key: []byte(key), Value: []byte(value)}, profile.Limits{})
		if item.Refusal != nil || item.ID != id || (item.Artifact == nil) != deleted {
			t.Fatalf("key %s, value %s\n id %q, artifact %v, refusal %v; want %q, deleted %v", key, value, item.ID, item.Artifact, item.Refusal, id, deleted)
		}
		if !deleted && (item.Artifact.Title != "T" || string(item.Artifact.Raw) != row) {
			t.Fatalf("key %s, value %s\n artifact %s", key, value, item.Artifact.Raw)
		}
	}
}
