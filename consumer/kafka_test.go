package consumer

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"kilim/consumer/consumertest"
	"kilim/consumer/recordset"
)

// TestKafka runs against a real Apache Kafka, where KILIM_KAFKA names one (see
// .ci/kafka/start.sh): compressed and transactional records, two members that
// share the group, a restart.
func TestKafka(t *testing.T) {
	t.Parallel()
	cluster := realCluster(t)
	ctx, cancel := context.WithTimeout(context.Background(), hang)
	defer cancel()
	const partitions, n = 4, 500
	name := "consumer-test-" + time.Now().Format("20060102-150405.000000")
	client := testClient(t, cluster, kgo.ProducerBatchCompression(kgo.ZstdCompression()))
	createTopic(t, client, name, partitions)

	send := func(from, to int) {
		var feed []*kgo.Record
		for i := from; i < to; i++ {
			for p := range partitions {
				r := artifact(p, i)
				r.Topic = name
				feed = append(feed, r)
			}
		}
		produce(t, client, feed...)
	}
	abort := func() {
		tx := testClient(t, cluster, kgo.TransactionalID(name))
		if err := tx.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		for p := range partitions {
			r := artifact(p, -1)
			r.Topic = name
			produce(t, tx, r)
		}
		if err := tx.EndTransaction(ctx, kgo.TryAbort); err != nil {
			t.Fatal(err)
		}
	}

	sink := newStore()
	cfg := testConfig()
	cfg.Group, cfg.Topics, cfg.SessionTimeout, cfg.BatchRecords = name, []string{name}, 6*time.Second, 50
	send(0, n)
	abort()
	first := startMember(t, cfg, cluster, sink)
	sink.wait(t, 100)
	second := startMember(t, cfg, cluster, sink)
	eventually(t, "two members share the partitions", func() bool {
		x, _ := first.Assigned()
		y, _ := second.Assigned()
		return len(x) == 2 && len(y) == 2
	})
	send(n, 2*n)
	first.stop(t)
	second.stop(t)
	third := startMember(t, cfg, cluster, sink)
	sink.wait(t, partitions*2*n)
	abort()
	eventually(t, "caught up behind the last marker", func() bool {
		return third.Probe(ctx) == nil && third.CaughtUp()
	})
	sink.checkTopic(t, name, partitions, 2*n)
}

func realCluster(t *testing.T) testCluster {
	t.Helper()
	addr := os.Getenv("KILIM_KAFKA")
	if addr == "" {
		t.Skip("KILIM_KAFKA is not set")
	}
	return testCluster{strings.Split(addr, ",")}
}

func createTopic(t *testing.T, client *kgo.Client, name string, partitions int32) {
	t.Helper()
	create := kmsg.NewPtrCreateTopicsRequest()
	create.TimeoutMillis = 10_000
	spec := kmsg.NewCreateTopicsRequestTopic()
	spec.Topic, spec.NumPartitions, spec.ReplicationFactor = name, partitions, 1
	create.Topics = append(create.Topics, spec)
	if res, err := create.RequestWith(t.Context(), client); err != nil || res.Topics[0].ErrorCode != 0 {
		t.Fatal(res, err)
	}
}

// TestKafkaBombs: Apache Kafka takes a batch of each codec that unpacks to many times its size. The record that is too large is
// refused by its offset, and its neighbours in the batch are read.
func TestKafkaBombs(t *testing.T) {
	t.Parallel()
	cluster := realCluster(t)
	name := "consumer-bombs-" + time.Now().Format("20060102-150405.000000")
	client := testClient(t, cluster, kgo.MaxVersions(kversion.V2_4_0()))
	createTopic(t, client, name, 1)
	codecs := consumertest.Codecs()[1:]
	for _, codec := range codecs {
		good := []byte(`{"title":"x"}`)
		produceRaw(t, client, name, 0, &consumertest.Batch{Producer: -1, Codec: codec, Records: []consumertest.BatchRecord{
			{Key: []byte("a"), Value: good}, {Offset: 1, Key: []byte("b"), Zeros: recordset.PartBytes + 1}, {Offset: 2, Key: []byte("c"), Value: good},
		}})
	}
	sink := newStore()
	cfg := testConfig()
	cfg.Group, cfg.Topics, cfg.SessionTimeout = name, []string{name}, 6*time.Second
	m := startMember(t, cfg, cluster, sink)
	sink.wait(t, 3*len(codecs))
	m.stop(t)
	for i, it := range sink.items[TopicPartition{name, 0}] {
		large := i%3 == 1
		if it.Offset != int64(i) || string(it.Key) != string("abc"[i%3]) || (it.Artifact == nil) != large || (it.Dropped == recordset.PartBytes+1) != large {
			t.Errorf("%s: %+v", codecs[i/3].Name, it)
		}
	}
}
