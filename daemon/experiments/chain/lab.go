package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// lab is where the contenders are measured: one folder, one Kafka, one feed.
type lab struct {
	opt   *options
	say   io.Writer // progress, for people
	dir   string
	feed  []record
	kafka *cluster
	count int
}

// openLab makes everything that is not measured. What it made is unmade by close.
func openLab(ctx context.Context, opt *options, say io.Writer) (_ *lab, err error) {
	l := &lab{opt: opt, say: say}
	if l.feed, err = readFeed(opt.feed, opt.count); err != nil {
		return nil, err
	}
	if opt.measured >= len(l.feed) {
		return nil, fmt.Errorf("-measured %d: the feed has %d artifacts", opt.measured, len(l.feed))
	}
	if err := os.MkdirAll(opt.cache, 0o755); err != nil {
		return nil, err
	}
	if l.dir, err = os.MkdirTemp(opt.cache, "bench-"); err != nil {
		return nil, err
	}
	// Kafka's scripts and the peer's want to be told where they are, not relative to whom.
	if l.dir, err = filepath.Abs(l.dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.close())
		}
	}()
	l.sayf("the peer's Python environment in %s", opt.venv)
	if err := ensureVenv(ctx, opt.venv, opt.peer, filepath.Join(l.dir, "pip.log")); err != nil {
		return nil, err
	}
	l.sayf("starting Kafka")
	if l.kafka, err = startKafka(ctx, opt.kafka, filepath.Join(l.dir, "kafka")); err != nil {
		return nil, err
	}
	return l, l.warm(ctx)
}

// warmUp is how many artifacts warm lets through.
const warmUp = 100

// warm lets a few artifacts through kilim and the whole feed into Kafka. A broker that
// has just started is slow, and refuses groups and producers until it has made the topics
// that it keeps them in: whoever comes first would pay for the others.
func (l *lab) warm(ctx context.Context) error {
	l.sayf("warming it up")
	if _, err := l.takeIn(ctx, "warm-up", l.feed[:min(warmUp, len(l.feed))]); err != nil {
		return fmt.Errorf("warm-up: %w", err)
	}
	dir, err := l.folder("warm-up")
	if err != nil {
		return err
	}
	t := newTopics(filepath.Base(dir))
	if err := l.fill(ctx, dir, t, l.feed); err != nil {
		return fmt.Errorf("warm-up: %w", err)
	}
	return l.kafka.drop(ctx, t.artifacts)
}

// fill puts artifacts into a topic by kilim's own command.
func (l *lab) fill(ctx context.Context, dir string, t topics, records []record) error {
	file := filepath.Join(dir, "feed.jsonl")
	if err := writeFeed(file, records); err != nil {
		return err
	}
	args := append([]string{"feed", "--broker", l.kafka.addr, file}, t.flags()...)
	_, _, err := run(ctx, filepath.Join(dir, "feed.log"), l.opt.kilim, args, nil)
	return err
}

// close stops Kafka and removes the folder.
func (l *lab) close() error {
	var err error
	if l.kafka != nil {
		err = l.kafka.stop()
	}
	if l.opt.keep {
		l.sayf("kept: %s", l.dir)
		return err
	}
	return errors.Join(err, os.RemoveAll(l.dir))
}

// folder makes a new folder in the lab's.
func (l *lab) folder(name string) (string, error) {
	l.count++
	dir := filepath.Join(l.dir, fmt.Sprintf("%02d-%s", l.count, name))
	return dir, os.Mkdir(dir, 0o755)
}

func (l *lab) sayf(format string, args ...any) { fmt.Fprintf(l.say, "bench: "+format+"\n", args...) }

// contest is what the runs of one kind gave.
type contest struct {
	ours     []*ourRun
	variants []variant
	peers    [][]*peerRun // by variant
}

// hold lets the contenders take turns. Each round begins with another one, so that none is always
// the one that finds the machine as the same other one left it.
func (l *lab) hold(ctx context.Context, what string, rounds int, variants []variant,
	ours func(context.Context) (*ourRun, error), peer func(context.Context, variant) (*peerRun, error)) (*contest, error) {
	c := &contest{variants: variants, peers: make([][]*peerRun, len(variants))}
	for round := range rounds {
		for turn := range len(variants) + 1 {
			who := (round+turn)%(len(variants)+1) - 1
			name := "kilim"
			if who >= 0 {
				name = variants[who].name
			}
			l.sayf("%s, round %d of %d: %s", what, round+1, rounds, name)
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
