package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"
	"time"

	"kilim/daemon/experiments/poison/hostile"
)

// options of a run.
type options struct {
	hostile.Options
	only       string
	kilim      string
	kafka      string
	dir        string
	partitions int
	patience   time.Duration
}

func main() {
	var o options
	flag.StringVar(&o.kilim, "kilim", "bin/kilim", "the daemon's binary")
	flag.IntVar(&o.Records, "n", 10_000, "records")
	flag.Uint64Var(&o.Seed, "seed", 1, "another seed is another feed")
	flag.IntVar(&o.Good, "good", 70, "how many of 100 records are good ones")
	flag.StringVar(&o.only, "only", "", "regular expression: the families of the others, see package hostile; default: all")
	flag.IntVar(&o.Unpacked, "unpacked", 150<<20, "most bytes of a value that packs a thousandfold")
	flag.BoolVar(&o.Worst, "worst", false, "the others are those that take the most memory within all limits")
	flag.StringVar(&o.kafka, "kafka", "", "host:port of a real Kafka; default: the daemon's own broker")
	flag.StringVar(&o.dir, "dir", "", "folder to work in; default: a new one, removed if all is well")
	flag.IntVar(&o.partitions, "partitions", 3, "partitions of each topic")
	flag.DurationVar(&o.patience, "patience", 30*time.Minute, "longest wait for the daemon to have done everything")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, o, os.Stdout)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, o options, out io.Writer) int {
	fail := func(err error) int {
		fmt.Fprintf(out, "poison: %v\n", err)
		return 2
	}
	if o.only != "" {
		var err error
		if o.Only, err = regexp.Compile(o.only); err != nil {
			return fail(err)
		}
	}
	temporary := o.dir == ""
	if temporary {
		var err error
		if o.dir, err = os.MkdirTemp("", "kilim-poison-"); err != nil {
			return fail(err)
		}
	}
	began := time.Now()
	r := &report{Seed: o.Seed, Records: o.Records, BoundMB: boundMB, out: out}
	err := through(ctx, &o, r)
	r.Seconds = time.Since(began).Seconds()
	if err == nil && r.Findings == 0 && temporary {
		err = os.RemoveAll(o.dir)
	} else {
		fmt.Fprintf(out, "the folder is kept: %s; the feed is that of -seed %d -n %d -good %d -unpacked %d -only '%s'\n", o.dir, o.Seed, o.Records, o.Good, o.Unpacked, o.only)
	}
	if err != nil && r.Findings == 0 {
		return fail(err)
	}
	if err != nil {
		fmt.Fprintf(out, "poison: the rest can't be told: %v\n", err)
	}
	line, err := json.Marshal(r)
	if err != nil {
		return fail(err)
	}
	fmt.Fprintf(out, "%s\n", line)
	if r.Findings > 0 {
		return 1
	}
	return 0
}

// data is the state's folder.
func (o *options) data() string { return filepath.Join(o.dir, "data") }
