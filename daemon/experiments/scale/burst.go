package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"

	"kilim/daemon/experiments/daemonproc"
	"kilim/daemon/experiments/stats"
)

// burst feeds a file to a daemon that has nothing, and waits until every record is durable and its own update published.
func (r *result) burst(ctx context.Context, i *daemonproc.Instance, p *daemonproc.Process, feed string) error {
	if err := i.Ready(ctx); err != nil {
		return err
	}
	asking, stopAsking := context.WithCancel(ctx)
	defer stopAsking()
	q := &queries{daemon: i}
	var group sync.WaitGroup
	group.Go(func() { q.run(asking) })
	watched := p.WatchMemory()
	start := time.Now()
	var fed error
	group.Go(func() {
		r.Fed, fed = i.Feed(ctx, feed, 0)
		r.FeedSeconds = time.Since(start).Seconds()
	})
	var s *daemonproc.Status
	err := i.Watch(ctx, 200*time.Millisecond, func(l daemonproc.Look) bool {
		if s = l.Status; s == nil {
			return false
		}
		q.stored.Store(int64(s.Artifacts))
		return s.Artifacts >= r.Records && s.Lag == 0
	})
	r.DurableSeconds = time.Since(start).Seconds()
	if err == nil {
		err = published(ctx, i, r.Records)
	}
	stopAsking()
	group.Wait()
	most := watched()
	r.OwnMB, r.MappedMB = most.Own, most.Mapped
	if err := errors.Join(err, fed, q.err); err != nil {
		return err
	}
	if r.Fed != r.Records || s.Artifacts != r.Records {
		r.found("%d records were fed, %d artifacts are stored", r.Fed, s.Artifacts)
	}
	r.Queries, r.Left = len(q.millis), s.RefreshQueue
	if len(q.millis) > 0 {
		r.QueryP50, r.QueryP99 = stats.Quantile(q.millis, 0.5), stats.Quantile(q.millis, 0.99)
	}
	return r.judge(ctx, i)
}

// published waits until so many records' own updates were acknowledged by the broker. The outbox itself may never be empty: what the newcomers set off
// goes through it too.
func published(ctx context.Context, i *daemonproc.Instance, records int) error {
	return daemonproc.Poll(ctx, time.Second, func() error {
		m, err := i.Metrics(ctx)
		if err != nil {
			return err
		}
		if n := m.Observations("kilim_freshness_seconds"); n < uint64(records) {
			return fmt.Errorf("%d records' own updates are published, of %d", n, records)
		}
		return nil
	})
}

// judge looks whether anything was lost or refused, and what it took.
func (r *result) judge(ctx context.Context, i *daemonproc.Instance) error {
	m, err := i.Metrics(ctx)
	if err != nil {
		return err
	}
	r.CPUSeconds = m.Total("process_cpu_seconds_total")
	if n := m.Total("kilim_records_refused_total"); n > 0 {
		r.found("%.0f records were refused", n)
	}
	listed, err := keysIn(ctx, i.Kafka, "kilim.similar")
	if err != nil {
		return fmt.Errorf("the topic of lists: %w", err)
	}
	for n := range r.Records {
		if !listed[demoID(n)] {
			r.found("no list of %s was published", demoID(n))
		}
	}
	return nil
}

// keysIn reads the keys of a topic of one partition.
func keysIn(ctx context.Context, broker, topic string) (map[string]bool, error) {
	conn, err := kafka.DialLeader(ctx, "tcp", broker, topic, 0)
	if err != nil {
		return nil, err
	}
	first, last, err := conn.ReadOffsets()
	if err = errors.Join(err, conn.Close()); err != nil {
		return nil, err
	}
	reader := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{broker}, Topic: topic, MaxBytes: 16 << 20, MaxWait: 50 * time.Millisecond})
	defer reader.Close()
	if err := reader.SetOffset(first); err != nil {
		return nil, err
	}
	keys := map[string]bool{}
	for next := first; next < last; {
		m, err := reader.ReadMessage(ctx)
		if err != nil {
			return nil, err
		}
		keys[string(m.Key)] = true
		next = m.Offset + 1
	}
	return keys, nil
}
