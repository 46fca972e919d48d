package publish

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
)

// realCluster makes new topics on the broker that KILIM_KAFKA names.
func realCluster(t *testing.T, partitions int) *cluster {
	t.Helper()
	addr := os.Getenv("KILIM_KAFKA")
	if addr == "" {
		t.Skip("KILIM_KAFKA names no broker")
	}
	name := fmt.Sprintf("publish-%d-%d", time.Now().UnixNano(), os.Getpid())
	c := &cluster{addr: addr, similar: name + ".similar", dead: name + ".dlq"}
	client := &kafka.Client{Addr: kafka.TCP(addr), Transport: &kafka.Transport{}, Timeout: 20 * time.Second}
	defer client.Transport.(*kafka.Transport).CloseIdleConnections()
	res, err := client.CreateTopics(t.Context(), &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{
		{Topic: c.similar, NumPartitions: partitions, ReplicationFactor: 1,
			ConfigEntries: []kafka.ConfigEntry{{ConfigName: "cleanup.policy", ConfigValue: "compact"}}},
		{Topic: c.motif(), NumPartitions: partitions, ReplicationFactor: 1},
		{Topic: c.cultures(), NumPartitions: partitions, ReplicationFactor: 1},
		{Topic: c.queries(), NumPartitions: partitions, ReplicationFactor: 1},
		{Topic: c.dead, NumPartitions: partitions, ReplicationFactor: 1},
	}})
	if err == nil {
		err = cmp.Or(res.Errors[c.similar], res.Errors[c.motif()], res.Errors[c.cultures()], res.Errors[c.queries()], res.Errors[c.dead])
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestKafkaFaultsAndCrashes(t *testing.T) {
	t.Parallel()
	t.Run("idempotent", func(t *testing.T) {
		t.Parallel()
		realFaults(t, realCluster(t, 3), "", 1000, 8)
	})
	t.Run("transactional", func(t *testing.T) {
		t.Parallel()
		c := realCluster(t, 3)
		realFaults(t, c, c.similar, 500, 60) // a transaction is up to 13 requests, and one that fails has all sent again
	})
}

// realFaults has three of so many sides of a dice be a fault.
func realFaults(t *testing.T, c *cluster, transactionalID string, messages, sides int) {
	t.Helper()
	m := newMemory()
	rng := rand.New(rand.NewPCG(1, 4))
	m.beforeAck = func(uint64) error {
		if rng.IntN(4) == 0 {
			return errInjected
		}
		return nil
	}
	dice := rand.New(rand.NewPCG(1, 5))
	next := func(int) action {
		if n := dice.IntN(sides); n < 3 {
			return [...]action{lose, deafen, deafen}[n]
		}
		return pass
	}
	put := 0
	for put < messages || m.waiting() > 0 {
		if put < messages {
			n := 1 + rng.IntN(200)
			m.put(c.mixed(put + n)[put:]...)
			put += n
		}
		cfg := c.config(t, m, &faults{next: next})
		cfg.TransactionalID = transactionalID
		if err := attempt(t, cfg, m); err != nil && !errors.Is(err, errInjected) {
			t.Fatal(err)
		}
	}
	c.exactlyOnce(t, put)
}

func TestKafkaLateRequest(t *testing.T) {
	t.Parallel()
	for _, releaseAt := range []int{2, 3} {
		lateRequest(t, realCluster(t, 1), releaseAt)
	}
}

func TestKafkaLooksAtARestoredStore(t *testing.T) {
	t.Parallel()
	lookAtRestored(t, realCluster(t, 3), 1)
}

func TestKafkaListsTopicMadeAnew(t *testing.T) {
	t.Parallel()
	madeAnew(t, realCluster(t, 2))
}

func TestKafkaFenced(t *testing.T) {
	t.Parallel()
	fenced(t, func() *cluster { return realCluster(t, 2) })
}

func TestKafkaCutOffInATransaction(t *testing.T) {
	t.Parallel()
	cutOff(t, func() *cluster { return realCluster(t, 2) })
}
