package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

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
	n, example, err := missing(ctx, i.Kafka, r.Records)
	if err != nil {
		return fmt.Errorf("the topic of lists: %w", err)
	}
	if n > 0 {
		r.found("no lists of %d artifacts were published, such as those of %s", n, example)
	}
	return nil
}

// idle is how long nothing comes from a topic that was read to its end.
const idle = 20 * time.Second

// missing counts the artifacts of which the topic of lists has nothing, and names one. It reads until it has met all, or until nothing comes any more.
func missing(ctx context.Context, broker string, records int) (n int, example string, err error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.ConsumeTopics("kilim.similar"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return 0, "", err
	}
	defer client.Close()
	left := make(map[string]struct{}, records)
	for n := range records {
		left[demoID(n)] = struct{}{}
	}
	for len(left) > 0 {
		some, cancel := context.WithTimeout(ctx, idle)
		fetched := client.PollFetches(some)
		cancel()
		if ctx.Err() != nil {
			return 0, "", context.Cause(ctx)
		}
		if fetched.Empty() {
			break
		}
		fetched.EachRecord(func(r *kgo.Record) { delete(left, string(r.Key)) })
	}
	for id := range left {
		example = id
	}
	return len(left), example, nil
}
