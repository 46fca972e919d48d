package publish

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kilim/rerank"
)

func TestDeliversInOrder(t *testing.T) {
	t.Parallel()
	c, m := newCluster(t, 3), newMemory()
	m.put(c.mixed(400)...)
	deliver(t, c.config(t, m, &faults{}), m)
	c.exactlyOnce(t, 400)
}

func TestFaultsKeepExactlyOnce(t *testing.T) {
	t.Parallel()
	for _, act := range []action{lose, deafen} {
		c, m := newCluster(t, 3), newMemory()
		m.put(c.mixed(200)...)
		f := &faults{next: func(n int) action {
			if n%3 == 1 {
				return act
			}
			return pass
		}}
		deliver(t, c.config(t, m, f), m)
		c.exactlyOnce(t, 200)
	}
}

// A request that hangs in the network reaches the broker after reconciliation has
// looked: before the same messages are sent again, and after.
func TestLateRequestIsNotRepeated(t *testing.T) {
	t.Parallel()
	for _, releaseAt := range []int{2, 3} {
		lateRequest(t, newCluster(t, 1), releaseAt)
	}
}

func lateRequest(t *testing.T, c *cluster, releaseAt int) {
	t.Helper()
	m := newMemory()
	for i := range 120 {
		m.put(update("a", uint64(i+1)))
	}
	f := &faults{next: func(n int) action {
		if n == 1 {
			return withhold
		}
		return pass
	}}
	f.before = func(n int) {
		if n == releaseAt {
			f.release()
		}
	}
	deliver(t, c.config(t, m, f), m)
	if f.released != 1 {
		t.Fatalf("%d requests were late, want 1", f.released)
	}
	c.exactlyOnce(t, 120)
}

// The process dies between the broker's acknowledgement and its own.
func TestCrashBeforeAck(t *testing.T) {
	t.Parallel()
	c, m := newCluster(t, 4), newMemory()
	m.put(c.mixed(300)...)
	acks := 0
	m.beforeAck = func(uint64) error {
		if acks++; acks%2 == 1 {
			return errInjected
		}
		return nil
	}
	for m.waiting() > 0 {
		if err := attempt(t, c.config(t, m, &faults{}), m); err != nil && !errors.Is(err, errInjected) {
			t.Fatal(err)
		}
	}
	if acks < 12 {
		t.Fatalf("%d acks: the test did not crash", acks)
	}
	c.exactlyOnce(t, 300)
}

func TestRandomFaultsAndCrashes(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			c, m := newCluster(t, 1+int(seed%3)), newMemory()
			rng := rand.New(rand.NewPCG(seed, 4))
			m.beforeAck = func(uint64) error {
				if rng.IntN(4) == 0 {
					return errInjected
				}
				return nil
			}
			dice := rand.New(rand.NewPCG(seed, 5))
			id, sides := "", 8
			if seed%2 == 1 {
				id, sides = "kilim", 60 // a transaction is up to 13 requests, and one that fails has all sent again
			}
			next := func(int) action {
				switch dice.IntN(sides) {
				case 0:
					return lose
				case 1, 2:
					return deafen
				}
				return pass
			}
			put := 0
			for put < 300 || m.waiting() > 0 {
				if put < 300 {
					n := 1 + rng.IntN(60)
					m.put(c.mixed(put + n)[put:]...)
					put += n
				}
				cfg := c.config(t, m, &faults{next: next})
				cfg.TransactionalID = id
				if err := attempt(t, cfg, m); err != nil && !errors.Is(err, errInjected) {
					t.Fatal(err)
				}
				m.crash(rng.IntN(6) - 2)
			}
			c.exactlyOnce(t, put)
		})
	}
}

// Errors that the broker answers with, before and after it stored the batch.
func TestBrokerErrors(t *testing.T) {
	t.Parallel()
	for _, code := range []*kerr.Error{kerr.NotLeaderForPartition, kerr.RequestTimedOut, kerr.OutOfOrderSequenceNumber} {
		c, m := newCluster(t, 1), newMemory()
		m.put(c.mixed(120)...)
		n := 0
		c.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
			c.KeepControl()
			if n++; n%2 == 0 {
				return nil, nil, false
			}
			return produceError(req.(*kmsg.ProduceRequest), code), nil, true
		})
		deliver(t, c.config(t, m, &faults{}), m)
		c.exactlyOnce(t, 120)
	}
}

func produceError(req *kmsg.ProduceRequest, code *kerr.Error) kmsg.Response {
	res := req.ResponseKind().(*kmsg.ProduceResponse)
	for _, t := range req.Topics {
		rt := kmsg.NewProduceResponseTopic()
		rt.Topic = t.Topic
		for _, p := range t.Partitions {
			rp := kmsg.NewProduceResponseTopicPartition()
			rp.Partition, rp.ErrorCode = p.Partition, code.Code
			rt.Partitions = append(rt.Partitions, rp)
		}
		res.Topics = append(res.Topics, rt)
	}
	return res
}

