package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

type options struct {
	kilim   string
	records string
	limit   string
	burst   bool
	p99     time.Duration
	settle  time.Duration
	tail    int
	dir     string
}

func main() {
	var o options
	flag.StringVar(&o.kilim, "kilim", "bin/kilim", "the daemon's binary")
	flag.StringVar(&o.records, "records", "10000,100000,1000000", "sizes of the archive, separated by commas")
	flag.StringVar(&o.limit, "limit", "", "memory.limit of the daemon; default: the daemon's own, and 1GiB with -burst")
	flag.BoolVar(&o.burst, "burst", false, "only the burst")
	flag.DurationVar(&o.p99, "p99", 0, "with this or more as the p99 of queries the burst fails; 0: it does not")
	flag.DurationVar(&o.settle, "settle", 2*time.Hour, "longest wait for what a burst has left to do")
	flag.IntVar(&o.tail, "tail", 1500, "artifacts that come at 50 a second afterwards")
	flag.StringVar(&o.dir, "dir", "", "folder to work in; default: a new one, which is removed")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

// run prints what it finds for each size. What is wrong does not keep it from the next size.
func run(ctx context.Context, o options, out io.Writer) (err error) {
	if o.burst && o.limit == "" {
		o.limit = "1GiB"
	}
	if o.dir == "" {
		if o.dir, err = os.MkdirTemp("", "kilim-scale-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(o.dir)) }()
	}
	var results []*result
	var faults error
	for _, text := range strings.Split(o.records, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || n < 1 {
			return fmt.Errorf("-records %q: want numbers above 0, separated by commas", o.records)
		}
		r, err := measure(ctx, &o, n)
		if err != nil {
			return errors.Join(faults, fmt.Errorf("%d records: %w", n, err))
		}
		results = append(results, r)
		for _, f := range r.faults {
			faults = errors.Join(faults, fmt.Errorf("%d records: %s", n, f))
		}
		if err := print(out, results); err != nil {
			return errors.Join(faults, err)
		}
	}
	return faults
}
