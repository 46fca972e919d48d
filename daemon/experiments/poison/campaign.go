package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"kilim/daemon/experiments/daemonproc"
	"kilim/daemon/experiments/poison/hostile"
)

// campaign is one feed through one state folder.
type campaign struct {
	*options
	*report
	*daemonproc.Instance
	topics topics
	ledger *ledger
}

// mostLives is how often a daemon is started that ends by itself: it refuses a record when three processes have ended within it by a
// fault, or eight by the kernel, for want of memory.
const mostLives = 10

// through feeds a daemon and audits what has become of it. An error means that it can't be told.
func through(ctx context.Context, o *options, r *report) error {
	if err := os.MkdirAll(o.data(), 0o755); err != nil {
		return err
	}
	names := newTopics(o)
	i, err := daemonproc.NewInstance(o.kilim, o.data(), o.kafka, names.flags(o)...)
	if err != nil {
		return err
	}
	c := &campaign{o, r, i, names, newLedger()}
	if err := c.feedAndAudit(ctx); err != nil {
		return err
	}
	faults, err := i.Check(ctx)
	if err != nil {
		return err
	}
	if faults != "" {
		c.found("kilim check: %.2000s", faults)
	}
	return c.again(ctx)
}

// feedAndAudit is the life of the daemon that takes the feed.
func (c *campaign) feedAndAudit(ctx context.Context) error {
	daemon, err := c.Serve("--log.level", "warn")
	if err != nil {
		return err
	}
	defer func() { _ = daemon.Close() }() // Stop tells how it ended
	alive, release := daemon.Alive(ctx)
	defer release()
	stop := daemon.WatchMemory()
	defer func() { c.judgeMemory(stop().Own) }()
	if err := c.feed(alive); err != nil {
		return c.ended(ctx, daemon, err)
	}
	if err := c.settle(alive); err != nil {
		return c.ended(ctx, daemon, err)
	}
	if err := c.audit(alive); err != nil {
		return c.ended(ctx, daemon, err)
	}
	if err := daemon.Stop(); err != nil {
		return c.ended(ctx, daemon, err)
	}
	c.ResidentMB = daemon.Usage().PeakMB
	return nil
}

func (c *campaign) judgeMemory(mostMB float64) {
	c.PeakMB = mostMB
	if c.PeakMB > c.BoundMB {
		c.found("the daemon took %.0f MB, which is above the bound", c.PeakMB)
	}
}

// feed sends all records.
func (c *campaign) feed(ctx context.Context) error {
	if err := c.Ready(ctx); err != nil {
		return err
	}
	g, err := hostile.New(c.options.Options)
	if err != nil {
		return err
	}
	f := newFeeder(c.Kafka, c.topics.artifacts, c.options, c.ledger)
	for r, ok := g.Next(); ok; r, ok = g.Next() {
		if err := f.add(ctx, r); err != nil {
			return err
		}
	}
	return f.flush(ctx)
}

// settle waits until the daemon has done everything.
func (c *campaign) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	status, err := c.Settle(ctx)
	if err != nil {
		return err
	}
	var counts struct {
		Artifacts int `json:"artifacts"`
	}
	if err := json.Unmarshal(status, &counts); err != nil {
		return fmt.Errorf("kilim status --json: %w", err)
	}
	c.Artifacts = counts.Artifacts
	return nil
}

// ended tells of a daemon that has ended, or whose failure is err. One that has ended by itself is started again until it has
// found the record that ends it.
func (c *campaign) ended(ctx context.Context, daemon *daemonproc.Process, err error) error {
	if ctx.Err() != nil {
		return err
	}
	c.found("%v", daemon.Explain(err))
	if err := daemon.Close(); err != nil {
		return err
	}
	for range mostLives {
		next, failed := c.Serve("--log.level", "warn")
		if failed != nil {
			return failed
		}
		alive, release := next.Alive(ctx)
		failed = c.Ready(alive)
		if failed == nil {
			failed = c.settle(alive)
		}
		if failed == nil {
			failed = c.collectDead(alive)
		}
		release()
		if closed := next.Close(); closed != nil {
			return closed
		}
		if failed == nil {
			return nil
		}
		err = failed
	}
	return fmt.Errorf("started %d times more, the daemon has not done everything: %w", mostLives, err)
}

// again starts a daemon anew over the folder, which must be ready and serve what was served.
func (c *campaign) again(ctx context.Context) error {
	daemon, err := c.Serve("--log.level", "warn")
	if err != nil {
		return err
	}
	defer func() { _ = daemon.Close() }() // Stop tells how it ended
	alive, release := daemon.Alive(ctx)
	defer release()
	if err := c.Ready(alive); err != nil {
		c.found("after a restart: %v", err)
		return nil
	}
	before := c.Artifacts
	if err := c.settle(alive); err != nil {
		return err
	}
	if c.Artifacts != before {
		c.found("after a restart there are %d artifacts, before it %d", c.Artifacts, before)
	}
	if err := c.auditServed(alive); err != nil {
		return err
	}
	if err := daemon.Stop(); err != nil {
		c.found("after a restart: %v", err)
	}
	return nil
}
