package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"kilim/daemon/experiments/comparison"
	"kilim/daemon/experiments/machine"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	opt, err := parseOptions(os.Args[1:], os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	if err := bench(ctx, opt, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench measures, and writes the report to stdout and to the files asked for.
func bench(ctx context.Context, opt *options, stdout, stderr io.Writer) error {
	r := &report{options: opt, machine: machine.Describe(ctx)}
	if err := r.measure(ctx, stderr); err != nil {
		return err
	}
	if err := r.print(stdout); err != nil {
		return err
	}
	if opt.out != "" {
		if err := r.writeFile(opt.out); err != nil {
			return fmt.Errorf("-out: %w", err)
		}
	}
	if opt.results != "" {
		if err := r.appendResults(opt.results, time.Now()); err != nil {
			return fmt.Errorf("-results: %w", err)
		}
	}
	return nil
}

func (r *report) measure(ctx context.Context, say io.Writer) (err error) {
	e, err := prepare(ctx, r.options, say)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.close()) }()
	r.artifacts, r.kafka = len(e.feed), e.kafka.version
	if r.options.wants(onlyThroughput) {
		r.throughput, err = e.hold(ctx, onlyThroughput, r.options.rounds, throughputVariants(), e.ourThroughput, e.peerThroughput)
		if err != nil {
			return err
		}
	}
	if r.options.wants(onlyLatency) {
		r.latency, err = e.hold(ctx, onlyLatency, r.options.latencyRounds, latencyVariants(), e.ourLatency, e.peerLatency)
	}
	return err
}

func (r *report) writeFile(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := comparison.Write(f, r.rows()); err != nil {
		return err
	}
	return f.Close()
}
