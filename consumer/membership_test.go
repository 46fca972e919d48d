package consumer

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func aloneConfig(name string) Config {
	cfg := testConfig()
	cfg.Group, cfg.Topics, cfg.SessionTimeout, cfg.Alone = name, []string{name}, 6*time.Second, true
	return cfg
}

// waitsFor is true when a member reads nothing because of another one, whose client id it names.
func waitsFor(m *member, client string) func() bool {
	return func() bool {
		err := m.Ready()
		return err != nil && !m.CaughtUp() && strings.Contains(err.Error(), fmt.Sprintf("client %q", client)) && strings.Contains(err.Error(), "kafka.group")
	}
}

// TestTwoStates: two members whose sinks are two. None reads anything until the other has gone.
func TestTwoStates(t *testing.T) {
	t.Parallel()
	for partitions := range 4 {
		t.Run(fmt.Sprint(partitions+1), func(t *testing.T) {
			t.Parallel()
			_, cluster := startBroker(t)
			twoStates(t, cluster, topic, partitions+1)
		})
	}
}

// TestKafkaTwoStates does so on Apache Kafka.
func TestKafkaTwoStates(t *testing.T) {
	t.Parallel()
	for _, partitions := range []int{1, 3} {
		twoStates(t, realKafka(t), fmt.Sprint("two-states-", partitions, time.Now().Format("-150405.000000")), partitions)
	}
}

func twoStates(t *testing.T, cluster testCluster, name string, partitions int) {
	const n = 10
	cfg, client := aloneConfig(name), testClient(t, cluster)
	makeTopic(t, client, name, partitions)
	fill(t, cluster, name, partitions, n)
	mine, others := newStore(), newStore()
	first := startMember(t, cfg, cluster, mine)
	mine.wait(t, partitions*n)
	eventually(t, "the first is ready", func() bool { return first.Ready() == nil && first.CaughtUp() })
	second := startMember(t, cfg, cluster, others)
	id := clientID(t, first, name)
	eventually(t, "the first waits", waitsFor(first, id))
	eventually(t, "the second waits", waitsFor(second, id))
	fill(t, cluster, name, partitions, n)
	eventually(t, "both still wait", func() bool { return waitsFor(first, id)() && waitsFor(second, id)() })
	if a, b := mine.count(), others.count(); a != partitions*n || b != 0 {
		t.Errorf("%d and %d records were read beside another member, want %d and 0", a, b, partitions*n)
	}
	second.stop(t)
	mine.wait(t, 2*partitions*n)
	eventually(t, "the first is ready again", func() bool { return first.Ready() == nil })
	first.stop(t)
	if got := others.count(); got != 0 {
		t.Errorf("the second has read %d records", got)
	}
	if first.Ready() == nil {
		t.Error("ready after its end")
	}
}

// clientID is that of the members of a group that has one.
func clientID(t *testing.T, m *member, group string) string {
	t.Helper()
	members, err := m.members(t.Context())
	if err != nil || len(members) == 0 {
		t.Fatalf("%d members of %s: %v", len(members), group, err)
	}
	return members[0].ClientID
}

