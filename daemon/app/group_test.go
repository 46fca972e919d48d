package app

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/segmentio/kafka-go"

	"kilim/consumer/kafkaconn"
	"kilim/daemon/config"
	"kilim/daemon/web"
)

// TestTwoDaemons runs two with two folders in one group: neither is ready, and both say why. When one has gone, the other has all.
func TestTwoDaemons(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	cfg.Broker = newOwnBroker(t).addr()
	twoDaemons(t, cfg)
}

// TestKafkaTwoDaemons does so on Apache Kafka.
func TestKafkaTwoDaemons(t *testing.T) {
	t.Parallel()
	if os.Getenv("KILIM_KAFKA") == "" {
		t.Skip("needs a real Kafka: KILIM_KAFKA=host:port")
	}
	twoDaemons(t, testConfig(t))
}

func twoDaemons(t *testing.T, cfg *config.Config) {
	spec := cfg.Kafka.ArtifactsTopic()
	spec.Partitions = 3
	conn, err := kafkaconn.New(kafkaconn.Config{Brokers: []string{cfg.Broker}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.EnsureTopics(t.Context(), []kafkaconn.TopicSpec{spec}); err != nil {
		t.Fatal(err)
	}
	records := func(from, to int) (out []kafka.Message) {
		for i := from; i < to; i++ {
			out = append(out, artifact(fmt.Sprintf("a/%d", i), fmt.Sprintf(`"title":"rug %d"`, i)))
		}
		return out
	}
	waits := func(d *daemon) {
		t.Helper()
		d.until("it waits for the other", func(s *web.Status) bool {
			return !s.Ready && !s.Assigned && strings.Contains(s.Reason, `client "`) && d.get("/-/ready", nil) == http.StatusServiceUnavailable
		})
	}
	first := start(t, cfg)
	first.feed(records(0, 30)...)
	first.settle(30)
	another := *cfg
	another.Data = t.TempDir()
	second := start(t, &another)
	waits(first)
	waits(second)
	first.feed(records(30, 60)...)
	waits(first)
	waits(second)
	second.until("it has read nothing", func(s *web.Status) bool { return s.Artifacts == 0 })
	second.end()
	first.settle(60)
	first.until("it is ready", func(s *web.Status) bool {
		return s.Ready && s.Reason == "" && first.get("/-/ready", nil) == http.StatusOK
	})
	first.end()
}
