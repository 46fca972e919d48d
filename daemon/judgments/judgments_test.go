package judgments

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/segmentio/kafka-go"

	"kilim/consumer/broker"
	"kilim/consumer/kafkaconn"
)

func TestParse(t *testing.T) {
	t.Parallel()
	j, err := Parse([]byte(`{"b":"a","a":"b|%","grade":0.5,"theme":"mo|tif","by":"Ada","seen":true}`))
	if err != nil {
		t.Fatal(err)
	}
	if want := (Judgment{A: "a", B: "b|%", Grade: 0.5, Theme: "mo|tif", By: "Ada"}); *j != want {
		t.Errorf("got %+v, want %+v", *j, want)
	}
	if key := j.Key(); key != "a|b%7C%25|mo%7Ctif" {
		t.Errorf("key %q", key)
	}
	for text, want := range map[string]string{
		`{"b":"b","grade":1,"by":"x"}`:                                         "a: is missing",
		`{"a":"a","grade":1,"by":"x"}`:                                         "b: is missing",
		`{"a":"a","b":"b","by":"x"}`:                                           "grade: is missing",
		`{"a":"a","b":"a","grade":1,"by":"x"}`:                                 `b: "a"`,
		`{"a":"","b":"b","grade":1,"by":"x"}`:                                  "a",
		`{"a":"a\u0000","b":"b","grade":1,"by":"x"}`:                           "control characters",
		`{"a":"a","b":"b","grade":-1,"by":"x"}`:                                "grade: -1",
		`{"a":"a","b":"b","grade":11,"by":"x"}`:                                "grade: 11",
		`{"a":"a","b":"b","grade":1e999,"by":"x"}`:                             "grade",
		`{"a":"a","b":"b","grade":"1","by":"x"}`:                               "grade",
		`{"a":"a","b":"b","grade":1}`:                                          `by: ""`,
		`{"a":"a","b":"b","grade":1,"by":"` + strings.Repeat("x", 300) + `"}`:  "by: \"xxx",
		`{"a":"a","b":"b","grade":1,"by":"x","theme":"a\nb"}`:                  `theme: "a\nb"`,
		`{"a":"` + strings.Repeat("x", 5000) + `","b":"b","grade":1,"by":"x"}`: "a",
		`{"a":"a","b":"b","grade":1,"by":"x"} {}`:                              "judgment",
		`["a","b"]`: "judgment",
		``:          "judgment",
	} {
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) || len(err.Error()) > 1000 {
			t.Errorf("%.60s: %v, want it to say %q", text, err, want)
		}
	}
}

// What is parsed is written and parsed again, and of different pairs no two keys are equal.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"a":"a","b":"b|c","grade":1,"by":"x"}`), []byte(`{"a":"a|b","b":"c","grade":1,"by":"x"}`))
	f.Add([]byte(`{"a":"a","b":"b","grade":1,"by":"x","theme":"c"}`), []byte(`{"a":"a","b":"b|c","grade":1,"by":"x"}`))
	f.Fuzz(func(t *testing.T, one, other []byte) {
		j, err := Parse(one)
		if err != nil {
			return
		}
		value, err := j.value()
		if err != nil {
			t.Fatal(err)
		}
		if again, err := Parse(value); err != nil || *again != *j {
			t.Fatalf("%+v is written as %s and read as %+v, %v", j, value, again, err)
		}
		if k, err := Parse(other); err == nil {
			same := j.A == k.A && j.B == k.B && j.Theme == k.Theme
			if (j.Key() == k.Key()) != same {
				t.Fatalf("keys %q and %q", j.Key(), k.Key())
			}
		}
		s := newSet(10, 1000)
		_ = s.Record(0, string(other), one) // must not panic; a key that is another's is refused below
		if other := string(other); other != j.Key() && s.len() > 0 {
			t.Fatalf("%+v is taken under the key %q", j, other)
		}
	})
}

