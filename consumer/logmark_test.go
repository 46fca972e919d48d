package consumer

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// makeTopic makes a topic, which must not be there.
func makeTopic(t testing.TB, client *kgo.Client, name string, partitions int) {
	t.Helper()
	req := kmsg.NewPtrCreateTopicsRequest()
	req.TimeoutMillis = 10_000
	spec := kmsg.NewCreateTopicsRequestTopic()
	spec.Topic, spec.NumPartitions, spec.ReplicationFactor = name, int32(partitions), 1
	req.Topics = append(req.Topics, spec)
	// A broker may need a while to let go of a topic of that name.
	eventually(t, "the topic is made", func() bool {
		res, err := req.RequestWith(t.Context(), client)
		return err == nil && res.Topics[0].ErrorCode == 0
	})
}

// remakeTopic deletes a topic and makes it anew. A client that has written to the old one refuses to write to the new one.
func remakeTopic(t testing.TB, client *kgo.Client, name string, partitions int) {
	t.Helper()
	req := kmsg.NewPtrDeleteTopicsRequest()
	req.TimeoutMillis, req.TopicNames = 10_000, []string{name}
	topic := kmsg.NewDeleteTopicsRequestTopic()
	topic.Topic = &name
	req.Topics = append(req.Topics, topic)
	res, err := req.RequestWith(t.Context(), client)
	if err != nil || res.Topics[0].ErrorCode != 0 {
		t.Fatal(res, err)
	}
	makeTopic(t, client, name, partitions)
}

// fill produces n records to each partition of a topic.
func fill(t testing.TB, cluster testCluster, name string, partitions, n int) {
	t.Helper()
	client := testClient(t, cluster, kgo.UnknownTopicRetries(-1)) // a broker may hear of a new topic late
	var feed []*kgo.Record
	for i := range n {
		for p := range partitions {
			r := artifact(p, i)
			r.Topic = name
			feed = append(feed, r)
		}
	}
	produce(t, client, feed...)
}

// TestTopicMadeAnew deletes a topic and makes it anew, with more records than were read: between two runs, and in one.
func TestTopicMadeAnew(t *testing.T) {
	t.Parallel()
	_, cluster := startBroker(t)
	topicMadeAnew(t, cluster, topic)
}

// TestKafkaTopicMadeAnew does so on Apache Kafka.
func TestKafkaTopicMadeAnew(t *testing.T) {
	t.Parallel()
	topicMadeAnew(t, realKafka(t), "made-anew-"+time.Now().Format("150405.000000"))
}

// realKafka is the Apache Kafka that KILIM_KAFKA names.
func realKafka(t *testing.T) testCluster {
	t.Helper()
	addr := os.Getenv("KILIM_KAFKA")
	if addr == "" {
		t.Skip("KILIM_KAFKA is not set")
	}
	return testCluster{strings.Split(addr, ",")}
}

func topicMadeAnew(t *testing.T, cluster testCluster, name string) {
	const partitions, n = 2, 20
	client := testClient(t, cluster)
	cfg := testConfig()
	cfg.Group, cfg.Topics, cfg.SessionTimeout, cfg.Alone = name, []string{name}, 6*time.Second, true
	makeTopic(t, client, name, partitions)

	// While nothing was read, a new topic is as good as the old one.
	sink := newStore()
	m := startMember(t, cfg, cluster, sink)
	eventually(t, "the topic is read", func() bool { parts, _ := m.Assigned(); return len(parts) == partitions && m.CaughtUp() })
	remakeTopic(t, client, name, partitions)
	fill(t, cluster, name, partitions, n)
	sink.wait(t, partitions*n)

	remakeTopic(t, client, name, partitions)
	fill(t, cluster, name, partitions, 2*n)
	refused := func(m *member) {
		t.Helper()
		if err := m.end(t); !errors.Is(err, ErrOtherLog) || !strings.Contains(err.Error(), strconv.Quote(name)) || !strings.Contains(err.Error(), "made anew") {
			t.Errorf("Run gave %v", err)
		}
		if got := sink.count(); got != partitions*n {
			t.Errorf("%d records are in the state, want %d: those of the new topic must not be", got, partitions*n)
		}
	}
	refused(m)
	refused(startMember(t, cfg, cluster, sink))

	clear(sink.next) // what forgetting the offsets does
	clear(sink.logs)
	m = startMember(t, cfg, cluster, sink)
	sink.wait(t, 3*partitions*n)
	m.stop(t)
	startMember(t, cfg, cluster, sink)
	fill(t, cluster, name, partitions, 1)
	sink.wait(t, (3*n+1)*partitions)
}

