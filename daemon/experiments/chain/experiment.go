package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"kilim/daemon/experiments/daemonproc"
	"kilim/daemon/experiments/feedfile"
)

// experiment is where the contenders are measured: one folder, one Kafka, one feed.
type experiment struct {
	opt   *options
	say   io.Writer // progress, for people
	dir   string
	feed  []feedfile.Record
	kafka *cluster
	count int
}

// prepare makes everything that is not measured. What it made is unmade by close.
func prepare(ctx context.Context, opt *options, say io.Writer) (_ *experiment, err error) {
	e := &experiment{opt: opt, say: say}
	if e.feed, err = feedfile.Read(opt.feed, opt.count); err != nil {
		return nil, err
	}
	if opt.measured >= len(e.feed) {
		return nil, fmt.Errorf("-measured %d: the feed has %d artifacts", opt.measured, len(e.feed))
	}
	if err := os.MkdirAll(opt.cache, 0o755); err != nil {
		return nil, err
	}
	if e.dir, err = os.MkdirTemp(opt.cache, "bench-"); err != nil {
		return nil, err
	}
	// Kafka's scripts and the peer's want to be told where they are, not relative to whom.
	if e.dir, err = filepath.Abs(e.dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.close())
		}
	}()
	e.sayf("the peer's Python environment in %s", opt.venv)
	if err := ensureVenv(ctx, opt.venv, opt.peer, filepath.Join(e.dir, "pip.log")); err != nil {
		return nil, err
	}
	e.sayf("starting Kafka")
	if e.kafka, err = startKafka(ctx, opt.kafka, filepath.Join(e.dir, "kafka")); err != nil {
		return nil, err
	}
	return e, e.warm(ctx)
}

// warmUp is how many artifacts warm lets through.
const warmUp = 100

// warm lets a few artifacts through kilim and the whole feed into Kafka. A broker that
// has just started is slow, and refuses groups and producers until it has made the topics
// that it keeps them in: whoever comes first would pay for the others.
func (e *experiment) warm(ctx context.Context) error {
	e.sayf("warming it up")
	if _, err := e.takeIn(ctx, "warm-up", e.feed[:min(warmUp, len(e.feed))]); err != nil {
		return fmt.Errorf("warm-up: %w", err)
	}
	i, t, err := e.instance("warm-up")
	if err != nil {
		return err
	}
	if err := e.fill(ctx, i, e.feed); err != nil {
		return fmt.Errorf("warm-up: %w", err)
	}
	return e.kafka.drop(ctx, t.artifacts)
}

// fill puts artifacts into an instance's topic by kilim's own command.
func (e *experiment) fill(ctx context.Context, i *daemonproc.Instance, records []feedfile.Record) error {
	file := i.Data + ".jsonl"
	if err := feedfile.Write(file, records); err != nil {
		return err
	}
	_, err := i.Feed(ctx, file, 0)
	return err
}

// close stops Kafka and removes the folder.
func (e *experiment) close() error {
	var err error
	if e.kafka != nil {
		err = e.kafka.stop()
	}
	if e.opt.keep {
		e.sayf("kept: %s", e.dir)
		return err
	}
	return errors.Join(err, os.RemoveAll(e.dir))
}

// instance makes a folder for a daemon without any state, and names topics that nobody has used.
func (e *experiment) instance(name string) (*daemonproc.Instance, topics, error) {
	dir, err := e.folder(name)
	if err != nil {
		return nil, topics{}, err
	}
	t := newTopics(filepath.Base(dir))
	i, err := daemonproc.NewInstance(e.opt.kilim, filepath.Join(dir, "data"), e.kafka.addr, t.flags()...)
	return i, t, err
}

// folder makes a new folder in the experiment's.
func (e *experiment) folder(name string) (string, error) {
	e.count++
	dir := filepath.Join(e.dir, fmt.Sprintf("%02d-%s", e.count, name))
	return dir, os.Mkdir(dir, 0o755)
}

func (e *experiment) sayf(format string, args ...any) {
	fmt.Fprintf(e.say, "bench: "+format+"\n", args...)
}

// contest is what the runs of one kind gave.
type contest struct {
	ours     []*ourRun
	variants []variant
	peers    [][]*peerRun // by variant
}

// hold lets the contenders take turns. Each round begins with another one, so that none is always
// the one that finds the machine as the same other one left it.
func (e *experiment) hold(ctx context.Context, what string, rounds int, variants []variant,
	ours func(context.Context) (*ourRun, error), peer func(context.Context, variant) (*peerRun, error)) (*contest, error) {
	c := &contest{variants: variants, peers: make([][]*peerRun, len(variants))}
	for round := range rounds {
		for turn := range len(variants) + 1 {
			who := (round+turn)%(len(variants)+1) - 1
			name := "kilim"
			if who >= 0 {
				name = variants[who].name
			}
			e.sayf("%s, round %d of %d: %s", what, round+1, rounds, name)
			if who < 0 {
				r, err := ours(ctx)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", what, err)
				}
				c.ours = append(c.ours, r)
				continue
			}
			r, err := peer(ctx, variants[who])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", what, err)
			}
			c.peers[who] = append(c.peers[who], r)
		}
	}
	return c, nil
}