// TestKilledMember: one that has left without a word, as a process that was killed, holds back its successor until its session has
// timed out, and no longer.
func TestKilledMember(t *testing.T) {
	t.Parallel()
	_, cluster := startBroker(t, kfake.SeedTopics(2, topic))
	fill(t, cluster, topic, 2, 5)
	killed, err := kgo.NewClient(kgo.SeedBrokers(cluster.brokers...), kgo.ConsumerGroup(topic), kgo.ConsumeTopics(topic), kgo.ClientID("killed"),
		kgo.InstanceID("one that does not leave when it is closed"), kgo.Balancers(kgo.RangeBalancer()), kgo.SessionTimeout(time.Second), kgo.HeartbeatInterval(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	if fetches := killed.PollFetches(t.Context()); fetches.Err() != nil {
		t.Fatal(fetches.Err())
	}
	killed.Close()
	sink := newStore()
	m := startMember(t, aloneConfig(topic), cluster, sink)
	sink.wait(t, 10)
	eventually(t, "ready", func() bool { return m.Ready() == nil })
	sink.check(t, 2, 5)
}

// TestForeignMember: a member whose words about itself kafka-go can't read, which joined before or comes later. Who it is is said; when it has
// gone, all is read.
func TestForeignMember(t *testing.T) {
	t.Parallel()
	_, cluster := startBroker(t)
	foreignMember(t, cluster, topic, kgo.RangeBalancer())
}

// TestForeignProtocol: one with which there is no common way of assigning partitions.
func TestForeignProtocol(t *testing.T) {
	t.Parallel()
	_, cluster := startBroker(t)
	foreignMember(t, cluster, topic, kgo.StickyBalancer())
}

// TestKafkaForeignMember does so on Apache Kafka.
func TestKafkaForeignMember(t *testing.T) {
	t.Parallel()
	foreignMember(t, realKafka(t), "foreign-"+time.Now().Format("150405.000000"), kgo.RangeBalancer())
}

func foreignMember(t *testing.T, cluster testCluster, name string, balancer kgo.GroupBalancer) {
	const n = 5
	makeTopic(t, testClient(t, cluster), name, 2)
	fill(t, cluster, name, 2, n)
	join := func() (leave func()) {
		joined := make(chan struct{}, 1)
		client := testClient(t, cluster, kgo.ConsumerGroup(name), kgo.ConsumeTopics(name), kgo.ClientID("console"), kgo.Balancers(balancer),
			kgo.SessionTimeout(6*time.Second), kgo.HeartbeatInterval(100*time.Millisecond),
			kgo.OnPartitionsAssigned(func(context.Context, *kgo.Client, map[string][]int32) {
				select {
				case joined <- struct{}{}:
				default:
				}
			}))
		select {
		case <-joined:
		case <-time.After(hang):
			t.Fatal("the foreign member does not get into the group")
		}
		return client.Close
	}
	leave := join()
	sink := newStore()
	m := startMember(t, aloneConfig(name), cluster, sink)
	eventually(t, "it waits for the foreign member", waitsFor(m, "console"))
	if got := sink.count(); got != 0 {
		t.Errorf("%d records were read", got)
	}
	leave()
	sink.wait(t, 2*n)
	eventually(t, "ready", func() bool { return m.Ready() == nil })
	if balancer.ProtocolName() != kgo.RangeBalancer().ProtocolName() {
		return // while this member is in the group, Kafka refuses the other one
	}
	leave = join()
	eventually(t, "it waits again", waitsFor(m, "console"))
	fill(t, cluster, name, 2, n)
	leave()
	sink.wait(t, 4*n)
	eventually(t, "ready again", func() bool { return m.Ready() == nil })
}

// TestTopicGone: without a topic no member is ready, and once it is there it is read.
func TestTopicGone(t *testing.T) {
	t.Parallel()
	_, cluster := startBroker(t)
	sink := newStore()
	m := startMember(t, aloneConfig(topic), cluster, sink)
	eventually(t, "it says so", func() bool { err := m.Ready(); return err != nil && strings.Contains(err.Error(), topic) })
	makeTopic(t, testClient(t, cluster), topic, 2)
	fill(t, cluster, topic, 2, 5)
	sink.wait(t, 10)
	sink.check(t, 2, 5)
}

// TestLateMetadata: the broker that the group's leader asks for partitions knows of one, and of all only a moment later. All are read.
func TestLateMetadata(t *testing.T) {
	t.Parallel()
	broker, cluster := startBroker(t, kfake.SeedTopics(3, topic))
	fill(t, cluster, topic, 3, 5)
	var late atomic.Int32
	broker.ControlKey(kmsg.Metadata.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		broker.KeepControl()
		asked := req.(*kmsg.MetadataRequest)
		if asked.Version > 6 || len(asked.Topics) != 1 || late.Add(1) > 1 { // the group's own requests are of earlier versions
			return nil, nil, false
		}
		res := req.ResponseKind().(*kmsg.MetadataResponse)
		one := kmsg.NewMetadataResponseTopic()
		one.Topic = kmsg.StringPtr(topic)
		one.Partitions = append(one.Partitions, kmsg.NewMetadataResponseTopicPartition())
		res.Topics = append(res.Topics, one)
		return res, nil, true
	})
	sink := newStore()
	m := startMember(t, aloneConfig(topic), cluster, sink)
	sink.wait(t, 15)
	sink.check(t, 3, 5)
	eventually(t, "ready", func() bool { return m.Ready() == nil })
	if late.Load() < 2 {
		t.Errorf("the group asked %d times for partitions: this test tests nothing", late.Load())
	}
}