// The set is never larger than it may be, counts what it holds, and replacing what is known works when it is full.
func TestSetIsBounded(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 1))
	s := newSet(20, 8000)
	refused := 0
	for range 5000 {
		j := &Judgment{A: fmt.Sprint("a", rng.IntN(9)), B: "b" + strings.Repeat("x", rng.IntN(300)), Grade: 1, By: "x"}
		switch rng.IntN(8) {
		case 0:
			s.remove(j.Key())
		case 1:
			s.Forget(rng.IntN(200))
		default:
			if err := s.put(rng.IntN(200), j.Key(), j); err != nil {
				refused++
			}
		}
		sum := 0
		for key, e := range s.all {
			sum += e.bytes(key)
		}
		if sum != s.taken || s.taken > 8000 || len(s.all) > 20 {
			t.Fatalf("%d judgments of %d bytes, %d are counted", len(s.all), sum, s.taken)
		}
	}
	if refused == 0 {
		t.Error("the set was never full")
	}
	full := newSet(1, 8000)
	one := &Judgment{A: "a", B: "b", Grade: 1, By: "x"}
	if err := full.put(0, one.Key(), one); err != nil {
		t.Fatal(err)
	}
	one.Grade = 2
	if err := full.put(0, one.Key(), one); err != nil || full.list("")[0].Grade != 2 {
		t.Errorf("a judgment is not replaced when the set is full: %v", err)
	}
}

// topic is one of an embedded broker.
type topic struct {
	t    *testing.T
	conn *kafkaconn.Conn
	name string
	reg  *prometheus.Registry
}

