package watch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"

	"kilim/consumer/kafkaconn"
	"kilim/rerank"
	"kilim/rerank/publish"
)

const topic = "kilim.similar"

func connect(t *testing.T, opts ...kfake.Opt) *kafkaconn.Conn {
	t.Helper()
	cluster, err := kfake.NewCluster(append(opts, kfake.NumBrokers(1))...)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := kafkaconn.New(kafkaconn.Config{Brokers: cluster.ListenAddrs()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(); cluster.Close() })
	return conn
}

func write(t *testing.T, conn *kafkaconn.Conn, messages ...kafka.Message) {
	t.Helper()
	w := &kafka.Writer{Addr: kafka.TCP(conn.Brokers()...), Topic: topic, Balancer: kafka.Murmur2Balancer{}, RequiredAcks: kafka.RequireAll, BatchTimeout: time.Millisecond}
	if err := errors.Join(w.WriteMessages(context.Background(), messages...), w.Close()); err != nil {
		t.Fatal(err)
	}
}

func numbered(from, to int) []kafka.Message {
	var out []kafka.Message
	for i := from; i < to; i++ {
		out = append(out, kafka.Message{Key: fmt.Appendf(nil, "k%d", i%5), Value: fmt.Appendf(nil, "%d", i)})
	}
	return out
}

// collect follows until it has seen n messages; started is called as in Options.
func collect(t *testing.T, conn *kafkaconn.Conn, opt Options, n int) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	var got []string
	opt.Topic = topic
	err := Follow(ctx, conn, opt, func(m kafka.Message) error {
		if got = append(got, string(m.Value)); len(got) == n {
			cancel()
		}
		return nil
	})
	if err != nil || len(got) < n {
		t.Fatalf("%d of %d messages: %v", len(got), n, err)
	}
	return got
}

func TestFollow(t *testing.T) {
	t.Parallel()
	conn := connect(t, kfake.SeedTopics(3, topic))
	write(t, conn, numbered(0, 20)...)
	all := collect(t, conn, Options{FromBeginning: true}, 20)
	slices.Sort(all)
	if len(slices.Compact(all)) != 20 {
		t.Errorf("from the beginning: %q", all)
	}
	got := collect(t, conn, Options{Started: func() { write(t, conn, numbered(20, 40)...) }}, 20)
	seen := map[string]bool{}
	last := map[int]int{}
	for _, v := range got {
		var i int
		if _, err := fmt.Sscan(v, &i); err != nil {
			t.Fatal(err)
		}
		if i < 20 || seen[v] || i < last[i%5] {
			t.Errorf("%d is old, or again, or before an earlier one of its key: %q", i, got)
		}
		seen[v], last[i%5] = true, i
	}
}

func TestFollowWaitsForTheTopic(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	told := make(chan struct{})
	go func() {
		<-told
		spec := kafkaconn.TopicSpec{Name: topic, Partitions: 1, Replication: 1}
		if err := conn.EnsureTopics(context.Background(), []kafkaconn.TopicSpec{spec}); err != nil {
			t.Error(err)
			return
		}
		write(t, conn, numbered(0, 1)...)
	}()
	got := collect(t, conn, Options{FromBeginning: true, Log: whenLogged(func() { close(told) })}, 1)
	if got[0] != "0" {
		t.Errorf("got %q", got)
	}
}

func TestFollowEnds(t *testing.T) {
	t.Parallel()
	conn := connect(t, kfake.SeedTopics(1, topic))
	write(t, conn, numbered(0, 3)...)
	broken := errors.New("broken pipe")
	err := Follow(context.Background(), conn, Options{Topic: topic, FromBeginning: true}, func(kafka.Message) error { return broken })
	if !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	if err := Follow(ctx, conn, Options{Topic: topic, Started: cancel}, func(kafka.Message) error { return nil }); err != nil {
		t.Errorf("stopped: %v", err)
	}
	if err := Follow(ctx, conn, Options{Topic: "none"}, func(kafka.Message) error { return nil }); err != nil {
		t.Errorf("stopped while waiting: %v", err)
	}
}

