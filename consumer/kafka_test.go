package consumer

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestKafka runs against a real Apache Kafka, where KILIM_KAFKA names one (see
// .ci/kafka/start.sh): compressed and transactional records, two members that
// share the group, a restart.
func TestKafka(t *testing.T) {
	t.Parallel()
	addr := os.Getenv("KILIM_KAFKA")
	if addr == "" {
		t.Skip("KILIM_KAFKA is not set")
	}
	ctx, cancel := context.WithTimeout(context.Background(), hang)
	defer cancel()
	cluster := testCluster{strings.Split(addr, ",")}
	const partitions, n = 4, 500
	name := "consumer-test-" + time.Now().Format("20060102-150405.000000")
	client := testClient(t, cluster, kgo.ProducerBatchCompression(kgo.ZstdCompression()))
	create := kmsg.NewPtrCreateTopicsRequest()
	create.TimeoutMillis = 10_000
	spec := kmsg.NewCreateTopicsRequestTopic()
	spec.Topic, spec.NumPartitions, spec.ReplicationFactor = name, partitions, 1
	create.Topics = append(create.Topics, spec)
	if res, err := create.RequestWith(ctx, client); err != nil || res.Topics[0].ErrorCode != 0 {
		t.Fatal(res, err)
	}

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
