package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"kilim/consumer/broker"
	"kilim/consumer/kafkaconn"
	"kilim/daemon/config"
	"kilim/daemon/web"
)

// restartable is a broker that can be taken away and brought back with all that it had.
type restartable interface {
	addr() string
	stop()
	start()
}

// TestDisturbed restarts the broker and rebalances the group while a daemon works.
func TestDisturbed(t *testing.T) {
	t.Parallel()
	disturb(t, newOwnBroker(t), 60)
}

// TestKafkaDisturbed does the same to an Apache Kafka of its own: the one that other
// tests use must not be restarted.
func TestKafkaDisturbed(t *testing.T) {
	t.Parallel()
	if os.Getenv("KILIM_KAFKA") == "" {
		t.Skip("needs a real Kafka: KILIM_KAFKA=host:port")
	}
	disturb(t, newOwnKafka(t), 60)
}

// disturb feeds inserts, replacements, deletions and bad records to a daemon whose broker is
// restarted twice and whose group is joined twice by a stranger, which takes partitions
// away for a while. Then: every message is published once and none is missing, the last
// published lists are the stored ones, and the same feed through a daemon that nothing
// disturbs ends in the same lists, bit for bit.
func disturb(t *testing.T, b restartable, between int) {
	cfg := disturbedConfig(t, b)
	const ids, partitions = 60, 3
	conn, err := kafkaconn.New(kafkaconn.Config{Brokers: []string{b.addr()}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	spec := cfg.Kafka.ArtifactsTopic()
	spec.Partitions = partitions
	if err := conn.EnsureTopics(t.Context(), []kafkaconn.TopicSpec{spec}); err != nil {
		t.Fatal(err)
	}

	d := start(t, cfg)
	load := newLoad(ids)
	disturbed, fed := make(chan struct{}), make(chan error, 1)
	go func() { fed <- load.feed(conn, cfg.Kafka.Topics.Artifacts, disturbed) }()
	restart := func() { b.stop(); b.start() }
	join := func() { d.joinedByStranger(partitions) }
	for _, disturbance := range []func(){restart, join, restart, join} {
		d.consumes(between)
		disturbance()
	}
	d.consumes(between)
	close(disturbed)
	if err := <-fed; err != nil {
		t.Fatal(err)
	}
	d.settle(len(load.live))
	lists := d.listsOf(ids)
	d.accountedFor(load.bad)
	d.compare(present(lists))
	t.Logf("%d records fed, %d artifacts live", load.sent, len(load.live))
	d.end()

	calm := disturbedConfig(t, b)
	calm.Kafka.Topics.Artifacts = cfg.Kafka.Topics.Artifacts
	d = start(t, calm)
	d.settle(len(load.live))
	for id, want := range d.listsOf(ids) {
		if lists[id] != want {
			t.Errorf("%s: lists %s, of a daemon that nothing disturbed %s", id, lists[id], want)
		}
	}
	d.end()
}

// disturbedConfig is one in which the lists are a pure function of what lives.
func disturbedConfig(t *testing.T, b restartable) *config.Config {
	cfg := testConfig(t)
	cfg.Broker = b.addr()
	cfg.Ingest.BatchRecords = 8
	cfg.Refresh.Epsilon, cfg.Refresh.Sweep, cfg.Lists.Tolerance = 0, 0, 0
	return cfg
}

// load is a feed that goes on until the disturbances are over.
type load struct {
	rng  *rand.Rand
	ids  int
	sent int
	// live are the artifacts that are there after all that was sent, bad counts the records that must be refused.
	live map[string]bool
	bad  int
}

func newLoad(ids int) *load {
	return &load{rng: rand.New(rand.NewPCG(7, 1)), ids: ids, live: map[string]bool{}}
}

func (l *load) next() kafka.Message {
	l.sent++
	id := fmt.Sprintf("a/%d", l.rng.IntN(l.ids))
	switch dice := l.rng.IntN(100); {
	case dice < 3:
		l.bad++
		return kafka.Message{Key: []byte(id), Value: []byte(`{"id":7}`)}
	case dice < 13 && l.live[id]:
		delete(l.live, id)
		return kafka.Message{Key: []byte(id)}
	}
	l.live[id] = true
	return artifact(id, fmt.Sprintf(`"title":"kilim with star %d and bird %d","culture":["c%d"],"creator":["m%d"],"date":{"begin":%d}`,
		l.rng.IntN(9), l.rng.IntN(9), l.rng.IntN(4), l.rng.IntN(30), 1700+l.rng.IntN(200)))
}

// feed sends a few records at a time, whatever becomes of the broker, until done is closed. What
// was sent without an answer is sent again and may be in the topic twice: then it is
// applied twice, as anything that is fed twice.
func (l *load) feed(conn *kafkaconn.Conn, topic string, done <-chan struct{}) error {
	w := &kafka.Writer{Addr: kafka.TCP(conn.Brokers()...), Topic: topic, Balancer: kafka.Murmur2Balancer{}, RequiredAcks: kafka.RequireAll,
		BatchTimeout: time.Millisecond, MaxAttempts: 600, WriteBackoffMin: 10 * time.Millisecond, WriteBackoffMax: 100 * time.Millisecond, Transport: conn.Transport()}
	pace := time.NewTicker(30 * time.Millisecond)
	defer pace.Stop()
	for {
		few := []kafka.Message{l.next(), l.next(), l.next(), l.next()}
		err := w.WriteMessages(context.Background(), few...)
		// The writer does not try again when a partition has no leader yet.
		for giveUp := time.Now().Add(hang); err != nil && time.Now().Before(giveUp); err = w.WriteMessages(context.Background(), few...) {
			<-pace.C
		}
		if err != nil {
			return errors.Join(err, w.Close())
		}
		select {
		case <-done:
			return w.Close()
		case <-pace.C:
		}
	}
}

// consumes waits until so many more records are durable.
func (d *daemon) consumes(n int) {
	d.t.Helper()
	first := int64(-1)
	d.until(fmt.Sprintf("%d more records are consumed", n), func(s *web.Status) bool {
		if first < 0 {
			first = s.Records.Consumed
		}
		return s.Records.Consumed >= first+int64(n)
	})
}

// joinedByStranger lets another member join the daemon's group, keep the partitions
// that it gets for a while without reading them, and leave.
func (d *daemon) joinedByStranger(partitions int) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), hang)
	defer cancel()
	group, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID: d.cfg.Kafka.Group, Brokers: d.app.conn.Brokers(), Topics: []string{d.cfg.Kafka.Topics.Artifacts},
		HeartbeatInterval: 100 * time.Millisecond, JoinGroupBackoff: 100 * time.Millisecond,
	})
	if err != nil {
		d.t.Fatal(err)
	}
	for {
		gen, err := group.Next(ctx)
		if ctx.Err() != nil {
			d.t.Fatalf("a second member gets no partition: %v", err)
		}
		if err == nil && len(gen.Assignments[d.cfg.Kafka.Topics.Artifacts]) > 0 {
			break
		}
	}
	// Which of its partitions the daemon keeps is the group's affair.
	d.until("the daemon gives up a partition", func(*web.Status) bool {
		parts, since := d.app.consumer.Assigned()
		return !since.IsZero() && len(parts) < partitions
	})
	if err := group.Close(); err != nil {
		d.t.Fatal(err)
	}
	d.until("the daemon has all partitions again", func(*web.Status) bool {
		parts, _ := d.app.consumer.Assigned()
		return len(parts) == partitions
	})
}

