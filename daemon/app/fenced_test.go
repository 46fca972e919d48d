package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kgo"

	"kilim/daemon/web"
	"kilim/rerank/publish"
)

// TestKafkaFencedDaemon has a second daemon, with a folder and a group of its own, begin to publish under the transactional id of the first, which does not
// know that it was replaced: the first ends with the reason at its next message, and nothing of it is in the topics behind the second's.
func TestKafkaFencedDaemon(t *testing.T) {
	t.Parallel()
	if os.Getenv("KILIM_KAFKA") == "" {
		t.Skip("needs a real Kafka: KILIM_KAFKA=host:port")
	}
	cfg := testConfig(t)
	cfg.Publish.TransactionalID = cfg.Kafka.Group
	records := func(from, to int) (out []kafka.Message) {
		for i := from; i < to; i++ {
			out = append(out, artifact(fmt.Sprintf("a/%d", i), fmt.Sprintf(`"title":"rug %d"`, i)))
		}
		return append(out, kafka.Message{Key: []byte("bad"), Value: []byte("{")})
	}
	first := start(t, cfg)
	first.feed(records(0, 30)...)
	first.settle(30)
	other := *cfg
	other.Data, other.Kafka.Group = t.TempDir(), cfg.Kafka.Group+"-2"
	second := start(t, &other)
	second.settle(30)
	second.feed(records(30, 60)...)
	if err := <-first.done; !errors.Is(err, publish.ErrFenced) {
		t.Errorf("the first ends with %v, want %v", err, publish.ErrFenced)
	}
	second.settle(60)
	for _, topic := range []string{cfg.Kafka.Topics.Similar, cfg.Kafka.Topics.DeadLetters} {
		var writers []string
		last := map[string]string{}
		for _, r := range committed(t, cfg.Broker, topic) {
			writer := ""
			for _, h := range r.Headers {
				if h.Key == publish.HeaderWriter {
					writer = string(h.Value)
				}
			}
			if len(writers) == 0 || writers[len(writers)-1] != writer {
				writers = append(writers, writer)
			}
			last[string(r.Key)] = writer
		}
		if len(writers) != 2 {
			t.Errorf("%s: the writers take turns: %q, want two in a row", topic, writers)
		}
		if topic != cfg.Kafka.Topics.Similar {
			continue
		}
		if len(last) != 60 {
			t.Errorf("%s: lists of %d artifacts, want 60", topic, len(last))
		}
		for id, writer := range last {
			if writer != writers[len(writers)-1] {
				t.Errorf("%s: the last list of %s is of the daemon that was fenced", topic, id)
			}
		}
	}
	second.until("it serves on", func(s *web.Status) bool { return s.Ready })
	second.end()
}

// committed are the messages of a topic of one partition that are not of an aborted transaction.
func committed(t *testing.T, broker, topic string) (out []*kgo.Record) {
	t.Helper()
	conn, err := kafka.DialLeader(t.Context(), "tcp", broker, topic, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, end, err := conn.ReadOffsets()
	if err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), hang)
	defer cancel()
	for next := int64(0); next < end; {
		fetched := client.PollFetches(ctx)
		if err := fetched.Err(); err != nil {
			t.Fatal(err)
		}
		fetched.EachRecord(func(r *kgo.Record) {
			next = r.Offset + 1
			if !r.Attrs.IsControl() {
				out = append(out, r)
			}
		})
	}
	return out
}
