package main

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/dustin/go-humanize"

	"kilim/daemon/experiments/daemonproc"
	"kilim/daemon/experiments/feedfile"
)

// measure makes a result for an archive of n artifacts.
func measure(ctx context.Context, o *options, n int) (*result, error) {
	r := &result{Records: n, Limit: o.limit}
	work := filepath.Join(o.dir, fmt.Sprint(n))
	feed, tail, err := archive(ctx, o, n, work)
	if err != nil {
		return nil, err
	}
	flags := []string{"--train.share", "0", "--log.level", "warn"}
	if o.limit != "" {
		flags = append(flags, "--memory.limit", o.limit)
	}
	i, err := daemonproc.NewInstance(o.kilim, work, "")
	if err != nil {
		return nil, err
	}
	err = serving(ctx, i, flags, (*daemonproc.Process).Stop, func(ctx context.Context, p *daemonproc.Process) error {
		if err := r.burst(ctx, i, p, feed); err != nil || o.burst {
			return err
		}
		return r.waitSettled(ctx, i, o.settle)
	})
	if err != nil {
		return nil, err
	}
	if err := r.judgeBounds(o); err != nil {
		return nil, err
	}
	if err := r.check(ctx, i); err != nil || o.burst {
		return r, err
	}
	if r.DiskMB, err = sizeOf(filepath.Join(work, "graph")); err != nil {
		return nil, err
	}
	return r, r.again(ctx, i, flags, tail)
}

// archive writes the demo archive's first n records to one file and those for afterwards to another.
func archive(ctx context.Context, o *options, n int, work string) (feed, tail string, err error) {
	all := work + ".all.jsonl"
	if _, err := daemonproc.Run(ctx, daemonproc.Command{
		Path: o.kilim, Args: []string{"demo", "--artifacts", fmt.Sprint(n + o.tail), "--out", all}, Log: work + ".demo.log",
	}); err != nil {
		return "", "", err
	}
	records, err := feedfile.Read(all, n+o.tail)
	if err != nil {
		return "", "", err
	}
	feed, tail = work+".jsonl", work+".tail.jsonl"
	if err := feedfile.Write(feed, records[:n]); err != nil {
		return "", "", err
	}
	return feed, tail, feedfile.Write(tail, records[n:])
}

// serving runs a daemon for as long as work takes, and then ends it.
func serving(ctx context.Context, i *daemonproc.Instance, flags []string, end func(*daemonproc.Process) error, work func(context.Context, *daemonproc.Process) error) error {
	p, err := i.Serve(flags...)
	if err != nil {
		return err
	}
	defer func() { _ = p.Close() }() // end tells how it ended
	alive, release := p.Alive(ctx)
	defer release()
	if err := work(alive, p); err != nil {
		return p.Explain(err)
	}
	return end(p)
}

// waitSettled waits until nothing is left to do, or for so long.
func (r *result) waitSettled(ctx context.Context, i *daemonproc.Instance, most time.Duration) error {
	start := time.Now()
	late, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	left := r.Left
	err := i.Watch(late, time.Second, func(l daemonproc.Look) bool {
		if l.Status != nil {
			left = l.Status.RefreshQueue
		}
		return l.Status != nil && left == 0 && l.Status.Outbox == 0
	})
	if err != nil && (ctx.Err() != nil || late.Err() == nil) {
		return err
	}
	r.SettleSeconds, r.Unsettled = time.Since(start).Seconds(), left
	return nil
}

// again restarts the daemon after a clean stop and after a kill, and feeds more at a rate.
func (r *result) again(ctx context.Context, i *daemonproc.Instance, flags []string, tail string) error {
	ready := func(into *float64) func(context.Context, *daemonproc.Process) error {
		start := time.Now()
		return func(ctx context.Context, _ *daemonproc.Process) error {
			err := i.Ready(ctx)
			*into = time.Since(start).Seconds()
			return err
		}
	}
	if err := serving(ctx, i, flags, (*daemonproc.Process).Kill, ready(&r.ReadyStopped)); err != nil {
		return err
	}
	after := ready(&r.ReadyKilled)
	err := serving(ctx, i, flags, (*daemonproc.Process).Stop, func(ctx context.Context, p *daemonproc.Process) error {
		if err := after(ctx, p); err != nil {
			return err
		}
		m, err := p.Memory()
		if err != nil {
			return err
		}
		r.RestMB = m.Own
		if _, err := i.Feed(ctx, tail, 50); err != nil {
			return err
		}
		if err := i.Watch(ctx, 100*time.Millisecond, func(l daemonproc.Look) bool {
			return l.Status != nil && l.Status.Lag == 0 && l.Status.Outbox == 0
		}); err != nil {
			return err
		}
		now, err := i.Metrics(ctx)
		if err != nil {
			return err
		}
		for q, into := range map[float64]*float64{0.5: &r.FreshP50, 0.99: &r.FreshP99} {
			seconds, err := now.Quantile("kilim_freshness_seconds", q)
			if err != nil {
				return err
			}
			*into = 1000 * seconds
		}
		return nil
	})
	if err != nil {
		return err
	}
	return r.check(ctx, i)
}

// check has kilim check look at the folder.
func (r *result) check(ctx context.Context, i *daemonproc.Instance) error {
	faults, err := i.Check(ctx)
	if err == nil && faults != "" {
		r.found("kilim check: %.2000s", faults)
	}
	return err
}

// judgeBounds compares memory and queries with what was asked for.
func (r *result) judgeBounds(o *options) error {
	if o.p99 > 0 && r.QueryP99 > float64(o.p99.Milliseconds()) {
		r.found("the p99 of queries is %.0f ms, want %v", r.QueryP99, o.p99)
	}
	if o.limit == "" {
		return nil
	}
	limit, err := humanize.ParseBytes(o.limit)
	if err != nil {
		return fmt.Errorf("-limit: %w", err)
	}
	if r.OwnMB > float64(limit)/(1<<20) {
		r.found("the daemon took %.0f MiB, and memory.limit is %s", r.OwnMB, o.limit)
	}
	return nil
}

// sizeOf adds up the files of a folder, in MiB.
func sizeOf(dir string) (mb float64, err error) {
	err = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			mb += float64(info.Size()) / (1 << 20)
		}
		return err
	})
	return mb, err
}
