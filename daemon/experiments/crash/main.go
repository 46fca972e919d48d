package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// options of a test.
type options struct {
	kilim      string
	kills      int
	artifacts  int
	partitions int
	seed       uint64
	dir        string
	span       time.Duration
	patience   time.Duration
}

func main() {
	var o options
	flag.StringVar(&o.kilim, "kilim", "bin/kilim", "the daemon's binary")
	flag.IntVar(&o.kills, "n", 30, "kills")
	flag.IntVar(&o.artifacts, "artifacts", 1500, "artifacts inserted; replacements, deletes and bad records come on top")
	flag.IntVar(&o.partitions, "partitions", 3, "partitions of each topic")
	flag.Uint64Var(&o.seed, "seed", 1, "another seed is another feed and other moments")
	flag.StringVar(&o.dir, "dir", "", "folder to work in; default: a new one, removed if all is well")
	flag.DurationVar(&o.span, "span", 1500*time.Millisecond, "longest life of a daemon from ready to kill")
	flag.DurationVar(&o.patience, "patience", 10*time.Minute, "longest wait for a daemon to be ready, and to have done everything")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, o, os.Stdout)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, o options, out io.Writer) int {
	temporary := o.dir == ""
	if temporary {
		dir, err := os.MkdirTemp("", "kilim-crash-")
		if err != nil {
			fmt.Fprintln(out, err)
			return 2
		}
		o.dir = dir
	}
	r, err := test(ctx, o, out)
	if err == nil && r.clean() && temporary {
		err = os.RemoveAll(o.dir)
	} else {
		fmt.Fprintf(out, "the folder is kept: %s\n", o.dir)
	}
	if err != nil {
		fmt.Fprintf(out, "crash: %v\n", err)
		return 2
	}
	line, err := json.Marshal(r)
	if err != nil {
		fmt.Fprintf(out, "crash: %v\n", err)
		return 2
	}
	fmt.Fprintf(out, "%s\n", line)
	if !r.clean() {
		return 1
	}
	return 0
}

// told is how many findings are printed; all are counted.
const told = 50

func test(ctx context.Context, o options, out io.Writer) (*report, error) {
	p, err := newPlan(o.artifacts, o.partitions, o.seed)
	if err != nil {
		return nil, err
	}
	lines := 0
	r := &report{Kills: o.kills, Artifacts: len(p.live), say: func(format string, args ...any) {
		if lines++; lines <= told {
			fmt.Fprintf(out, format+"\n", args...)
		}
	}}
	fmt.Fprintf(out, "feed: %d records, %d artifacts at the end, %d deleted, %d bad; seed %d\n", len(p.ops), len(p.live), len(p.deleted), len(p.refused), o.seed)

	began := time.Now()
	calm, err := o.through(ctx, "calm", p, r, out, 0)
	if err != nil {
		return nil, fmt.Errorf("the run without kills: %w", err)
	}
	fmt.Fprintf(out, "without kills: %.1f s\n", time.Since(began).Seconds())
	began = time.Now()
	killed, err := o.through(ctx, "killed", p, r, out, o.kills)
	if err != nil {
		return nil, fmt.Errorf("the run with kills: %w", err)
	}
	fmt.Fprintf(out, "with %d kills, %d promotions, %d trainings (%d ended before the kill), %d folders put back: %.1f s; published %d messages, without kills %d\n",
		o.kills, r.Promotions, r.Trainings, r.Trained, r.Restores, time.Since(began).Seconds(), len(killed.topics.similar), len(calm.topics.similar))

	if err := r.audit(p, calm, 0); err != nil {
		return nil, err
	}
	if err := r.audit(p, killed, r.Restores); err != nil {
		return nil, err
	}
	r.compare(killed, calm)
	return r, nil
}

// through takes the whole plan through a daemon, killed so many times.
func (o *options) through(ctx context.Context, name string, p *plan, r *report, out io.Writer, kills int) (*ending, error) {
	i, err := newInstance(o.kilim, filepath.Join(o.dir, name), o.partitions)
	if err != nil {
		return nil, err
	}
	if err := i.createTopics(ctx); err != nil {
		return nil, err
	}
	pause := time.Duration(0)
	if kills > 0 {
		pause = 30 * time.Millisecond
	}
	f := newFeeder(i.Kafka, topicArtifacts, o.partitions, p.ops, o.seed, pause)
	k := &killer{instance: i, feeder: f, report: r, out: out, backups: backups{data: i.Data}, rng: rand.New(rand.NewPCG(o.seed, 2)), model: firstModel, start: time.Second, span: o.span, patience: o.patience}
	for life := range kills {
		// The feed goes on over all lives: a share of it for each, at most.
		if err := k.life(ctx, life, len(p.ops)*(life+1)/(kills+1)); err != nil {
			return nil, fmt.Errorf("life %d: %w", life+1, err)
		}
	}
	e, err := o.finish(ctx, i, f, p)
	if err := errors.Join(err, k.backups.remove()); err != nil {
		return nil, err
	}
	if err := k.check(ctx, "at the end"); err != nil {
		return nil, err
	}
	e.topics, err = i.readTopics(ctx)
	return e, err
}

// finish lets a daemon do the rest, asks it for everything, and stops it.
func (o *options) finish(ctx context.Context, i *instance, f *feeder, p *plan) (e *ending, err error) {
	daemon, err := i.serve(false)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, daemon.Close())
		}
	}()
	ctx, release := daemon.Alive(ctx)
	defer release()
	feeding, cancel := context.WithTimeout(ctx, o.patience)
	defer cancel()
	if err := i.Ready(feeding); err != nil {
		return nil, err
	}
	if err := f.feed(feeding, len(p.ops)); err != nil {
		return nil, err
	}
	if f.next < len(p.ops) {
		return nil, fmt.Errorf("fed %d of %d records: %w", f.next, len(p.ops), context.Cause(feeding))
	}
	// Wherever the kills have left it, the model is that of the run without kills.
	if err := i.promote(ctx, firstModel); err != nil {
		return nil, err
	}
	settling, cancel := context.WithTimeout(ctx, o.patience)
	defer cancel()
	if err := i.serves(settling, firstModel); err != nil {
		return nil, err
	}
	status, err := i.Settle(settling)
	if err != nil {
		return nil, err
	}
	e = new(ending)
	if err := json.Unmarshal(status, &e.counts); err != nil {
		return nil, fmt.Errorf("kilim status --json: %w", err)
	}
	ids := slices.Collect(maps.Keys(p.live))
	ids = slices.AppendSeq(ids, maps.Keys(p.deleted))
	if e.served, err = i.ask(ctx, ids); err != nil {
		return nil, err
	}
	if e.themed, err = i.askThemes(settling, slices.Collect(maps.Keys(p.live))); err != nil {
		return nil, err
	}
	if e.cells, err = i.askCells(settling); err != nil {
		return nil, err
	}
	return e, daemon.Stop()
}
