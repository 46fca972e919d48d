package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"runtime"

	"kilim/daemon/experiments/command"
	"kilim/rerank/rank"
)

// options are the command line.
type options struct {
	feed                  string
	records, seeds, exact int
	cfg                   rank.Config
	counting              bool
}

func main() {
	command.Main("ranker", parse, func(ctx context.Context, o *options, w io.Writer) error { return o.run(ctx, w) })
}

func parse(args []string, stderr io.Writer) (*options, error) {
	o := &options{cfg: rank.DefaultConfig()}
	f := flag.NewFlagSet("ranker", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.feed, "feed", "../shared/data/walters.jsonl.gz", "`FILE` of records, JSON Lines, with inventory numbers in the names of their pictures")
	f.IntVar(&o.records, "records", 0, "of the feed; 0: all")
	f.IntVar(&o.seeds, "seeds", 5, "draws of the judged artifacts")
	f.IntVar(&o.exact, "exact", 200, "artifacts for which all others are scored, to see what stage 1 misses")
	f.BoolVar(&o.counting, "messages", false, "count the rows and messages that a newcomer makes, and nothing else")
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