// TestRecreatedBetweenTwoFetches: no request fails, and no partition is assigned anew. The records of the new log are not applied.
func TestRecreatedBetweenTwoFetches(t *testing.T) {
	t.Parallel()
	broker, cluster := startBroker(t, kfake.SeedTopics(1, topic))
	client := testClient(t, cluster)
	produce(t, client, artifact(0, 0))
	sink := newStore()
	m := startMember(t, testConfig(), cluster, sink)
	sink.wait(t, 1)
	remade := make(chan struct{})
	broker.ControlKey(kmsg.Fetch.Int16(), func(kmsg.Request) (kmsg.Response, error, bool) {
		// The new topic is there and filled before the broker sees this fetch.
		broker.SleepControl(func() { <-remade })
		return nil, nil, false
	})
	remakeTopic(t, client, topic, 1)
	fill(t, cluster, topic, 1, 10)
	close(remade)
	if err := m.end(t); !errors.Is(err, ErrOtherLog) {
		t.Errorf("Run gave %v", err)
	}
	if got := sink.count(); got != 1 {
		t.Errorf("%d records are in the state, want 1", got)
	}
}

// TestLogWrittenAgain: the topic is the same by its id, and the last record before the stored offset is another one. What is not
// there any more says nothing.
func TestLogWrittenAgain(t *testing.T) {
	t.Parallel()
	_, cluster := startBroker(t, kfake.SeedTopics(1, topic))
	client := testClient(t, cluster)
	fill(t, cluster, topic, 1, 10)
	read := newStore()
	m := startMember(t, testConfig(), cluster, read)
	read.wait(t, 10)
	m.stop(t)
	tp := TopicPartition{topic, 0}
	stored, err := decodeLogMark(read.logs[tp])
	if err != nil || stored.last != 9 || stored.topic == (topicID{}) {
		t.Fatalf("stored %+v, %v", stored, err)
	}
	for name, c := range map[string]struct {
		change func(*logMark)
		next   int64
		want   bool
	}{
		"as it was":                     {func(*logMark) {}, 10, true},
		"another record":                {func(m *logMark) { m.sum++ }, 10, false},
		"another record, further back":  {func(m *logMark) { m.last = 3 }, 10, false},
		"another topic":                 {func(m *logMark) { m.topic[0]++ }, 10, false},
		"another topic, and no record":  {func(m *logMark) { m.topic[0]++; m.last = -1 }, 10, false},
		"no id":                         {func(m *logMark) { m.topic = topicID{} }, 10, true},
		"no id, another record":         {func(m *logMark) { m.topic = topicID{}; m.sum++ }, 10, false},
		"nothing is known":              {func(m *logMark) { *m = logMark{last: -1} }, 10, true},
		"the record was not kept whole": {func(m *logMark) { m.last = -1 }, 10, true},
	} {
		sink := newStore()
		mark := stored
		c.change(&mark)
		sink.next[tp], sink.logs[tp] = c.next, mark.encode()
		m := startMember(t, testConfig(), cluster, sink)
		if c.want {
			eventually(t, name+": it is read", m.CaughtUp)
			m.stop(t)
		} else if err := m.end(t); !errors.Is(err, ErrOtherLog) {
			t.Errorf("%s: Run gave %v", name, err)
		}
	}
	// Retention takes the record.
	req := kmsg.NewPtrDeleteRecordsRequest()
	req.TimeoutMillis = 1000
	req.Topics = []kmsg.DeleteRecordsRequestTopic{{Topic: topic, Partitions: []kmsg.DeleteRecordsRequestTopicPartition{{Partition: 0, Offset: 10}}}}
	if res, err := req.RequestWith(context.Background(), client); err != nil || res.Topics[0].Partitions[0].ErrorCode != 0 {
		t.Fatal(res, err)
	}
	sink := newStore()
	stored.sum++
	sink.next[tp], sink.logs[tp] = 10, stored.encode()
	m = startMember(t, testConfig(), cluster, sink)
	eventually(t, "what is not there is not compared", m.CaughtUp)
}

