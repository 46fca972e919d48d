package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"kilim/daemon/experiments/daemonproc"
)

const (
	patience  = 20 * time.Minute       // with one daemon
	lookEvery = 100 * time.Millisecond // at its status
)

// experiment is a folder in which base is the state that every measured daemon begins with.
type experiment struct{ kilim, dir, base string }

// load makes base, from the records of a file.
func (e *experiment) load(ctx context.Context, feed string) error {
	i, err := daemonproc.NewInstance(e.kilim, e.base, "")
	if err != nil {
		return err
	}
	return while(ctx, i, []string{"--train.share", "0"}, func(ctx context.Context) error {
		if err := i.Ready(ctx); err != nil {
			return err
		}
		if _, err := i.Feed(ctx, feed, 0); err != nil {
			return err
		}
		_, err := i.Settle(ctx)
		return err
	})
}

// withCopy gives use an instance whose state is a copy of base, and removes the copy afterwards.
func (e *experiment) withCopy(name string, use func(*daemonproc.Instance) error) (err error) {
	i, err := daemonproc.NewInstance(e.kilim, filepath.Join(e.dir, name), "")
	if err != nil {
		return err
	}
	if err := os.CopyFS(i.Data, os.DirFS(e.base)); err != nil {
		return fmt.Errorf("copy the state: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(i.Data)) }()
	return use(i)
}

// while starts a daemon, lets work work while that lives, and stops it.
func while(ctx context.Context, i *daemonproc.Instance, flags []string, work func(context.Context) error) error {
	daemon, err := i.Serve(flags...)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	alive, release := daemon.Alive(ctx)
	defer release()
	if err := work(alive); err != nil {
		return errors.Join(daemon.Explain(err), daemon.Close())
	}
	return daemon.Stop()
}

// until waits for a status.
func until(ctx context.Context, i *daemonproc.Instance, wanted func(*daemonproc.Status) bool) error {
	return i.Watch(ctx, lookEvery, func(l daemonproc.Look) bool { return l.Status != nil && wanted(l.Status) })
}

// freshness is how long records took until their own updates were acknowledged, in seconds.
type freshness struct{ p50, p99 float64 }

func freshnessOf(m daemonproc.Metrics) (f freshness, err error) {
	for q, into := range map[float64]*float64{0.5: &f.p50, 0.99: &f.p99} {
		if *into, err = m.Quantile("kilim_freshness_seconds", q); err != nil {
			return f, err
		}
	}
	return f, nil
}