// listsOf are the lists that queries show, by artifact; "" of one that is not there.
func (d *daemon) listsOf(ids int) map[string]string {
	d.t.Helper()
	out := d.stored(ids)
	for i := range ids {
		id := fmt.Sprintf("a/%d", i)
		if d.get("/api/v1/artifacts/"+url.PathEscape(id), nil) == 404 {
			out[id] = ""
		}
	}
	return out
}

func present(lists map[string]string) map[string]string {
	out := maps.Clone(lists)
	maps.DeleteFunc(out, func(_, lists string) bool { return lists == "" })
	return out
}

// accountedFor looks at the numbers of all messages published: each of 1..n is there once,
// and each dead letter is that of another record.
func (d *daemon) accountedFor(bad int) {
	d.t.Helper()
	dead := d.read(d.cfg.Kafka.Topics.DeadLetters)
	seen := map[string]bool{}
	for _, m := range dead {
		place := header(m, "__connect.errors.partition") + "@" + header(m, "__connect.errors.offset")
		if seen[place] {
			d.t.Errorf("two dead letters for the record %s", place)
		}
		seen[place] = true
	}
	if len(dead) < bad {
		d.t.Errorf("%d dead letters, %d bad records", len(dead), bad)
	}
	all := append(dead, d.read(d.cfg.Kafka.Topics.Similar)...)
	all = append(all, d.read(d.cfg.Kafka.Topics.Cultures)...)
	numbers := map[int]bool{}
	for _, m := range all {
		seq, err := strconv.Atoi(header(m, "kilim_seq"))
		if err != nil {
			d.t.Fatalf("%s@%d: %v", m.Topic, m.Offset, err)
		}
		if numbers[seq] {
			d.t.Errorf("message %d is published twice", seq)
		}
		numbers[seq] = true
	}
	for seq := 1; seq <= len(numbers); seq++ {
		if !numbers[seq] {
			d.t.Errorf("message %d of %d is missing", seq, len(numbers))
		}
	}
	d.t.Logf("%d messages published, %d of them dead letters", len(all), len(dead))
}

