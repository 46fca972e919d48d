package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"kilim/rerank/rank"
)

// options are the command line.
type options struct {
	feed                  string
	records, seeds, exact int
	cfg                   rank.Config
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o, err := parse(os.Args[1:], os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		fmt.Fprintln(os.Stderr, "ranker:", err)
		os.Exit(2)
	}
	if err := o.run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "ranker:", err)
		os.Exit(1)
	}
}

func parse(args []string, stderr io.Writer) (*options, error) {
	o := &options{cfg: rank.DefaultConfig()}
	f := flag.NewFlagSet("ranker", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.feed, "feed", "../shared/data/walters.jsonl.gz", "`FILE` of records, JSON Lines, with inventory numbers in the names of their pictures")
	f.IntVar(&o.records, "records", 0, "of the feed; 0: all")
	f.IntVar(&o.seeds, "seeds", 5, "draws of the judged artifacts")
	f.IntVar(&o.exact, "exact", 200, "artifacts for which all others are scored, to see what stage 1 misses")
	f.IntVar(&o.cfg.Threads, "threads", runtime.NumCPU(), "that fit")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	switch {
	case f.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q", f.Arg(0))
	case o.records < 0 || o.seeds < 1 || o.exact < 1:
		return nil, fmt.Errorf("-records %d, -seeds %d, -exact %d: must be at least 0, 1 and 1", o.records, o.seeds, o.exact)
	}
	return o, nil
}
