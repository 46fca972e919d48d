package app

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"kilim/daemon/config"
)

// TestRestoredFolder puts the state folder back to an earlier copy of it while the topics go on.
func TestRestoredFolder(t *testing.T) {
	t.Parallel()
	restoreFolder(t, newOwnBroker(t).addr())
}

// TestKafkaRestoredFolder does so on Apache Kafka.
func TestKafkaRestoredFolder(t *testing.T) {
	t.Parallel()
	restoreFolder(t, realKafka(t))
}

func realKafka(t *testing.T) string {
	t.Helper()
	addr := os.Getenv("KILIM_KAFKA")
	if addr == "" {
		t.Skip("needs a real Kafka: KILIM_KAFKA=host:port")
	}
	return addr
}

// exactConfig is one in which the lists are a pure function of what lives.
func exactConfig(t *testing.T, broker string) *config.Config {
	cfg := testConfig(t)
	cfg.Broker = broker
	cfg.Ingest.BatchRecords = 8
	cfg.Refresh.Epsilon, cfg.Refresh.Sweep, cfg.Lists.Tolerance = 0, 0, 0
	return cfg
}

// copyFolder makes a folder hold what another does, and nothing else.
func copyFolder(t *testing.T, to, from string) {
	t.Helper()
	if err := errors.Join(os.RemoveAll(to), os.CopyFS(to, os.DirFS(from))); err != nil {
		t.Fatal(err)
	}
}

// numbered fails for two messages of one number, and returns the writers in the order in which they wrote lists.
func (d *daemon) numbered() (writers []string) {
	d.t.Helper()
	seen := map[string]bool{}
	for _, topic := range []string{d.cfg.Kafka.Topics.Similar, d.cfg.Kafka.Topics.DeadLetters} {
		for _, m := range d.read(topic) {
			writer, seq := header(m, "kilim_writer"), header(m, "kilim_seq")
			if _, err := strconv.Atoi(seq); err != nil || seen[writer+" "+seq] {
				d.t.Errorf("%s@%d: message %q of writer %s, there before: %v", topic, m.Offset, seq, writer, seen[writer+" "+seq])
			}
			seen[writer+" "+seq] = true
			if topic == d.cfg.Kafka.Topics.Similar && (len(writers) == 0 || writers[len(writers)-1] != writer) {
				writers = append(writers, writer)
			}
		}
	}
	return writers
}

func restoreFolder(t *testing.T, broker string) {
	cfg := exactConfig(t, broker)
	bad := kafka.Message{Key: []byte("bad"), Value: []byte("{")}
	d := start(t, cfg)
	d.feed(kilims(0, 30, "")...)
	d.settle(30)
	d.end()
	backup := t.TempDir()
	copyFolder(t, backup, cfg.Data)

	later := func() {
		d = start(t, cfg)
		d.feed(append(kilims(0, 8, woollen), bad, kafka.Message{Key: []byte("a/9")})...)
		d.settle(29)
		d.feed(append(kilims(30, 45, ""), kafka.Message{Key: []byte("a/31")})...)
		d.settle(43)
	}
	later()
	want := d.listsOf(45)
	d.compare(present(want))
	d.end()
	for range 2 { // the second time nobody knows any more what the first life after the copy wrote
		copyFolder(t, cfg.Data, backup)
		d = start(t, cfg)
		d.settle(43)
		if got := d.listsOf(45); !maps.Equal(got, want) {
			t.Errorf("served are %v\nwant %v", got, want)
		}
		d.compare(present(want))
		d.end()
	}
	d = start(t, cfg) // which is no folder that was put back
	d.feed(kilims(0, 3, "")...)
	d.settle(43)
	d.compare(present(d.listsOf(45)))
	if writers := d.numbered(); len(writers) != 3 {
		t.Errorf("%d writers wrote lists, one after the other, want 3: %v", len(writers), writers)
	}
	d.end()
}

// TestListsTopicMadeAnew deletes the topic of lists and makes it again, while a daemon works and while none does.
func TestListsTopicMadeAnew(t *testing.T) {
	t.Parallel()
	listsTopicMadeAnew(t, newOwnBroker(t).addr())
}

// TestKafkaListsTopicMadeAnew does so on Apache Kafka.
func TestKafkaListsTopicMadeAnew(t *testing.T) {
	t.Parallel()
	listsTopicMadeAnew(t, realKafka(t))
}

func listsTopicMadeAnew(t *testing.T, broker string) {
	cfg := exactConfig(t, broker)
	d := start(t, cfg)
	d.feed(kilims(0, 30, "")...)
	d.settle(30)
	topic := cfg.Kafka.Topics.Similar
	remake := func() {
		client := d.app.conn.Client()
		res, err := client.DeleteTopics(t.Context(), &kafka.DeleteTopicsRequest{Topics: []string{topic}})
		if err := errors.Join(err, res.Errors[topic]); err != nil {
			t.Fatal(err)
		}
		d.await("the topic is made again", func() error {
			made, err := client.CreateTopics(t.Context(), &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{Topic: topic, NumPartitions: 1, ReplicationFactor: 1}}})
			if err == nil {
				err = made.Errors[topic]
			}
			return err
		})
		d.await("the topic is empty", func() error {
			n, err := d.records(topic)
			if err == nil && n > 0 {
				err = fmt.Errorf("%d records", n)
			}
			return err
		})
	}
	remake()
	d.feed(kilims(30, 31, "")...) // whose lists are published, into the new topic
	d.settle(31)
	d.compare(d.stored(31))
	remake()
	d.end()
	d = start(t, cfg)
	d.settle(31)
	d.compare(d.stored(31))
	if writers := d.numbered(); len(writers) != 1 {
		t.Errorf("the writers of one state are %v", writers)
	}
	d.end()
}

// TestAnotherListsTopic has the lists published to another topic, to the first again, and back: each time the topic ends at what is
// served, and what follows is published there. A start after that publishes nothing.
func TestAnotherListsTopic(t *testing.T) {
	t.Parallel()
	cfg := exactConfig(t, newOwnBroker(t).addr())
	d := start(t, cfg)
	d.feed(kilims(0, 30, "")...)
	d.settle(30)
	first, had := cfg.Kafka.Topics.Similar, int64(0)
	for n, topic := range []string{"another", first, "another"} {
		d.end()
		cfg.Kafka.Topics.Similar = topic
		d = start(t, cfg)
		d.settle(30 + n)
		d.compare(d.stored(30 + n))
		d.feed(kilims(30+n, 31+n, "")...)
		d.settle(31 + n)
		d.compare(d.stored(31 + n))
		if writers := d.numbered(); len(writers) != 1 {
			t.Errorf("%s: the writers of one state are %v", topic, writers)
		}
		var err error
		if had, err = d.records(topic); err != nil {
			t.Fatal(err)
		}
	}
	d.end()
	d = start(t, cfg)
	d.settle(33)
	if n, err := d.records("another"); err != nil || n != had {
		t.Errorf("%d messages after another start (%v), want the %d of before", n, err, had)
	}
	d.end()
}

// await tries until nothing is missing.
func (d *daemon) await(what string, missing func() error) {
	d.t.Helper()
	for deadline := time.Now().Add(hang); ; time.Sleep(20 * time.Millisecond) {
		err := missing()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			d.t.Fatalf("%s: not within a minute: %v", what, err)
		}
	}
}