// ownBroker is the embedded broker outside of the daemon.
type ownBroker struct {
	t      *testing.T
	dir    string
	at     string
	broker *broker.Broker
}

func newOwnBroker(t *testing.T) *ownBroker {
	b := &ownBroker{t: t, dir: t.TempDir(), at: "127.0.0.1:0"}
	b.start()
	b.at = b.broker.Addr()
	t.Cleanup(b.stop)
	return b
}

func (b *ownBroker) addr() string { return b.at }

func (b *ownBroker) start() {
	b.t.Helper()
	var err error
	if b.broker, err = broker.Start(b.at, b.dir, slog.New(slog.DiscardHandler)); err != nil {
		b.t.Fatal(err)
	}
}

func (b *ownBroker) stop() {
	b.t.Helper()
	if err := b.broker.Close(); err != nil {
		b.t.Error(err)
	}
}

// ownKafka is a real one, by the scripts of .ci/kafka.
type ownKafka struct {
	t    *testing.T
	dir  string
	port int
}

const kafkaScripts = "../../.ci/kafka"

func newOwnKafka(t *testing.T) *ownKafka {
	k := &ownKafka{t: t, dir: t.TempDir()}
	for k.port == 0 {
		k.port = threeFreePorts(t)
	}
	k.start()
	t.Cleanup(k.stop)
	return k
}

// threeFreePorts returns the first of three in a row, or 0: try again.
func threeFreePorts(t *testing.T) int {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	port := ln.Addr().(*net.TCPAddr).Port
	for p := port + 1; p <= port+2; p++ {
		next, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(p)))
		if err != nil {
			return 0
		}
		defer next.Close()
	}
	return port
}

func (k *ownKafka) addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(k.port)) }

func (k *ownKafka) start() { k.script("start.sh", strconv.Itoa(k.port)) }
func (k *ownKafka) stop()  { k.script("stop.sh") }

func (k *ownKafka) script(name string, args ...string) {
	k.t.Helper()
	out, err := os.Create(filepath.Join(k.dir, name+".log"))
	if err != nil {
		k.t.Fatal(err)
	}
	defer out.Close()
	cmd := exec.Command(filepath.Join(kafkaScripts, name), append([]string{k.dir}, args...)...)
	// A file, not a pipe: the broker that start.sh leaves running would hold it open.
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(out.Name())
		k.t.Fatalf("%s: %v\n%s", name, err, said)
	}
}