// Without the right to write idempotently it goes on, and reconciles.
func TestWithoutProducerID(t *testing.T) {
	t.Parallel()
	c, m := newCluster(t, 2), newMemory()
	c.ControlKey(int16(kmsg.InitProducerID), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		res := req.ResponseKind().(*kmsg.InitProducerIDResponse)
		res.ErrorCode = kerr.ClusterAuthorizationFailed.Code
		return res, nil, true
	})
	m.put(c.mixed(200)...)
	f := &faults{next: func(n int) action {
		if n%3 == 1 {
			return deafen
		}
		return pass
	}}
	deliver(t, c.config(t, m, f), m)
	c.exactlyOnce(t, 200)
}

// The broker compacts what is published while the outbox still has it.
func TestCompactedBeforeReconciliation(t *testing.T) {
	t.Parallel()
	c, m := newCluster(t, 1), newMemory()
	setCompacted(t, c)
	for i := range 200 {
		m.put(update(fmt.Sprintf("a%d", i%3), uint64(i+1)))
	}
	m.beforeAck = func(uint64) error { return errInjected }
	cfg := c.config(t, m, &faults{})
	cfg.Batch, cfg.MaxBatchBytes = 200, 4<<10 // one ack, many record batches
	if err := attempt(t, cfg, m); !errors.Is(err, errInjected) {
		t.Fatalf("got %v, want the injected crash", err)
	}
	before := len(c.read(t, similar))
	c.Compact()
	after := len(c.read(t, similar))
	if before != 200 || after >= before {
		t.Fatalf("%d records, %d after compaction: it did nothing", before, after)
	}
	m.beforeAck = nil
	deliver(t, c.config(t, m, &faults{}), m)
	if n := len(c.read(t, similar)); n != after {
		t.Errorf("%d records, want the %d of before: messages were repeated", n, after)
	}
}

func setCompacted(t *testing.T, c *cluster) {
	t.Helper()
	client := &kafka.Client{Addr: kafka.TCP(c.addr), Transport: &kafka.Transport{}}
	defer client.Transport.(*kafka.Transport).CloseIdleConnections()
	res, err := client.IncrementalAlterConfigs(t.Context(), &kafka.IncrementalAlterConfigsRequest{
		Resources: []kafka.IncrementalAlterConfigsRequestResource{{
			ResourceType: kafka.ResourceTypeTopic, ResourceName: similar,
			Configs: []kafka.IncrementalAlterConfigsRequestConfig{
				{Name: "cleanup.policy", Value: "compact", ConfigOperation: kafka.ConfigOperationSet},
				{Name: "segment.bytes", Value: "8192", ConfigOperation: kafka.ConfigOperationSet},
				{Name: "min.cleanable.dirty.ratio", Value: "0", ConfigOperation: kafka.ConfigOperationSet},
			},
		}},
	})
	if err != nil || res.Resources[0].Error != nil {
		t.Fatal(err, res)
	}
}

func TestTooLargeDeadLetter(t *testing.T) {
	t.Parallel()
	c, m := newCluster(t, 1, kfake.BrokerConfigs(map[string]string{"message.max.bytes": "4096"})), newMemory()
	// What does not compress: random bytes.
	value := make([]byte, 8<<10)
	rng := rand.New(rand.NewPCG(7, 7))
	for i := range value {
		value[i] = byte(rng.Uint32())
	}
	headers := []rerank.Header{{Key: "__connect.errors.topic", Value: []byte("in")}, {Key: "x", Value: value}}
	m.put(rerank.EncodeMessage(dead, []byte("before"), []byte("1"), headers[:1]))
	m.put(rerank.EncodeMessage(dead, value, value, headers))
	m.put(rerank.EncodeMessage(dead, []byte("after"), []byte("2"), headers[:1]))
	deliver(t, c.config(t, m, &faults{}), m)
	c.exactlyOnce(t, 3)
	r := c.read(t, dead)[1]
	if r.Value != nil || string(r.Key) != string(value[:cutBytes]) || header(r, HeaderDropped) != "8192" ||
		header(r, "__connect.errors.topic") != "in" || header(r, "x") != "" {
		t.Errorf("the cut dead letter: key of %d bytes, value %v, headers %v", len(r.Key), r.Value, r.Headers)
	}
}

// Batches that the broker finds too large go in halves.
func TestTooLargeBatch(t *testing.T) {
	t.Parallel()
	c, m := newCluster(t, 1, kfake.BrokerConfigs(map[string]string{"message.max.bytes": "2048"})), newMemory()
	m.put(c.mixed(200)...)
	deliver(t, c.config(t, m, &faults{}), m)
	c.exactlyOnce(t, 200)
}

// The topics are deleted and made anew: the stored positions are beyond their ends.
func TestTopicsMadeAnew(t *testing.T) {
	t.Parallel()
	m := newMemory()
	first := newCluster(t, 1)
	m.put(first.mixed(100)...)
	deliver(t, first.config(t, m, &faults{}), m)
	second := newCluster(t, 1)
	m.seq = 0 // so that exactlyOnce can count from 1
	m.put(second.mixed(50)...)
	deliver(t, second.config(t, m, &faults{}), m)
	second.exactlyOnce(t, 50)
}

