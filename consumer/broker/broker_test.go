package broker

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
)

func TestStartNamesWhatIsInTheWay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := open(t, dir)
	for name, c := range map[string]struct{ addr, dir, want string }{
		"taken address": {b.Addr(), t.TempDir(), b.Addr() + " is taken"},
		"folder in use": {"127.0.0.1:0", dir, strconv.Quote(dir) + " is in use"},
		"not loopback":  {"0.0.0.0:0", t.TempDir(), `"0.0.0.0:0": must be a loopback`},
		"no host":       {":9092", t.TempDir(), `":9092": must be a loopback`},
		"no port":       {"127.0.0.1", t.TempDir(), `"127.0.0.1": not of the form host:port`},
		"bad port":      {"127.0.0.1:99999", t.TempDir(), "99999"},
		"not a folder":  {"127.0.0.1:0", filepath.Join(dir, "meta.json"), "meta.json"},
	} {
		other, err := Start(c.addr, c.dir, nil)
		if err == nil {
			other.Close()
			t.Errorf("%s: no error", name)
		} else if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %q does not contain %q", name, err, c.want)
		}
	}
	// A start that failed has let go of what it held.
	check(t, b.Close())
	check(t, b.Close())
	again, err := Start(b.Addr(), dir, nil)
	check(t, err)
	check(t, again.Close())
}

func TestClosedBrokerLetsGoOfItsClients(t *testing.T) {
	t.Parallel()
	b := open(t, t.TempDir())
	conn, err := net.Dial("tcp", b.Addr())
	check(t, err)
	defer conn.Close()
	check(t, b.Close())
	check(t, conn.SetDeadline(time.Now().Add(5*time.Second)))
	if _, err := conn.Read(make([]byte, 1)); errors.Is(err, context.DeadlineExceeded) || err == nil {
		t.Fatalf("reading from a closed broker: %v, want the end of the connection", err)
	}
}

func TestTopicsAreNotMadeByUsingThem(t *testing.T) {
	t.Parallel()
	b := open(t, t.TempDir())
	w := &kafka.Writer{Addr: kafka.TCP(b.Addr()), Topic: "typo", AllowAutoTopicCreation: true, RequiredAcks: kafka.RequireAll, MaxAttempts: 1, BatchTimeout: time.Millisecond}
	defer w.Close()
	if err := w.WriteMessages(t.Context(), kafka.Message{Value: []byte("x")}); !errors.Is(err, kafka.UnknownTopicOrPartition) {
		t.Fatalf("writing to a topic that is not there: %v", err)
	}
}

// TestRecordOverTheDefaultLimit: a record over Kafka's usual megabyte reaches the topic.
func TestRecordOverTheDefaultLimit(t *testing.T) {
	t.Parallel()
	b := open(t, t.TempDir())
	cl := client(t, b.Addr())
	createTopic(t, cl, "t")
	_, err := produce(t.Context(), cl, "t", record("k", strings.Repeat("x", 3<<20)))
	check(t, err)
	if got := readAll(t, b.Addr(), "t"); len(got) != 1 || len(got[0].value) != 3<<20 {
		t.Fatalf("read %d records", len(got))
	}
}

// TestGroupGoesOnAfterRestart runs kafka-go's consumer group, as kilim does, over a
// restart of the broker.
func TestGroupGoesOnAfterRestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := open(t, dir)
	cl := client(t, b.Addr())
	createTopic(t, cl, "t")
	for _, k := range []string{"a", "b", "c"} {
		_, err := produce(t.Context(), cl, "t", record(k, k))
		check(t, err)
	}
	if got := generation(t, b.Addr(), 2); got != -2 { // FirstOffset: nothing is committed
		t.Fatalf("a new group starts at %d, want the beginning (-2)", got)
	}
	check(t, b.Close())

	b = open(t, dir)
	if got := generation(t, b.Addr(), 3); got != 2 {
		t.Fatalf("after the restart the group starts at %d, want 2", got)
	}
	if got := readAll(t, b.Addr(), "t"); len(got) != 3 {
		t.Fatalf("after the restart the log has %d records, want 3", len(got))
	}
}

// generation joins the group, returns where its partition starts, and commits next.
func generation(t *testing.T, addr string, next int64) int64 {
	t.Helper()
	g, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID: "kilim", Brokers: []string{addr}, Topics: []string{"t"}, StartOffset: kafka.FirstOffset,
		JoinGroupBackoff: 50 * time.Millisecond,
	})
	check(t, err)
	defer g.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		gen, err := g.Next(ctx)
		if err != nil && ctx.Err() == nil {
			continue // a fresh broker has no coordinator for a moment
		}
		check(t, err)
		parts := gen.Assignments["t"]
		if len(parts) != 1 {
			t.Fatalf("assigned %v, want one partition", gen.Assignments)
		}
		check(t, gen.CommitOffsets(map[string]map[int]int64{"t": {0: next}}))
		return parts[0].Offset
	}
}
