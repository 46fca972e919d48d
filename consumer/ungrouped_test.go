package consumer

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
)

// TestUngrouped has two read all partitions beside each other, and go on from their own offsets.
func TestUngrouped(t *testing.T) {
	t.Parallel()
	_, cluster := startBroker(t, kfake.SeedTopics(3, topic))
	client := testClient(t, cluster)
	send := func(from, to int) {
		for n := from; n < to; n++ {
			for p := range 3 {
				produce(t, client, artifact(p, n))
			}
		}
	}
	cfg := testConfig()
	cfg.Group, cfg.Ungrouped = "", true
	sinks := []*store{newStore(), newStore()}
	send(0, 10)
	first := startMember(t, cfg, cluster, sinks[0])
	second := startMember(t, cfg, cluster, sinks[1])
	for _, s := range sinks {
		s.wait(t, 30)
	}
	second.stop(t)
	send(10, 20)
	sinks[0].wait(t, 60)
	again := startMember(t, cfg, cluster, sinks[1])
	sinks[1].wait(t, 60)
	eventually(t, "all is applied", func() bool { return first.CaughtUp() && again.CaughtUp() })
	for p := range 3 {
		if n := first.Applied()[TopicPartition{topic, p}]; n != 20 {
			t.Errorf("partition %d is applied up to %d, want 20", p, n)
		}
	}
	for _, s := range sinks {
		s.check(t, 3, 20)
	}
}