// TestBrokersWithoutTopicIDs: the last record tells what it can.
func TestBrokersWithoutTopicIDs(t *testing.T) {
	t.Parallel()
	broker, cluster := startBroker(t, kfake.SeedTopics(1, topic))
	broker.ControlKey(kmsg.ApiVersions.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		broker.KeepControl()
		res := req.ResponseKind().(*kmsg.ApiVersionsResponse)
		for _, k := range []struct{ key, max int16 }{{0, 8}, {1, 11}, {2, 5}, {3, 8}, {8, 7}, {9, 5}, {10, 2}, {11, 5}, {12, 3}, {13, 2}, {14, 3}, {15, 4}, {18, 2}} {
			one := kmsg.NewApiVersionsResponseApiKey()
			one.ApiKey, one.MaxVersion = k.key, k.max
			res.ApiKeys = append(res.ApiKeys, one)
		}
		return res, nil, true
	})
	fill(t, cluster, topic, 1, 10)
	sink := newStore()
	m := startMember(t, testConfig(), cluster, sink)
	sink.wait(t, 10)
	m.stop(t)
	tp := TopicPartition{topic, 0}
	stored, err := decodeLogMark(sink.logs[tp])
	if err != nil || stored.last != 9 || stored.topic != (topicID{}) {
		t.Fatalf("stored %+v, %v", stored, err)
	}
	m = startMember(t, testConfig(), cluster, sink)
	eventually(t, "it is read on", m.CaughtUp)
	m.stop(t)
	stored.sum++
	sink.logs[tp] = stored.encode()
	if err := startMember(t, testConfig(), cluster, sink).end(t); !errors.Is(err, ErrOtherLog) {
		t.Errorf("Run gave %v", err)
	}
}

// TestTopicIDOverABrokersRestart: the embedded broker keeps it.
func TestTopicIDOverABrokersRestart(t *testing.T) {
	t.Parallel()
	dir, port := t.TempDir(), 0
	var ids []topicID
	for range 3 {
		broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(port), kfake.DataDir(dir), kfake.SeedTopics(1, topic))
		if err != nil {
			t.Fatal(err)
		}
		addr := broker.ListenAddrs()[0]
		if _, p, err := net.SplitHostPort(addr); err != nil {
			t.Fatal(err)
		} else if port, err = strconv.Atoi(p); err != nil {
			t.Fatal(err)
		}
		c, err := New(testConfig(), testCluster{[]string{addr}}, newStore(), NewMetrics(prometheus.NewRegistry()), nil)
		if err != nil {
			t.Fatal(err)
		}
		id, err := c.fetcher.topicID(t.Context(), TopicPartition{topic, 0}, true)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
		broker.Close()
	}
	if ids[0] == (topicID{}) || ids[1] != ids[0] || ids[2] != ids[0] {
		t.Errorf("the ids are %v", ids)
	}
}

// TestLogMarkCodec writes and reads random ones, and refuses what is none.
func TestLogMarkCodec(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		m := logMark{last: rng.Int64() - rng.Int64(), sum: rng.Uint64()}
		for i := range m.topic {
			m.topic[i] = byte(rng.Uint32())
		}
		if got, err := decodeLogMark(m.encode()); err != nil || got != m {
			t.Fatalf("%+v became %+v, %v", m, got, err)
		}
		bad := m.encode()
		if cut := rng.IntN(len(bad)); cut > 0 {
			bad = bad[:cut]
		} else {
			bad = "\x02" + bad[1:]
		}
		if got, err := decodeLogMark(bad); err == nil {
			t.Fatalf("%x is read as %+v", bad, got)
		}
	}
	sums := map[uint64]string{}
	for _, key := range [][]byte{nil, {}, []byte("a"), []byte("ab")} {
		for _, value := range [][]byte{nil, {}, []byte("b"), []byte("ab")} {
			r := Record{Key: key, Value: value}
			what := fmt.Sprintf("%#v", r)
			if other, ok := sums[r.sum()]; ok {
				t.Errorf("%s and %s have one sum", what, other)
			}
			sums[r.sum()] = what
		}
	}
}
