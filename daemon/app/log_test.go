package app

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/segmentio/kafka-go"

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
	err := <-d.done
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
	if err := <-d.done; err == nil || !strings.Contains(err.Error(), "deleted and made anew") {
		t.Fatalf("the daemon ends with %v", err)
	}
}
