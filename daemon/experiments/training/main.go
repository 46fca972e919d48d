package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"text/tabwriter"

	"kilim/daemon/experiments/feedfile"
	"kilim/daemon/experiments/stats"
)

type options struct {
	kilim, feed   string
	base, measure int
	rounds        int
	rate, share   float64
	limit         float64
	takeover      bool
	stages        string
}

func main() {
	var o options
	flag.StringVar(&o.kilim, "kilim", "bin/kilim", "the daemon's binary")
	flag.StringVar(&o.feed, "feed", "../shared/data/walters.jsonl.gz", "`FILE` of artifacts, JSON Lines, plain or gzip")
	flag.IntVar(&o.base, "base", 3000, "artifacts that are there before")
	flag.IntVar(&o.measure, "measure", 1500, "artifacts whose freshness is measured, those after")
	flag.Float64Var(&o.rate, "rate", 50, "of them a second")
	flag.IntVar(&o.rounds, "rounds", 3, "rounds of two turns")
	flag.Float64Var(&o.share, "share", 0.25, "train.share of the daemon that trains")
	flag.Float64Var(&o.limit, "limit", 2, "fail if the p99 with training is more than so many times that without; 0 never fails")
	flag.BoolVar(&o.takeover, "takeover", false, "let a model be trained and take over under the feed instead, and print the feed's freshness")
	flag.StringVar(&o.stages, "stages", "full:500:0.008", "train.stages of the training that takes over")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, w io.Writer) error {
	if o.rounds < 1 {
		return fmt.Errorf("-rounds %d: want at least 1", o.rounds)
	}
	dir, err := os.MkdirTemp("", "kilim-bench-training")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	records, err := feedfile.Read(o.feed, o.base+o.measure)
	if err != nil {
		return err
	}
	first, rest := filepath.Join(dir, "first.jsonl"), filepath.Join(dir, "rest.jsonl")
	if err := errors.Join(feedfile.Write(first, records[:o.base]), feedfile.Write(rest, records[o.base:])); err != nil {
		return err
	}
	e := &experiment{kilim: o.kilim, dir: dir, base: filepath.Join(dir, "base")}
	if err := e.load(ctx, first); err != nil {
		return fmt.Errorf("load %d artifacts: %w", o.base, err)
	}
	if o.takeover {
		ids := make([]string, o.base)
		for i := range ids {
			ids[i] = records[i].ID
		}
		return e.tellTakeover(ctx, o, ids, rest, w)
	}
	return e.compareTurns(ctx, o, rest, w)
}

// tellTakeover prints what a takeover was like for the feed.
func (e *experiment) tellTakeover(ctx context.Context, o options, ids []string, feed string, w io.Writer) error {
	r, err := e.takeover(ctx, ids, feed, o.stages, o.rate)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "feed of %d artifacts to %d: %.0f s; freshness p50 %.0f ms, p99 %.0f ms\n", r.fed, o.base, r.feed, 1000*r.p50, 1000*r.p99)
	fmt.Fprintf(w, "epoch 2 served after %.0f s, the last is epoch %d; the last training: %s\n", r.served, r.epoch, r.reason)
	fmt.Fprintf(w, "%d answers, none of an older model after a newer, none refused; %d artifacts in the end; kilim check: no fault\n", r.answers, r.artifacts)
	// What was on its way when the feed was stopped may have come unacknowledged.
	if want := o.base + r.fed; r.artifacts < want || r.artifacts > want+100 {
		return fmt.Errorf("%d artifacts, want %d", r.artifacts, want)
	}
	return nil
}

// compareTurns prints what each turn showed, and fails when training costs the feed more than the limit.
func (e *experiment) compareTurns(ctx context.Context, o options, feed string, w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "round\ttraining\tp50 ms\tp99 ms\tlast within s\tCPU s\tsteps\t")
	p99 := map[bool][]float64{}
	for round := range o.rounds {
		for turn := range 2 {
			trains := (round+turn)%2 == 1
			share := 0.0
			if trains {
				share = o.share
			}
			r, err := e.turn(ctx, feed, o.rate, share)
			if err != nil {
				return fmt.Errorf("round %d, training %v: %w", round+1, trains, err)
			}
			fmt.Fprintf(out, "%d\t%v\t%.1f\t%.1f\t%.1f\t%.1f\t%.0f\t\n", round+1, trains, 1000*r.p50, 1000*r.p99, r.seconds, r.cpu, r.steps)
			if err := out.Flush(); err != nil {
				return err
			}
			p99[trains] = append(p99[trains], r.p99)
		}
	}
	ratio := stats.Median(p99[true]) / stats.Median(p99[false])
	fmt.Fprintf(w, "p99 freshness with training is %.2f times that without (medians of %d rounds)\n", ratio, o.rounds)
	if o.limit > 0 && ratio > o.limit {
		return fmt.Errorf("want at most %v times", o.limit)
	}
	return nil
}
