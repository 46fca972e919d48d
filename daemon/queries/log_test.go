package queries

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/consumer/broker"
	"kilim/consumer/kafkaconn"
)

func TestParse(t *testing.T) {
	t.Parallel()
	q, err := Parse([]byte(`{"name":"horses-2","record":{ "id":"a", "title":"A horse" },"by":"Ada","seen":true}`))
	if err != nil || q.Name != "horses-2" || string(q.Record) != `{"id":"a","title":"A horse"}` || q.By != "Ada" {
		t.Errorf("%+v, %v", q, err)
	}
	if a, err := q.Artifact(); err != nil || a.ID != "a" || a.Title != "A horse" {
		t.Errorf("%+v, %v", a, err)
	}
	long := `{"name":"a","record":{"title":"` + strings.Repeat("x", MostRecord) + `"}}`
	terms := `{"name":"a","record":{"subject":["x` + strings.Join(make([]string, mostEdges+2), `","x`) + `"]}}`
	for text, want := range map[string]string{
		`{"record":{"title":"x"}}`:                                          `name: ""`,
		`{"name":"A","record":{"title":"x"}}`:                               `name: "A"`,
		`{"name":"a/b","record":{"title":"x"}}`:                             `name: "a/b"`,
		`{"name":"` + strings.Repeat("a", 65) + `","record":{"title":"x"}}`: "name: ",
		`{"name":"a"}`:                                    "record: is missing",
		`{"name":"a","record":[]}`:                        "record: ",
		`{"name":"a","record":{"id":"x"}}`:                "an empty query",
		`{"name":"a","record":{"title":7}}`:               "title",
		`{"name":"a","record":{"title":"x"},"by":"a\nb"}`: `by: "a\nb"`,
		`{"name":"a","record":{"title":"x"},"by":"` + strings.Repeat("x", 300) + `"}`: "by: ",
		long:  "record",
		terms: "edges",
		`{`:   "query",
	} {
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) || len(err.Error()) > 1000 {
			t.Errorf("%.80s: %v, want it to say %q", text, err, want)
		}
	}
}

// TestLog: what is added and removed is what a Log tells at once and what one that starts later tells, and there are never more than there may be.
func TestLog(t *testing.T) {
	t.Parallel()
	b, err := broker.Start("127.0.0.1:0", t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	conn, err := kafkaconn.New(kafkaconn.Config{Brokers: []string{b.Addr()}, ClientID: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	spec := kafkaconn.TopicSpec{Name: "queries", Partitions: 2, Replication: 1, Config: map[string]string{"cleanup.policy": "compact", "max.message.bytes": "2097152"}}
	if err := conn.EnsureTopics(t.Context(), []kafkaconn.TopicSpec{spec}); err != nil {
		t.Fatal(err)
	}
	run := func() (*Log, func()) {
		l := NewLog(conn, spec.Name, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- l.Run(ctx) }()
		return l, func() {
			stop()
			if err := <-done; err != nil {
				t.Error(err)
			}
			l.Close()
		}
	}
	query := func(name string, bytes int) *Query {
		return &Query{Name: name, Record: json.RawMessage(`{"title":"` + strings.Repeat("x", bytes) + `"}`)}
	}
	l, stop := run()
	large := MostRecord - 100
	for _, add := range []*Query{query("a", 10), query("large", large), query("b", 10), query("a", 20)} {
		if err := l.Add(t.Context(), add); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Remove(t.Context(), "b"); err != nil {
		t.Fatal(err)
	}
	if err := l.Remove(t.Context(), "b"); !errors.Is(err, ErrUnknown) {
		t.Errorf("removed twice: %v", err)
	}
	if err := l.Add(t.Context(), query("c", MostRecord+1)); err == nil {
		t.Error("a record that is too large stands")
	}
	l.set.most = 2
	if err := l.Add(t.Context(), query("c", 1)); !errors.Is(err, ErrFull) || !strings.Contains(err.Error(), `name: "c"`) {
		t.Errorf("one too many: %v", err)
	}
	l.set.most, l.set.room = 3, l.set.taken+500
	if err := l.Add(t.Context(), query("c", 600)); !errors.Is(err, ErrFull) || !strings.Contains(err.Error(), "bytes") {
		t.Errorf("too many bytes: %v", err)
	}
	tells := func(l *Log) string {
		all, _, complete := l.List()
		out := fmt.Sprint(complete)
		for _, q := range all {
			out += fmt.Sprintf(" %s %d", q.Name, len(q.Record))
		}
		return out
	}
	want := fmt.Sprintf("true a %d large %d", 20+len(`{"title":""}`), large+len(`{"title":""}`))
	wait := func() {
		t.Helper()
		for end := time.Now().Add(time.Minute); tells(l) != want; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("it tells %s, want %s", tells(l), want)
			}
		}
	}
	wait()
	stop()
	l = NewLog(conn, spec.Name, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	if got := tells(l); got != "false" {
		t.Errorf("a Log that has read nothing tells %s", got)
	}
	l.Close()
	l, stop = run()
	wait()
	stop()
}
