package consumer

import (
	"context"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestLagBehindAnOpenTransaction: records that were acknowledged behind somebody's open transaction are lag, since they come when it
// ends; Probe and a start agree on that.
func TestLagBehindAnOpenTransaction(t *testing.T) {
	t.Parallel()
	_, cluster := startBroker(t, kfake.SeedTopics(1, topic))
	plain, tx := testClient(t, cluster), testClient(t, cluster, kgo.TransactionalID("tx"))
	sink := newStore()
	m := startMember(t, testConfig(), cluster, sink)
	produce(t, plain, artifact(0, 0))
	sink.wait(t, 1)
	if err := tx.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	produce(t, tx, artifact(0, 1))
	for n := range 5 {
		produce(t, plain, artifact(0, 2+n))
	}
	if err := m.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	if lag := m.Lag()[TopicPartition{topic, 0}]; lag != 6 || m.CaughtUp() {
		t.Errorf("lag %d (caught up: %v) with six records to come", lag, m.CaughtUp())
	}
	if err := tx.EndTransaction(context.Background(), kgo.TryAbort); err != nil {
		t.Fatal(err)
	}
	sink.wait(t, 6)
	eventually(t, "caught up behind the marker", m.CaughtUp)
}