func newTopic(t *testing.T, partitions int) *topic {
	t.Helper()
	b, err := broker.Start("127.0.0.1:0", t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return topicAt(t, b.Addr(), partitions)
}

func topicAt(t *testing.T, addr string, partitions int) *topic {
	t.Helper()
	conn, err := kafkaconn.New(kafkaconn.Config{Brokers: []string{addr}, ClientID: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	x := &topic{t: t, conn: conn, name: fmt.Sprintf("%s-%d", t.Name(), time.Now().UnixNano())} // of its own, for brokers that are shared
	x.create(partitions)
	return x
}

func (x *topic) create(partitions int) {
	x.t.Helper()
	spec := kafkaconn.TopicSpec{Name: x.name, Partitions: partitions, Replication: 1, Config: map[string]string{"cleanup.policy": "compact"}}
	if err := x.conn.EnsureTopics(x.t.Context(), []kafkaconn.TopicSpec{spec}); err != nil {
		x.t.Fatal(err)
	}
}

// run starts a Log; what it returns stops it.
func (x *topic) run() (*Log, func()) {
	x.t.Helper()
	x.reg = prometheus.NewRegistry()
	l := New(x.conn, x.name, x.reg, slog.New(slog.DiscardHandler))
	ctx, stop := context.WithCancel(x.t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	return l, func() {
		stop()
		if err := <-done; err != nil {
			x.t.Error(err)
		}
		l.Close()
	}
}

func TestHistories(t *testing.T) {
	t.Parallel()
	histories(t, newTopic(t, 3))
}

func TestKafkaHistories(t *testing.T) {
	addr := os.Getenv("KILIM_KAFKA")
	if addr == "" {
		t.Skip("needs a real Kafka: KILIM_KAFKA=host:port")
	}
	t.Parallel()
	histories(t, topicAt(t, addr, 3))
}

// histories: what a history of writes leaves is what the Log tells at once, what one that starts later tells, and what is exported.
func histories(t *testing.T, x *topic) {
	t.Helper()
	l, stop := x.run()
	rng := rand.New(rand.NewPCG(2, 2))
	want := map[string]Judgment{}
	sorted := func() (out []Judgment) {
		for _, key := range slices.Sorted(maps.Keys(want)) {
			out = append(out, want[key])
		}
		return out
	}
	for range 120 {
		j := Judgment{A: fmt.Sprint(rng.IntN(4)), B: fmt.Sprint("b|", rng.IntN(4)), Grade: float64(rng.IntN(5)), By: "Ada", Theme: []string{"", "motif"}[rng.IntN(2)]}
		before, _ := l.Changes()
		was := l.List("")
		var err error
		if rng.IntN(3) == 0 {
			err = l.Undo(t.Context(), j.B, j.A, j.Theme)
			delete(want, j.Key())
		} else {
			swapped := j
			swapped.A, swapped.B = j.B, j.A
			err = l.Write(t.Context(), &swapped)
			want[j.Key()] = j
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := l.List(""); !slices.Equal(got, sorted()) {
			t.Fatalf("holds %+v, want %+v", got, sorted())
		}
		if after, _ := l.Changes(); (after != before) == slices.Equal(was, sorted()) {
			t.Fatalf("%d changes, %d before, from %+v to %+v", after, before, was, sorted())
		}
	}
	one := fmt.Sprint(rng.IntN(4))
	if got := l.List(one); !slices.Equal(got, slices.DeleteFunc(sorted(), func(j Judgment) bool { return j.A != one && j.B != one })) {
		t.Errorf("of %q: %+v", one, got)
	}
	stop()
	exported, err := Export(t.Context(), x.conn, x.name, slog.New(slog.DiscardHandler))
	if err != nil || !slices.Equal(exported, sorted()) {
		t.Errorf("exported %+v, %v, want %+v", exported, err, sorted())
	}
	if _, complete := New(x.conn, x.name, prometheus.NewRegistry(), slog.New(slog.DiscardHandler)).Changes(); complete {
		t.Error("a Log that has read nothing says that it has all")
	}
	l, stop = x.run()
	defer stop()
	wait(t, "all of it", func() bool { _, complete := l.Changes(); return complete })
	if got := l.List(""); !slices.Equal(got, sorted()) || l.Len() != len(got) {
		t.Errorf("all that is there are %d: %+v, want %+v", l.Len(), got, sorted())
	}
	marker := Judgment{A: "1", B: "marker", Grade: 1, By: "Ada"}
	if err := l.Write(t.Context(), &marker); err != nil {
		t.Fatal(err)
	}
	want[marker.Key()] = marker
	wait(t, "what was there before", func() bool { return slices.Equal(l.List(""), sorted()) })
}

func wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited too long for %s", what)
		}
	}
}

// A record that can't be used changes nothing, is counted, and holds back no other.
func TestMalformedRecords(t *testing.T) {
	t.Parallel()
	x := newTopic(t, 1)
	l, stop := x.run()
	defer stop()
	good := `{"a":"a","b":"b","grade":1,"by":"Ada"}`
	bad := [][2]string{{"a|b", `{"a":"a","b":"b","grade":-1,"by":"x"}`}, {"b|a", good}, {"", good}, {"a|b", "{"}, {"a|b", ""}, {"a|b", strings.Repeat("x", 100_000)}}
	if err := l.Write(t.Context(), &Judgment{A: "a", B: "b", Grade: 3, By: "Ada"}); err != nil {
		t.Fatal(err)
	}
	for _, r := range bad {
		if _, _, err := l.topic.Send(t.Context(), r[0], []byte(r[1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Write(t.Context(), &Judgment{A: "a", B: "c", Grade: 2, By: "Ada"}); err != nil {
		t.Fatal(err)
	}
	if got := l.List(""); len(got) != 2 || got[0].Grade != 3 || got[1].Grade != 2 {
		t.Errorf("holds %+v", got)
	}
	if n := testutil.ToFloat64(l.refused); n != float64(len(bad)) {
		t.Errorf("%v records are counted as refused, %d are", n, len(bad))
	}
	if got, err := testutil.GatherAndCount(x.reg, "kilim_judgments", "kilim_judgments_refused_total"); err != nil || got != 2 {
		t.Errorf("%d metrics, %v", got, err)
	}
	for _, j := range []Judgment{{A: "a", B: "b", Grade: math.NaN(), By: "x"}, {A: "a", B: "a", Grade: 1, By: "x"}} {
		if err := l.Write(t.Context(), &j); err == nil {
			t.Errorf("%+v is written", j)
		}
	}
	if err := l.Undo(t.Context(), "", "b", ""); err == nil || !strings.HasPrefix(err.Error(), "a") && !bytes.Contains([]byte(err.Error()), []byte("a")) {
		t.Errorf("an undo of nothing: %v", err)
	}
}

// A topic that is deleted and made anew tells what it holds, and nothing of the one before.
func TestTopicMadeAnew(t *testing.T) {
	t.Parallel()
	x := newTopic(t, 1)
	l, stop := x.run()
	defer stop()
	if err := l.Write(t.Context(), &Judgment{A: "a", B: "b", Grade: 1, By: "Ada"}); err != nil {
		t.Fatal(err)
	}
	if _, err := x.conn.Client().DeleteTopics(t.Context(), &kafka.DeleteTopicsRequest{Topics: []string{x.name}}); err != nil {
		t.Fatal(err)
	}
	x.create(1)
	wait(t, "the new topic", func() bool { return len(l.List("")) == 0 })
	if err := l.Write(t.Context(), &Judgment{A: "a", B: "c", Grade: 1, By: "Ada"}); err != nil {
		t.Fatal(err)
	}
	wait(t, "its judgment", func() bool { got := l.List(""); return len(got) == 1 && got[0].B == "c" })
}
