package consumer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kilim/consumer/consumertest"
)

func TestConfigNamesAllFaults(t *testing.T) {
	t.Parallel()
	_, err := New(Config{BatchRecords: -1, FetchWait: -1, Heartbeat: time.Hour}, testCluster{}, newStore(), nil, nil)
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"group", "topics", "batch records -1", "fetch wait -1", "heartbeat 1h"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v: does not name %q", err, want)
		}
	}
}

func TestMetricsAreWellNamed(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewRegistry()
	m := NewMetrics(reg)
	m.lag.WithLabelValues("t", "0")
	families, err := reg.Gather()
	if err != nil || len(families) != 5 {
		t.Fatalf("%d families, %v; want 5", len(families), err)
	}
	if problems, err := promlint.NewWithMetricFamilies(families).Lint(); err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
}

// valueOf reads a counter or a gauge.
func valueOf(t *testing.T, m prometheus.Metric) float64 {
	t.Helper()
	var out dto.Metric
	if err := m.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.GetCounter().GetValue() + out.GetGauge().GetValue()
}

// TestHostileFeed sends one bad record of each kind among ten good ones each.
func TestHostileFeed(t *testing.T) {
	t.Parallel()
	_, cluster := startBroker(t, kfake.SeedTopics(1, topic), kfake.BrokerConfigs(map[string]string{"message.max.bytes": "4194304"}))
	client := testClient(t, cluster, kgo.ProducerBatchMaxBytes(4<<20))
	var feed []*kgo.Record
	want := map[int64]string{} // reason by offset
	for _, bad := range consumertest.Hostile() {
		for range 10 {
			feed = append(feed, artifact(0, len(feed)))
		}
		rec := received(bad)
		r := &kgo.Record{Topic: topic, Key: rec.Key, Value: rec.Value}
		for _, h := range bad.Headers {
			r.Headers = append(r.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
		}
		want[int64(len(feed))] = bad.Reason
		feed = append(feed, r)
	}
	produce(t, client, feed...)
	sink := newStore()
	startMember(t, testConfig(), cluster, sink)
	sink.wait(t, len(feed))
	sink.mu.Lock()
	defer sink.mu.Unlock()
	for i, it := range sink.items[TopicPartition{topic, 0}] {
		reason := want[it.Offset]
		switch {
		case it.Offset != int64(i):
			t.Fatalf("record %d has the offset %d", i, it.Offset)
		case reason == "" && it.Artifact == nil:
			t.Errorf("%d: a good record was refused: %v", i, it.Refusal)
		case reason != "" && (it.Refusal == nil || it.Refusal.Reason != reason):
			t.Errorf("%d: got %v, want %s", i, it.Refusal, reason)
		}
	}
	if len(sink.faults) > 0 {
		t.Error(sink.faults)
	}
}

func TestStartsWhereTheStateIs(t *testing.T) {
	t.Parallel()
	_, cluster := startBroker(t, kfake.SeedTopics(2, topic))
	client := testClient(t, cluster)
	for p := range 2 {
		for n := range 10 {
			produce(t, client, artifact(p, n))
		}
	}
	sink := newStore()
	sink.next[TopicPartition{topic, 1}] = 7 // the other one is not stored: from the earliest
	startMember(t, testConfig(), cluster, sink)
	sink.wait(t, 13)
	sink.mu.Lock()
	defer sink.mu.Unlock()
	if got := sink.items[TopicPartition{topic, 0}]; len(got) != 10 || got[0].Offset != 0 {
		t.Errorf("nothing stored: %d records from %d, want 10 from 0", len(got), got[0].Offset)
	}
	if got := sink.items[TopicPartition{topic, 1}]; len(got) != 3 || got[0].Offset != 7 {
		t.Errorf("7 stored: %d records from %d, want 3 from 7", len(got), got[0].Offset)
	}
}

// TestRestart stops and starts the consumer over and over while it works.
func TestRestart(t *testing.T) {
	t.Parallel()
	const partitions, n = 2, 600
	_, cluster := startBroker(t, kfake.SeedTopics(partitions, topic))
	client := testClient(t, cluster)
	for p := range partitions {
		var feed []*kgo.Record
		for i := range n {
			feed = append(feed, artifact(p, i))
		}
		produce(t, client, feed...)
	}
	sink := newStore()
	cfg := testConfig()
	cfg.BatchRecords = 7
	for sink.count() < partitions*n {
		m := startMember(t, cfg, cluster, sink)
		sink.wait(t, min(sink.count()+150, partitions*n))
		m.stop(t)
	}
	sink.check(t, partitions, n)
}

// TestSinkFails: the error ends Run, and nothing of the batch counts.
func TestSinkFails(t *testing.T) {
	t.Parallel()
	_, cluster := startBroker(t, kfake.SeedTopics(1, topic))
	client := testClient(t, cluster)
	for i := range 50 {
		produce(t, client, artifact(0, i))
	}
	sink := newStore()
	cfg := testConfig()
	cfg.BatchRecords = 4
	broken := errors.New("disk full")
	var calls atomic.Int32
	sink.before = func(context.Context, *Batch) error {
		if calls.Add(1) == 3 {
			return broken
		}
		return nil
	}
	m := startMember(t, cfg, cluster, sink)
	if err := m.end(t); !errors.Is(err, broken) || !strings.Contains(err.Error(), "apply 4 records") {
		t.Errorf("Run gave %v", err)
	}
	if got := sink.count(); got != 8 {
		t.Errorf("%d records applied before the failure, want 8", got)
	}
	startMember(t, cfg, cluster, sink)
	sink.wait(t, 50)
	sink.check(t, 1, 50)
}

// TestStateOfAnotherCluster: an offset behind the topic's end is no offset of it.
func TestStateOfAnotherCluster(t *testing.T) {
	t.Parallel()
	_, cluster := startBroker(t, kfake.SeedTopics(1, topic))
	produce(t, testClient(t, cluster), artifact(0, 0))
	sink := newStore()
	sink.next[TopicPartition{topic, 0}] = 2
	m := startMember(t, testConfig(), cluster, sink)
	err := m.end(t)
	if err == nil || !strings.Contains(err.Error(), "offset 2 of "+topic+"/0, but the topic ends at 1") {
		t.Errorf("Run gave %v", err)
	}
}

// TestRecordsLost: what retention has deleted is counted, and the rest goes on.
func TestRecordsLost(t *testing.T) {
	t.Parallel()
	_, cluster := startBroker(t, kfake.SeedTopics(1, topic))
	client := testClient(t, cluster)
	for i := range 10 {
		produce(t, client, artifact(0, i))
	}
	req := kmsg.NewPtrDeleteRecordsRequest()
	req.TimeoutMillis = 1000
	req.Topics = []kmsg.DeleteRecordsRequestTopic{{Topic: topic, Partitions: []kmsg.DeleteRecordsRequestTopicPartition{{Partition: 0, Offset: 6}}}}
	if res, err := req.RequestWith(context.Background(), client); err != nil || res.Topics[0].Partitions[0].ErrorCode != 0 {
		t.Fatal(res, err)
	}
	sink := newStore()
	sink.next[TopicPartition{topic, 0}] = 2
	m := startMember(t, testConfig(), cluster, sink)
	sink.wait(t, 4)
	if got := valueOf(t, m.metrics.lost); got != 4 {
		t.Errorf("%v records lost, want 4", got)
	}
	if got := sink.items[TopicPartition{topic, 0}][0].Offset; got != 6 {
		t.Errorf("went on at %d, want 6", got)
	}
}

// TestAbortedTransactions: their records are never seen, and do not hold back
// what comes after, nor the lag.
func TestAbortedTransactions(t *testing.T) {
	t.Parallel()
	_, cluster := startBroker(t, kfake.SeedTopics(1, topic))
	plain := testClient(t, cluster)
	client := testClient(t, cluster, kgo.TransactionalID("tx"))
	var want []string
	for round := range 6 {
		if err := client.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		commit := kgo.TransactionEndTry(round%2 == 0)
		a, b := artifact(0, 2*round), artifact(0, 2*round+1)
		produce(t, client, a)
		outside := artifact(0, 100+round)
		produce(t, plain, outside)
		produce(t, client, b)
		if commit {
			want = append(want, string(a.Key), string(outside.Key), string(b.Key))
		} else {
			want = append(want, string(outside.Key))
		}
		if err := client.EndTransaction(context.Background(), commit); err != nil {
			t.Fatal(err)
		}
	}
	sink := newStore()
	m := startMember(t, testConfig(), cluster, sink)
	sink.wait(t, len(want))
	eventually(t, "caught up behind the last marker", m.CaughtUp)
	sink.mu.Lock()
	defer sink.mu.Unlock()
	var got []string
	for _, it := range sink.items[TopicPartition{topic, 0}] {
		got = append(got, it.ID)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// TestProgress follows lag and assignment from nothing to caught up.
func TestProgress(t *testing.T) {
	t.Parallel()
	_, cluster := startBroker(t, kfake.SeedTopics(2, topic))
	client := testClient(t, cluster)
	for i := range 5 {
		produce(t, client, artifact(0, i))
	}
	gate := make(chan struct{})
	sink := newStore()
	sink.before = func(context.Context, *Batch) error { <-gate; return nil }
	m := startMember(t, testConfig(), cluster, sink)
	if parts, since := m.Assigned(); m.CaughtUp() && since.IsZero() {
		t.Errorf("caught up without an assignment: %v", parts)
	}
	p0, p1 := TopicPartition{topic, 0}, TopicPartition{topic, 1}
	eventually(t, "the lag is known", func() bool { l := m.Lag(); _, ok := l[p1]; return ok && l[p0] == 5 })
	if parts, since := m.Assigned(); len(parts) != 2 || since.IsZero() || m.CaughtUp() {
		t.Errorf("assigned %v since %v, caught up %v", parts, since, m.CaughtUp())
	}
	produce(t, client, artifact(1, 0))
	if err := m.Probe(context.Background()); err != nil {
		t.Fatal(err)
	}
	if l := m.Lag(); l[p0] != 5 || l[p1] != 1 {
		t.Errorf("lag %v, want 5 and 1", l)
	}
	if got := valueOf(t, m.metrics.lag.WithLabelValues(topic, "0")); got != 5 {
		t.Errorf("the gauge says %v, want 5", got)
	}
	close(gate)
	eventually(t, "caught up", m.CaughtUp)
	if got := sink.count(); got != 6 {
		t.Errorf("caught up with %d records, want 6", got)
	}
	m.stop(t)
	if parts, since := m.Assigned(); len(parts) > 0 || !since.IsZero() || m.CaughtUp() {
		t.Errorf("after the end: assigned %v since %v, caught up %v", parts, since, m.CaughtUp())
	}
	gauges := make(chan prometheus.Metric, 10)
	m.metrics.lag.Collect(gauges)
	if len(gauges) != 0 {
		t.Errorf("%d lag gauges stay behind", len(gauges))
	}
}

// TestBounds: batches keep to their limits, records larger than all limits
// pass alone, and a stuck Sink stops the reading.
func TestBounds(t *testing.T) {
	t.Parallel()
	_, cluster := startBroker(t, kfake.SeedTopics(1, topic))
	client := testClient(t, cluster)
	const n = 200
	for i := range n {
		r := artifact(0, i)
		if i%50 == 0 {
			r.Value = []byte(`{"title":"` + strings.Repeat("x", 100_000) + `"}`)
		}
		produce(t, client, r)
	}
	cfg := testConfig()
	cfg.InFlightBytes, cfg.BatchBytes, cfg.BatchRecords, cfg.FetchBytes = 20_000, 8_000, 9, 10_000
	sink := newStore()
	m := startMember(t, cfg, cluster, sink)
	sink.wait(t, n)
	m.stop(t)
	sink.check(t, 1, n)
	for i, b := range sink.batches {
		without := b.Bytes - b.Items[len(b.Items)-1].size()
		if len(b.Items) > 9 || without >= 8_000 {
			t.Errorf("batch %d: %d records, %d bytes before the last", i, len(b.Items), without)
		}
		var weight int64
		for _, it := range b.Items {
			weight += min(it.size(), cfg.InFlightBytes)
		}
		if weight > cfg.InFlightBytes {
			t.Errorf("batch %d: %d bytes in flight", i, weight)
		}
	}
}

// BenchmarkIdle measures the way of a single record through an idle consumer,
// from before it is sent to Apply.
func BenchmarkIdle(b *testing.B) {
	_, cluster := startBroker(b, kfake.SeedTopics(1, topic))
	client := testClient(b, cluster)
	sink := newStore()
	cfg := testConfig()
	cfg.FetchWait = time.Second
	startMember(b, cfg, cluster, sink)
	produce(b, client, artifact(0, 0))
	sink.wait(b, 1)
	n := 1
	for b.Loop() {
		produce(b, client, artifact(0, n))
		n++
		sink.wait(b, n)
	}
}
