package main

import (
	"testing"

	"kilim/daemon/experiments/poison/hostile"
)

// TestLastRecordCounts: of an artifact's records the last one that was not refused says what is served.
func TestLastRecordCounts(t *testing.T) {
	t.Parallel()
	l := newLedger()
	for i, value := range []string{`{"id":"a","title":"first"}`, "", `{"id":"a","title":"refused"}`} {
		r := &hostile.Record{Seq: i, ID: "a", Family: "good"}
		if value != "" {
			r.Value, r.Artifact = []byte(value), []byte(value)
		}
		l.sent(r, place{0, int64(i)})
	}
	refused := l.records[place{0, 2}]
	if l.last("a") != refused {
		t.Error("the last record is not the last")
	}
	refused.dead = "too_large"
	if last := l.last("a"); last != l.records[place{0, 1}] || !last.deletes {
		t.Errorf("the last one that was not refused is a deletion, not %+v", last)
	}
	if l.last("b") != nil {
		t.Error("an artifact that no record is of has one")
	}
}

func TestCanonical(t *testing.T) {
	t.Parallel()
	one := canonical([]byte(`{"a":"\u00e9<","n":1e999, "b":[1,2.0]}`))
	if one == 0 || one != canonical([]byte("\n{\"n\":1e999,\"b\":[1, 2.0],\"a\":\"é\\u003c\"}")) {
		t.Error("the same JSON, written in another way, is taken for another")
	}
	if one == canonical([]byte(`{"a":"é<","n":1e999,"b":[1,2]}`)) {
		t.Error("other JSON is taken for the same")
	}
	if canonical([]byte(`{"a"`)) != 0 {
		t.Error("what is no JSON has a hash")
	}
}