// Messages of other stores, and dead letters that carry our headers, are not ours.
func TestForeignMessages(t *testing.T) {
	t.Parallel()
	c, m := newCluster(t, 1), newMemory()
	other := newMemory()
	other.put(c.mixed(30)...)
	cfg := c.config(t, other, &faults{})
	p, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	p.writer = "another"
	out, err := p.render(other.entries)
	if err != nil {
		t.Fatal(err)
	}
	p.positions = map[topicPartition]int64{}
	shares, err := p.share(t.Context(), out)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.send(t.Context(), shares); err != nil {
		t.Fatal(err)
	}
	m.put(c.mixed(30)...)
	deliver(t, c.config(t, m, &faults{}), m)
	times := map[string]int{}
	for _, topic := range c.topics() {
		for _, r := range c.read(t, topic) {
			times[header(r, HeaderWriter)]++
		}
	}
	if times[uuid] != 30 || times["another"] != 30 {
		t.Errorf("messages by writer: %v, want 30 of each", times)
	}
}

// Java's default partitioner; hashes from Kafka's own UtilsTest.testMurmur2.
func TestPartitionIsJavas(t *testing.T) {
	t.Parallel()
	for key, hash := range map[string]int32{
		"21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536,
		"a-little-bit-longer-string": -1486304829, "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
	} {
		for n := 1; n <= 12; n++ {
			top := &topic{}
			for i := range n {
				top.partitions = append(top.partitions, i)
			}
			got := top.partition(&outgoing{msg: kafka.Message{Key: []byte(key)}})
			if want := int(hash&0x7fffffff) % n; got != want {
				t.Errorf("key %q of %d partitions: %d, want %d", key, n, got, want)
			}
		}
	}
}

func TestMetricsAndCallback(t *testing.T) {
	t.Parallel()
	c, m := newCluster(t, 2), newMemory()
	reg := prometheus.NewPedanticRegistry()
	cfg := c.config(t, m, &faults{next: func(n int) action {
		if n == 1 {
			return deafen
		}
		return pass
	}})
	cfg.Metrics = NewMetrics(reg)
	var got []Published
	cfg.OnPublished = func(p []Published) { got = append(got, p...) }
	recorded := time.Now().Add(-time.Minute).Truncate(time.Millisecond).UTC()
	m.put(
		rerank.EncodeUpdate(&rerank.Update{ID: "new", Revision: 1, Cause: []string{"x", "new"}, Recorded: recorded}),
		rerank.EncodeUpdate(&rerank.Update{ID: "old", Revision: 1, Cause: []string{"new"}, Recorded: recorded}),
		rerank.EncodeMessage(dead, nil, nil, nil))
	deliver(t, cfg, m)
	want := []Published{
		{Seq: 1, Topic: similar, Kind: rerank.KindUpdate, ID: "new", Revision: 1, Recorded: recorded, Own: true},
		{Seq: 2, Topic: similar, Kind: rerank.KindUpdate, ID: "old", Revision: 1, Recorded: recorded},
		{Seq: 3, Topic: dead, Kind: rerank.KindMessage},
	}
	for i := range got {
		u := got[i].Update
		if (u != nil) != (got[i].Kind == rerank.KindUpdate) || u != nil && u.ID != got[i].ID {
			t.Errorf("entry %d, %s: the update is %v", got[i].Seq, got[i].ID, u)
		}
		got[i].Update = nil // an address, which differs
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("published\n%v, want\n%v", got, want)
	}
	families := must(reg.Gather())
	counts := values(families)
	for what, want := range map[string]float64{
		"kilim_published_messages_total similar":      2,
		"kilim_published_messages_total dead_letters": 1,
		"kilim_publish_failures_total":                1,
		"kilim_freshness_seconds":                     1,
	} {
		if counts[what] != want {
			t.Errorf("%s: %v, want %v", what, counts[what], want)
		}
	}
	// How many were in the request whose answer was lost depends on the partition that came first.
	if n := counts["kilim_reconciled_messages_total"]; n < 1 || n > 3 {
		t.Errorf("%v messages reconciled, want 1 to 3", n)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil || len(problems) > 0 {
		t.Error(err, problems)
	}
}

// values gives counters, and how often histograms observed, by name and label.
func values(families []*dto.MetricFamily) map[string]float64 {
	out := map[string]float64{}
	for _, f := range families {
		for _, m := range f.Metric {
			name := f.GetName()
			for _, l := range m.Label {
				name += " " + l.GetValue()
			}
			out[name] = m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return out
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestConfigNamesAllFaults(t *testing.T) {
	t.Parallel()
	_, err := New(Config{Batch: -1, Timeout: -time.Second, Compression: "lzma"})
	for _, want := range []string{"address: missing", "transport: missing", "store: missing", "similar: missing", "batch: -1", "timeout: -1s", "lzma"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not name %q", err, want)
		}
	}
}
