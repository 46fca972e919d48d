package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"kilim/consumer/kafkaconn"
	"kilim/daemon/config"
	"kilim/daemon/web"
)

// TestTopicMadeAnew deletes the topic of a state and makes it anew, longer than it was: the daemon refuses to start, says what to do,
// and goes on from the topic's beginning when that is done.
func TestTopicMadeAnew(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	cfg.Broker = newOwnBroker(t).addr()
	topicMadeAnew(t, cfg)
}

// TestKafkaTopicMadeAnew does so on Apache Kafka.
func TestKafkaTopicMadeAnew(t *testing.T) {
	t.Parallel()
	if os.Getenv("KILIM_KAFKA") == "" {
		t.Skip("needs a real Kafka: KILIM_KAFKA=host:port")
	}
	topicMadeAnew(t, testConfig(t))
}

func topicMadeAnew(t *testing.T, cfg *config.Config) {
	records := func(from, to int) (out []kafka.Message) {
		for i := from; i < to; i++ {
			out = append(out, artifact(fmt.Sprintf("a/%d", i), fmt.Sprintf(`"title":"rug %d"`, i)))
		}
		return out
	}
	d := start(t, cfg)
	d.feed(records(0, 20)...)
	d.settle(20)
	d.end()

	remake(t, start(t, cfg), records(20, 50))
	d = start(t, cfg)
	err := d.ended()
	if err == nil || !strings.Contains(err.Error(), "deleted and made anew") || !strings.Contains(err.Error(), "kilim reread --data "+cfg.Data) {
		t.Fatalf("the daemon ends with %v", err)
	}
	if n, err := ForgetOffsets(cfg, slog.New(slog.DiscardHandler)); err != nil || n == 0 {
		t.Fatalf("%d offsets forgotten: %v", n, err)
	}
	d = start(t, cfg)
	d.settle(50)
	d.end()
}

// remake makes the artifacts' topic of a daemon anew while it runs, with messages in it, and wants the daemon to end because of that.
func remake(t *testing.T, d *daemon, messages []kafka.Message) {
	t.Helper()
	topic := d.cfg.Kafka.Topics.Artifacts
	d.until("the topic is read", func(s *web.Status) bool { return s.Assigned && s.Lag == 0 })
	client := d.app.conn.Client()
	res, err := client.DeleteTopics(context.Background(), &kafka.DeleteTopicsRequest{Topics: []string{topic}})
	if err != nil || res.Errors[topic] != nil {
		t.Fatal(res, err)
	}
	for made := false; !made; { // a broker may need a while to let go of a topic of that name
		created, err := client.CreateTopics(context.Background(), &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{Topic: topic, NumPartitions: 1, ReplicationFactor: 1}}})
		made = err == nil && created.Errors[topic] == nil
	}
	d.feed(messages...)
	if err := d.ended(); err == nil || !strings.Contains(err.Error(), "deleted and made anew") {
		t.Fatalf("the daemon ends with %v", err)
	}
}

// TestPartitionsAddedUnderBacklog adds partitions to a topic whose records nobody has read: old versions wait behind a backlog in the first one, new
// ones come in those that their keys have gone to. All artifacts end as the new ones say.
func TestPartitionsAddedUnderBacklog(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	cfg.Broker = newOwnBroker(t).addr()
	addPartitions(t, cfg)
}

// TestKafkaPartitionsAddedUnderBacklog does so on Apache Kafka.
func TestKafkaPartitionsAddedUnderBacklog(t *testing.T) {
	t.Parallel()
	if os.Getenv("KILIM_KAFKA") == "" {
		t.Skip("needs a real Kafka: KILIM_KAFKA=host:port")
	}
	addPartitions(t, testConfig(t))
}

func addPartitions(t *testing.T, cfg *config.Config) {
	const n, fillers = 20, 300
	cfg.Ingest.BatchRecords, cfg.Ingest.InFlightBytes = 8, 16<<10 // so that the new ones need not wait for the whole backlog
	topic := cfg.Kafka.Topics.Artifacts
	conn, err := kafkaconn.New(kafkaconn.Config{Brokers: []string{cfg.Broker}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.EnsureTopics(t.Context(), []kafkaconn.TopicSpec{{Name: topic, Partitions: 1, Replication: 1}}); err != nil {
		t.Fatal(err)
	}
	send := func(messages ...kafka.Message) {
		t.Helper()
		w := &kafka.Writer{Addr: kafka.TCP(cfg.Broker), Topic: topic, Balancer: kafka.Murmur2Balancer{}, RequiredAcks: kafka.RequireAll, BatchTimeout: time.Millisecond, MaxAttempts: 20, Transport: conn.Transport()}
		if err := errors.Join(w.WriteMessages(context.Background(), messages...), w.Close()); err != nil {
			t.Fatal(err)
		}
	}
	versions := func(version string, at time.Time) (out []kafka.Message) {
		for i := range n {
			m := artifact(fmt.Sprintf("a/%d", i), fmt.Sprintf(`"title":"%s %d"`, version, i))
			m.Time = at
			out = append(out, m)
		}
		return out
	}
	var backlog []kafka.Message
	for i := range fillers {
		backlog = append(backlog, artifact(fmt.Sprintf("f/%d", i), `"title":"filler"`))
	}
	began := time.Now().Add(-time.Minute)
	send(append(backlog, versions("old", began)...)...)
	res, err := conn.Client().CreatePartitions(t.Context(), &kafka.CreatePartitionsRequest{Topics: []kafka.TopicPartitionsConfig{{Name: topic, Count: 4}}})
	if err != nil || res.Errors[topic] != nil {
		t.Fatal(res, err)
	}
	for parts := 0; parts < 4; { // a broker may hear of them late
		there, err := kafka.LookupPartitions(t.Context(), "tcp", cfg.Broker, topic)
		if err != nil {
			t.Fatal(err)
		}
		parts = len(there)
	}
	send(versions("new", began.Add(time.Second))...)
	d := start(t, cfg)
	d.settle(fillers + n)
	for i := range n {
		var view struct{ Artifact struct{ Title string } }
		if code := d.get(fmt.Sprintf("/api/v1/artifacts/a%%2F%d", i), &view); code != 200 || view.Artifact.Title != fmt.Sprintf("new %d", i) {
			t.Errorf("a/%d is %q (%d)", i, view.Artifact.Title, code)
		}
	}
	d.end()
}
