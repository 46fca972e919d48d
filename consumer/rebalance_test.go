package consumer

import (
	"context"
	"net"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// feed produces n records to each partition, interleaved, in the background.
func feed(t *testing.T, client *kgo.Client, partitions, n int) (done <-chan error) {
	t.Helper()
	errs := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), hang)
		defer cancel()
		for i := range n {
			var round []*kgo.Record
			for p := range partitions {
				round = append(round, artifact(p, i))
			}
			if err := client.ProduceSync(ctx, round...).FirstErr(); err != nil {
				errs <- err
				return
			}
		}
		errs <- nil
	}()
	return errs
}

// TestRebalance lets members come and go while records flow into a state that
// they share: each record is applied once, in its partition's order.
func TestRebalance(t *testing.T) {
	t.Parallel()
	const partitions, n = 4, 1500
	_, cluster := startBroker(t, kfake.SeedTopics(partitions, topic))
	sink := newStore()
	cfg := testConfig()
	cfg.BatchRecords = 8
	first := startMember(t, cfg, cluster, sink)
	done := feed(t, testClient(t, cluster), partitions, n)
	both := func(a, b *member) func() bool {
		return func() bool {
			x, _ := a.Assigned()
			y, _ := b.Assigned()
			return len(x) == 2 && len(y) == 2
		}
	}
	sink.wait(t, 300)
	second := startMember(t, cfg, cluster, sink)
	eventually(t, "two members share the partitions", both(first, second))
	sink.wait(t, sink.count()+100)
	first.stop(t)
	eventually(t, "the second has them all", func() bool { parts, _ := second.Assigned(); return len(parts) == partitions })
	sink.wait(t, min(sink.count()+100, partitions*n))
	third := startMember(t, cfg, cluster, sink)
	eventually(t, "two members share the partitions again", both(second, third))
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	sink.wait(t, partitions*n)
	sink.check(t, partitions, n)
}

// TestBrokerRestart takes the broker away and brings it back, under load.
func TestBrokerRestart(t *testing.T) {
	t.Parallel()
	const partitions, n = 2, 400
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := free.Addr().(*net.TCPAddr).Port
	free.Close()
	dir := t.TempDir()
	open := func() *kfake.Cluster {
		broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(port), kfake.DataDir(dir),
			kfake.GroupMinSessionTimeout(time.Millisecond), kfake.SeedTopics(partitions, topic))
		if err != nil {
			t.Fatal(err)
		}
		return broker
	}
	broker := open()
	cluster := testCluster{[]string{net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}}
	sink := newStore()
	startMember(t, testConfig(), cluster, sink)
	done := feed(t, testClient(t, cluster), partitions, n)
	for _, at := range []int{100, 400} {
		sink.wait(t, at)
		broker.Close()
		broker = open()
	}
	defer func() { broker.Close() }()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	sink.wait(t, partitions*n)
	sink.check(t, partitions, n)
}

// TestFreshBroker: one that has no coordinator yet is asked again.
func TestFreshBroker(t *testing.T) {
	t.Parallel()
	broker, cluster := startBroker(t, kfake.SeedTopics(1, topic))
	produce(t, testClient(t, cluster), artifact(0, 0))
	var asked atomic.Int32
	broker.ControlKey(kmsg.FindCoordinator.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		if asked.Add(1) > 4 {
			return nil, nil, false
		}
		broker.KeepControl()
		res := req.ResponseKind().(*kmsg.FindCoordinatorResponse)
		res.ErrorCode = kerr.CoordinatorNotAvailable.Code
		return res, nil, true
	})
	sink := newStore()
	startMember(t, testConfig(), cluster, sink)
	sink.wait(t, 1)
	sink.check(t, 1, 1)
	if n := asked.Load(); n < 5 {
		t.Errorf("asked %d times for the coordinator, want 5", n)
	}
}

// TestRevokeDropsABatch: a Sink that waits (for its outbox, say) gives the
// batch back when the partitions go, and it is read again afterwards.
func TestRevokeDropsABatch(t *testing.T) {
	t.Parallel()
	const partitions, n = 2, 20
	_, cluster := startBroker(t, kfake.SeedTopics(partitions, topic))
	sink := newStore()
	stuck := &gated{store: sink, entered: make(chan struct{}, 1), opened: make(chan struct{})}
	cfg := testConfig()
	startMember(t, cfg, cluster, stuck)
	if err := <-feed(t, testClient(t, cluster), partitions, n); err != nil {
		t.Fatal(err)
	}
	<-stuck.entered
	second := startMember(t, cfg, cluster, sink)
	eventually(t, "the second member has a partition", func() bool { parts, _ := second.Assigned(); return len(parts) == 1 })
	close(stuck.opened)
	sink.wait(t, partitions*n)
	sink.check(t, partitions, n)
}

// gated is a Sink that waits until it is opened, or its context ends.
type gated struct {
	*store
	entered chan struct{} // has a value once Apply was called
	opened  chan struct{}
}

func (g *gated) Apply(ctx context.Context, b *Batch) error {
	select {
	case g.entered <- struct{}{}:
	default:
	}
	select {
	case <-g.opened:
		return g.store.Apply(ctx, b)
	case <-ctx.Done():
		return ctx.Err()
	}
}
