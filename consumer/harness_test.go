package consumer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// hang is when a test that waits is given up; nothing depends on its length.
const hang = 60 * time.Second

const topic = "artifacts"

// testCluster is a Cluster on a broker of this process.
type testCluster struct{ brokers []string }

func (c testCluster) Brokers() []string           { return c.brokers }
func (c testCluster) Dialer() *kafka.Dialer       { return &kafka.Dialer{Timeout: 5 * time.Second} }
func (c testCluster) Transport() *kafka.Transport { return &kafka.Transport{} }

func startBroker(t testing.TB, opts ...kfake.Opt) (*kfake.Cluster, testCluster) {
	t.Helper()
	broker, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(time.Millisecond)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	return broker, testCluster{broker.ListenAddrs()}
}

func testClient(t testing.TB, c testCluster, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	opts = append([]kgo.Opt{kgo.SeedBrokers(c.brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner())}, opts...)
	client, err := kgo.NewClient(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// artifact is the n-th record of a partition.
func artifact(partition, n int) *kgo.Record {
	id := fmt.Sprintf("p%d:%d", partition, n)
	return &kgo.Record{Topic: topic, Partition: int32(partition), Key: []byte(id), Value: []byte(`{"id":"` + id + `","title":"x"}`)}
}

func produce(t testing.TB, client *kgo.Client, records ...*kgo.Record) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), hang)
	defer cancel()
	if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// store is a Sink that keeps offsets with what was applied, and may be shared
// by the members of a group. It fails at anything that breaks the contract.
type store struct {
	mu      sync.Mutex
	next    map[TopicPartition]int64
	logs    map[TopicPartition]string
	items   map[TopicPartition][]Item
	batches []Batch
	faults  []string
	changed chan struct{} // closed and made anew at every change

	before func(ctx context.Context, b *Batch) error // called by Apply first, unlocked
}

func newStore() *store {
	return &store{next: map[TopicPartition]int64{}, logs: map[TopicPartition]string{}, items: map[TopicPartition][]Item{}, changed: make(chan struct{})}
}

func (s *store) StoredOffset(topic string, partition int) (Offset, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tp := TopicPartition{topic, partition}
	next, ok := s.next[tp]
	return Offset{topic, partition, next, s.logs[tp]}, ok, nil
}

func (s *store) Apply(ctx context.Context, b *Batch) error {
	if s.before != nil {
		if err := s.before(ctx, b); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(b.Items) == 0 {
		s.fault("an empty batch")
	}
	last := map[TopicPartition]int64{}
	var size int64
	for _, it := range b.Items {
		tp := TopicPartition{it.Topic, it.Partition}
		if stored := s.next[tp]; it.Offset < stored {
			s.fault("%v@%d again, %d is stored", tp, it.Offset, stored)
		}
		if before, ok := last[tp]; ok && it.Offset <= before {
			s.fault("%v@%d after %d", tp, it.Offset, before)
		}
		if it.Artifact == nil && it.Refusal == nil && it.Value != nil {
			s.fault("%v@%d was not decoded", tp, it.Offset)
		}
		last[tp] = it.Offset
		size += it.size()
		s.items[tp] = append(s.items[tp], it)
	}
	if size != b.Bytes {
		s.fault("a batch of %d bytes says %d", size, b.Bytes)
	}
	if len(b.Next) < len(last) {
		s.fault("%d offsets for %d partitions", len(b.Next), len(last))
	}
	for _, o := range b.Next {
		tp := TopicPartition{o.Topic, o.Partition}
		if at, ok := last[tp]; ok && o.Next <= at {
			s.fault("%v: offset %d stored with record %d", tp, o.Next, at)
		}
		if o.Next < s.next[tp] {
			s.fault("%v: the stored offset goes back from %d to %d", tp, s.next[tp], o.Next)
		}
		s.next[tp], s.logs[tp] = o.Next, o.Log
	}
	s.batches = append(s.batches, *b)
	close(s.changed)
	s.changed = make(chan struct{})
	return nil
}

func (s *store) fault(format string, args ...any) {
	s.faults = append(s.faults, fmt.Sprintf(format, args...))
}

// count is the number of records applied.
func (s *store) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, items := range s.items {
		n += len(items)
	}
	return n
}

// wait returns once n records are applied.
func (s *store) wait(t testing.TB, n int) {
	t.Helper()
	late := time.After(hang)
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		if s.count() >= n {
			return
		}
		select {
		case <-changed:
		case <-late:
			t.Fatalf("%d of %d records after %v", s.count(), n, hang)
		}
	}
}

// check wants each of the partitions' n records exactly once, in order.
func (s *store) check(t *testing.T, partitions, n int) {
	t.Helper()
	s.checkTopic(t, topic, partitions, n)
}

func (s *store) checkTopic(t *testing.T, topic string, partitions, n int) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.faults) > 0 {
		t.Errorf("%d faults, the first ones: %s", len(s.faults), strings.Join(s.faults[:min(5, len(s.faults))], "; "))
	}
	for p := range partitions {
		items := s.items[TopicPartition{topic, p}]
		if len(items) != n {
			t.Errorf("partition %d: %d records, want %d", p, len(items), n)
			continue
		}
		for i, it := range items {
			if want := fmt.Sprintf("p%d:%d", p, i); it.ID != want {
				t.Errorf("partition %d: record %d is %s, want %s", p, i, it.ID, want)
				break
			}
		}
	}
}

// member is a running Consumer.
type member struct {
	*Consumer
	reg    *prometheus.Registry
	cancel context.CancelFunc
	done   chan error
}

func testConfig() Config {
	return Config{
		Group: "g", Topics: []string{topic}, Retry: 5 * time.Millisecond, Heartbeat: 20 * time.Millisecond,
		SessionTimeout: 5 * time.Second, RebalanceTimeout: 10 * time.Second, FetchWait: 100 * time.Millisecond, CommitEvery: time.Millisecond,
	}
}

func startMember(t testing.TB, cfg Config, cluster Cluster, sink Sink) *member {
	t.Helper()
	reg := prometheus.NewRegistry()
	log := slog.New(slog.DiscardHandler)
	if testing.Verbose() {
		log = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	c, err := New(cfg, cluster, sink, NewMetrics(reg), log)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	m := &member{Consumer: c, reg: reg, cancel: cancel, done: make(chan error, 1)}
	go func() { m.done <- c.Run(ctx) }()
	t.Cleanup(func() { m.stop(t) })
	return m
}

// stop ends the member as a signal would; its error, if any, is the test's.
func (m *member) stop(t testing.TB) {
	m.cancel()
	if err := m.end(t); err != nil {
		t.Errorf("Run: %v", err)
	}
}

// end waits for Run's return.
func (m *member) end(t testing.TB) error {
	select {
	case err := <-m.done:
		m.done <- nil
		return err
	case <-time.After(hang):
		return errors.New("does not end")
	}
}

func eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	for start := time.Now(); !cond(); time.Sleep(time.Millisecond) {
		if time.Since(start) > hang {
			t.Fatalf("not in %v: %s", hang, what)
		}
	}
}