func rendered(t *testing.T, f func(io.Writer, kafka.Message) error, m kafka.Message) string {
	t.Helper()
	m.Time = time.Date(2026, 11, 23, 14, 3, 21, 0, time.Local)
	m.Topic, m.Offset = topic, 12
	var out strings.Builder
	if err := f(&out, m); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func noTitles([]string) map[string]string { return nil }

func untitled(w io.Writer, m kafka.Message) error { return Text(w, m, noTitles) }

// TestTitlesInText: an artifact is named by its title too, which can't move the cursor, nor turn or end the text around it.
func TestTitlesInText(t *testing.T) {
	t.Parallel()
	find := func(ids []string) map[string]string {
		if strings.Join(ids, ",") != "x,y,z,gone" {
			t.Errorf("asked for %q", ids)
		}
		return map[string]string{"x": "A kilim\nof \x1b[2Jtwo \u202elines", "y": strings.Repeat("ş", 100), "z": "لوزی پله\u200cای"}
	}
	m := kafka.Message{Value: []byte(`{"id":"x","revision":1,"lists":{"total":[{"id":"z","score":0.5}]},"changes":{"total":{"entered":["z"],"left":["gone"]}},"cause":["y"]}`)}
	got := rendered(t, func(w io.Writer, m kafka.Message) error { return Text(w, m, find) }, m)
	want := "14:03:21  x “A kilim of [2Jtwo lines”  revision 1\n    because of y “" + strings.Repeat("ş", titleRunes) + "…”\n    total\n      +  0.500  z “لوزی پله\u200cای”\n      -         gone\n"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	u := &rerank.Update{
		ID: "walters:1", Revision: 42, Epoch: 1, Cause: []string{"a", "b", "c", "d", "e"},
		Lists: rerank.Lists{
			{Name: "total", Entries: []rerank.Entry{{ID: "new", Score: 0.8125}, {ID: "up\x1b[2J", Score: 0.5}}},
			{Name: "general", Entries: []rerank.Entry{{ID: "g", Score: -0.25}}},
		},
		Changes: map[string]rerank.Changes{
			"general": {Entered: []string{"g"}},
			"total":   {Entered: []string{"new"}, Left: []string{"old"}, Moved: []string{"up\x1b[2J"}},
			"empty":   {},
		},
	}
	value, err := publish.JSON(u)
	if err != nil {
		t.Fatal(err)
	}
	want := `14:03:21  walters:1  revision 42
    because of a, b, c and 2 more
    total
      +  0.812  new
      ~  0.500  "up\x1b[2J"
      -         old
    general
      + -0.250  g
`
	if got := rendered(t, untitled, kafka.Message{Key: []byte("walters:1"), Value: value}); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if got, want := rendered(t, untitled, kafka.Message{Key: []byte("x\n")}), "14:03:21  \"x\\n\"  deleted\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	got := rendered(t, untitled, kafka.Message{Value: []byte(`{"id":"x","revision":1,"lists":{},"changes":{},"cause":[]}`)})
	if !strings.Contains(got, "because of changes elsewhere") || !strings.Contains(got, "only scores") {
		t.Errorf("without a cause: %s", got)
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ key, value, want string }{
		{"x", "{\n \"id\": \"x\", \"more\": [1,\n2]}", `{"id":"x","more":[1,2]}` + "\n"},
		{"a\"b", "", `{"id":"a\"b","deleted":true}` + "\n"},
	} {
		m := kafka.Message{Key: []byte(c.key), Value: []byte(c.value)}
		if c.value == "" {
			m.Value = nil
		}
		if got := rendered(t, JSON, m); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func TestForeignMessages(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"", "hello \x1b[2J", "[1]", `{"lists":5}`, `{}`} {
		m := kafka.Message{Topic: topic, Partition: 2, Offset: 12, Value: []byte(value)}
		err := Text(io.Discard, m, noTitles)
		if !errors.Is(err, ErrNotUpdate) || !strings.Contains(err.Error(), "kilim.similar/2 at offset 12") || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%q: error %v", value, err)
		}
	}
	if err := JSON(io.Discard, kafka.Message{Value: []byte("{")}); !errors.Is(err, ErrNotUpdate) {
		t.Errorf("error %v", err)
	}
}
