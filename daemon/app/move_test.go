package app

import (
	"log/slog"
	"maps"
	"strings"
	"testing"

	"github.com/segmentio/kafka-go"
)

// TestMoveToAnotherBroker moves a state from the embedded broker to another one, as docs/operating.md tells.
func TestMoveToAnotherBroker(t *testing.T) {
	t.Parallel()
	moveBroker(t, newOwnBroker(t).addr())
}

// TestKafkaMoveFromEmbedded moves it to Apache Kafka.
func TestKafkaMoveFromEmbedded(t *testing.T) {
	t.Parallel()
	moveBroker(t, realKafka(t))
}

// moveBroker copies the log of the artifacts, has the state read it from its beginning, and wants the new broker to end with the
// lists that are served: of what was fed before, what was deleted, and what comes after.
func moveBroker(t *testing.T, to string) {
	cfg := exactConfig(t, "embedded://127.0.0.1:0")
	d := start(t, cfg)
	d.feed(kilims(0, 30, "")...)
	d.feed(append(kilims(0, 8, woollen), kafka.Message{Key: []byte("a/9")})...)
	d.settle(29)
	want := d.listsOf(30)
	old := d.read(cfg.Kafka.Topics.Artifacts)
	d.end()

	var copied []kafka.Message
	for _, m := range old {
		copied = append(copied, kafka.Message{Key: m.Key, Value: m.Value, Headers: m.Headers, Time: m.Time})
	}
	cfg.Broker = to
	fresh := *cfg
	fresh.Data = t.TempDir() // a daemon of its own makes the topics, and is fed nothing
	start(t, &fresh).end()
	d = start(t, cfg)
	if err := d.ended(); err == nil || !strings.Contains(err.Error(), "kilim reread --data "+cfg.Data) {
		t.Fatalf("on another cluster's log the daemon ends with %v", err)
	}
	if n, err := ForgetOffsets(cfg, slog.New(slog.DiscardHandler)); err != nil || n == 0 {
		t.Fatalf("%d offsets forgotten: %v", n, err)
	}
	d = start(t, cfg)
	d.feed(copied...)
	d.settle(29)
	if got := d.listsOf(30); !maps.Equal(got, want) {
		t.Errorf("served after the move are %v\nwant %v", got, want)
	}
	d.compare(present(want))
	d.feed(append(kilims(30, 40, ""), kafka.Message{Key: []byte("a/31")})...)
	d.settle(38)
	d.compare(present(d.listsOf(40)))
	d.end()
}
