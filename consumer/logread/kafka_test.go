package logread

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestFetchByID: a log is fetched by its id, and not when the topic of that name is another one.
func TestFetchByID(t *testing.T) {
	t.Parallel()
	broker, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer broker.Close()
	fetchByIDs(t, broker.ListenAddrs())
}

// TestKafkaFetchByID does so on Apache Kafka.
func TestKafkaFetchByID(t *testing.T) {
	t.Parallel()
	addr := os.Getenv("KILIM_KAFKA")
	if addr == "" {
		t.Skip("KILIM_KAFKA is not set")
	}
	fetchByIDs(t, strings.Split(addr, ","))
}

func fetchByIDs(t *testing.T, brokers []string) {
	const patience = 30 * time.Second
	topic := "by-id-" + time.Now().Format("150405.000000")
	r := &Reader{Transport: &kafka.Transport{MetadataTTL: 100 * time.Millisecond}, Addr: kafka.TCP(brokers...), Isolation: kafka.ReadCommitted,
		MaxBytes: 1 << 20, Wait: 100 * time.Millisecond, Timeout: 10 * time.Second}
	defer r.Transport.CloseIdleConnections()
	// begin makes the topic with a record, and fetches that.
	begin := func(key string) (log Log) {
		t.Helper()
		client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.DefaultProduceTopic(topic), kgo.UnknownTopicRetries(-1))
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		req := kmsg.NewPtrCreateTopicsRequest()
		spec := kmsg.NewCreateTopicsRequestTopic()
		spec.Topic, spec.NumPartitions, spec.ReplicationFactor = topic, 1, 1
		req.TimeoutMillis, req.Topics = 10_000, append(req.Topics, spec)
		for start := time.Now(); ; { // a broker may need a while to let go of a topic of that name
			res, err := req.RequestWith(t.Context(), client)
			if err == nil && res.Topics[0].ErrorCode == 0 {
				break
			}
			if time.Since(start) > patience {
				t.Fatal(res, err)
			}
		}
		if err := client.ProduceSync(t.Context(), &kgo.Record{Key: []byte(key)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
		for start := time.Now(); ; {
			log, err = r.Identify(t.Context(), topic, 0)
			var pg Page
			if err == nil {
				pg, err = r.Fetch(t.Context(), log, 0)
			}
			if err == nil && len(pg.Kept) > 0 {
				for rec := range pg.Records() {
					if string(rec.Key) != key {
						t.Fatalf("key %s, want %s", rec.Key, key)
					}
				}
				return log
			}
			if time.Since(start) > patience {
				t.Fatal(err)
			}
		}
	}
	old := begin("a")
	if !old.byID || old.ID == (TopicID{}) {
		t.Errorf("the log is %+v, want an id to fetch by", old)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	req := kmsg.NewPtrDeleteTopicsRequest()
	gone := kmsg.NewDeleteTopicsRequestTopic()
	gone.Topic = &topic
	req.TimeoutMillis, req.TopicNames, req.Topics = 10_000, []string{topic}, append(req.Topics, gone)
	if res, err := req.RequestWith(t.Context(), client); err != nil || res.Topics[0].ErrorCode != 0 {
		t.Fatal(res, err)
	}
	if log := begin("b"); log.ID == old.ID {
		t.Errorf("the new topic has the id %v too", log.ID)
	}
	if pg, err := r.Fetch(t.Context(), old, 0); !errors.Is(err, kafka.UnknownTopicID) && !errors.Is(err, kafka.InconsistentTopicID) {
		t.Errorf("by the old id: %+v, %v", pg, err)
	}
}
